//! The multilayer perceptron.

use ppl_core::tape::var::Var;

use crate::layers::{Activation, Linear};
use crate::module::{Forward, Module};
use crate::parameter::Parameter;
use crate::path::Path;
#[cfg(test)]
use crate::testing::layer_tests;

/// Linear layers with an activation after each but the last; the parameters are `0.weight`, `0.bias`, `1.weight`, ….
///
/// ```
/// use ppl_nn::{Activation, Mlp, Module};
///
/// let net = Mlp::new(&[784, 1024, 10], Activation::Relu);
/// assert_eq!(net.parameters()[2].shape(), [1024, 10]);
/// ```
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Mlp<P = Parameter> {
    /// The linear layers, from the input to the output.
    pub layers: Vec<Linear<P>>,
    /// The function between them.
    pub activation: Activation,
}

impl Mlp {
    /// Returns a network with layers of these widths, the inputs first and the outputs last.
    ///
    /// # Panics
    ///
    /// If there are fewer than two widths, or one is zero.
    pub fn new(widths: &[usize], activation: Activation) -> Self {
        assert!(
            widths.len() > 1 && !widths.contains(&0),
            "a network cannot have the widths {widths:?}: give the numbers of inputs, hidden units and outputs"
        );
        Mlp {
            layers: widths.windows(2).map(|w| Linear::new(w[0], w[1])).collect(),
            activation,
        }
    }
}

impl Module for Mlp {
    type With<Q> = Mlp<Q>;

    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Mlp<Q>, E> {
        Ok(Mlp {
            layers: self.layers.map_parameters(path, each)?,
            activation: self.activation,
        })
    }
}

impl<'t> Forward<'t> for Mlp<Var<'t>> {
    #[track_caller]
    fn forward(&self, mut x: Var<'t>) -> Var<'t> {
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = self.activation.forward(x);
            }
            x = layer.forward(x);
        }
        x
    }
}

#[cfg(test)]
layer_tests! { shallow: Mlp::new(&[3, 2], Activation::Relu); [3] => [2] }
#[cfg(test)]
layer_tests! { deep: Mlp::new(&[2, 4, 3, 2], Activation::Tanh); [2] => [2] }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a network cannot have the widths [3]")]
    fn a_single_width_is_misuse() {
        Mlp::new(&[3], Activation::Relu);
    }
}
