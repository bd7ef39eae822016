//! Activation functions, elementwise.

use ppl_core::tape::var::Var;

use crate::module::{Forward, Module};
use crate::parameter::Parameter;
use crate::path::Path;
#[cfg(test)]
use crate::testing::layer_tests;

/// A function of each element; as a layer it has no parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// x
    Identity,
    /// max(x, 0)
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// x Φ(x), with the distribution function Φ of the standard normal distribution.
    Gelu,
    /// x / (1 + e⁻ˣ)
    Silu,
    /// ln(1 + eˣ)
    Softplus,
}

impl Module for Activation {
    type With<Q> = Activation;

    fn map_parameters<Q, E>(
        &self,
        _: &Path<'_>,
        _: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Activation, E> {
        Ok(*self)
    }
}

impl<'t> Forward<'t> for Activation {
    #[track_caller]
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        match self {
            Activation::Identity => x,
            Activation::Relu => x.relu(),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Gelu => x.gelu(),
            Activation::Silu => x.silu(),
            Activation::Softplus => x.softplus(),
        }
    }
}

#[cfg(test)]
layer_tests! { identity: Activation::Identity; [3] => [3] }
#[cfg(test)]
layer_tests! { relu: Activation::Relu; [3] => [3] }
#[cfg(test)]
layer_tests! { tanh: Activation::Tanh; [3] => [3] }
#[cfg(test)]
layer_tests! { sigmoid: Activation::Sigmoid; [3] => [3] }
#[cfg(test)]
layer_tests! { gelu: Activation::Gelu; [3] => [3] }
#[cfg(test)]
layer_tests! { silu: Activation::Silu; [3] => [3] }
#[cfg(test)]
layer_tests! { softplus: Activation::Softplus; [3] => [3] }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_the_function_of_its_name() {
        // Values at −0.5 and 1.5 to 15 digits, by mpmath: tanh, 1/(1+exp(-x)), x*ncdf(x), x/(1+exp(-x)), log1p(exp(x)).
        let rows = [
            (Activation::Identity, [-0.5, 1.5]),
            (Activation::Relu, [0.0, 1.5]),
            (Activation::Tanh, [-0.462_117_157_260_010, 0.905_148_253_644_866]),
            (Activation::Sigmoid, [0.377_540_668_798_145, 0.817_574_476_193_644]),
            (Activation::Gelu, [-0.154_268_769_362_993, 1.399_789_198_096_711]),
            (Activation::Silu, [-0.188_770_334_399_073, 1.226_361_714_290_465]),
            (Activation::Softplus, [0.474_076_984_180_107, 1.701_413_277_982_752]),
        ];
        for (activation, expected) in rows {
            for (x, expected) in [-0.5, 1.5].into_iter().zip(expected) {
                let found = activation.forward(Var::constant(x)).value();
                assert!(
                    (found - expected).abs() < 1e-14,
                    "{activation:?}({x}) = {found}, expected {expected}"
                );
            }
        }
    }
}
