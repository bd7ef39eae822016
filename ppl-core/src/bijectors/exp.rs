//! The exponential function: onto the numbers above zero.

use crate::bijectors::Bijector;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x = eᶻ, elementwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exp;

impl<'t> Bijector<'t> for Exp {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        z.exp()
    }

    fn unconstrain(&self, x: &[f64], _: &[usize]) -> Vec<f64> {
        x.iter().map(|x| x.ln()).collect()
    }

    /// ln ∂x/∂z = z
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(z)
    }
}

#[cfg(test)]
bijector_tests! {
    Exp; event [2], free [0, 1]; [0.5, -2.0], [0.0, 3.0]; [800.0, -300.0] => 500.0
}
