//! Layers one after the other.

use ppl_core::tape::var::Var;

use crate::module::{Forward, Module};
use crate::parameter::Parameter;
use crate::path::Path;
#[cfg(test)]
use crate::testing::layer_tests;

/// Layers one after the other: a tuple of layers of any kind, or a vector of layers of one kind, named by number.
///
/// ```
/// use ppl_nn::{Activation, Linear, Module, Sequential};
///
/// let net = Sequential((Linear::new(2, 8), Activation::Tanh, Linear::new(8, 1)));
/// let names: Vec<_> = net.parameters().iter().map(|p| p.name().to_string()).collect();
/// assert_eq!(names, ["0.weight", "0.bias", "2.weight", "2.bias"]);
/// ```
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Sequential<L>(
    /// The layers.
    pub L,
);

impl<L: Module> Module for Sequential<L> {
    type With<Q> = Sequential<L::With<Q>>;

    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Self::With<Q>, E> {
        self.0.map_parameters(path, each).map(Sequential)
    }
}

impl<'t, L: Forward<'t>> Forward<'t> for Sequential<L> {
    #[track_caller]
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        self.0.forward(x)
    }
}

#[cfg(test)]
use crate::layers::{Activation, Linear};

#[cfg(test)]
layer_tests! { tuple: Sequential((Linear::new(2, 4), Activation::Tanh, Linear::new(4, 3))); [2] => [3] }
#[cfg(test)]
layer_tests! { vector: Sequential(vec![Linear::new(2, 3), Linear::new(3, 2)]); [2] => [2] }
