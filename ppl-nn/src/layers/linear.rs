//! The linear layer x · W + b.

use ppl_core::ops::align::refuse;
use ppl_core::tape::var::Var;

use crate::initialiser::Initialiser;
use crate::module::{Forward, Module};
use crate::parameter::Parameter;
use crate::path::Path;
#[cfg(test)]
use crate::testing::layer_tests;

/// The linear layer x · W + b with W: [n_in, n_out] and b: \[n_out\].
///
/// The weight has a row for each input, so that rows of inputs times the weight are one product of matrices.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Linear<P = Parameter> {
    /// W: [n_in, n_out].
    pub weight: P,
    /// b: \[n_out\].
    pub bias: P,
    name: String,
}

impl Linear {
    /// Returns a layer whose weight starts by [`Initialiser::HeNormal`] and whose bias starts at zero.
    pub fn new(n_in: usize, n_out: usize) -> Self {
        Linear {
            weight: Parameter::new([n_in, n_out], Initialiser::HeNormal),
            bias: Parameter::new([n_out], Initialiser::Constant(0.0)).with_fans(n_in, n_out),
            name: String::new(),
        }
    }

    /// Returns this layer with another initialiser of the weight.
    pub fn with_weight(self, initialiser: Initialiser) -> Self {
        Linear {
            weight: self.weight.with_initialiser(initialiser),
            ..self
        }
    }

    /// Returns this layer with another initialiser of the bias.
    pub fn with_bias(self, initialiser: Initialiser) -> Self {
        Linear {
            bias: self.bias.with_initialiser(initialiser),
            ..self
        }
    }
}

impl Module for Linear {
    type With<Q> = Linear<Q>;

    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Linear<Q>, E> {
        Ok(Linear {
            weight: self.weight.map_parameters(&path.field("weight"), each)?,
            bias: self.bias.map_parameters(&path.field("bias"), each)?,
            name: path.to_string(),
        })
    }
}

impl<'t> Forward<'t> for Linear<Var<'t>> {
    #[track_caller]
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        let (input, weight) = (x.event_shape(), self.weight.event_shape());
        if input.is_empty() || input.last() != weight.first() {
            let message = format!(
                "the input of layer `{}` is not as wide as its weight is high",
                self.name
            );
            return refuse("linear", &[x, self.weight], &[], &message);
        }
        x.dot(self.weight) + self.bias
    }
}

#[cfg(test)]
layer_tests! { Linear::new(3, 2); [3] => [2] }

#[cfg(test)]
mod tests {
    use ppl_core::distributions::Normal;

    use super::*;
    use crate::random::random_module;
    use crate::testing::{record, site};

    #[test]
    fn an_input_of_another_width_is_an_error_with_layer_and_shapes() {
        let net = [Linear::new(3, 2), Linear::new(5, 1)];
        let outcome = record(|ctx| {
            let net = ctx.sample(site("net"), random_module(net.clone(), Normal(0, 1)))?;
            let x = ctx.tape().constant_array(&[3], [1.0, 2.0, 3.0].into_iter());
            net[1].forward(net[0].forward(x));
            Ok(())
        });
        let text = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.starts_with("linear (") && text.contains("linear.rs:"), "{text}");
        assert!(
            text.ends_with("the input of layer `1` is not as wide as its weight is high: [2] and [5, 1]"),
            "{text}"
        );
    }

    #[test]
    fn initialisers_can_be_chosen() {
        let net = Linear::new(4, 2)
            .with_weight(Initialiser::Constant(0.5))
            .with_bias(Initialiser::Constant(-1.0));
        let key = ppl_core::rng::Key::new(1);
        assert_eq!(net.weight.initial_values(key), [0.5; 8]);
        assert_eq!(net.bias.initial_values(key), [-1.0; 2]);
        assert_eq!((net.bias.fan_in(), net.bias.fan_out()), (4, 2));
    }
}
