//! The identity: for supports that are all real numbers.

use crate::bijectors::Bijector;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x = z.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl<'t> Bijector<'t> for Identity {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        z
    }

    fn unconstrain(&self, x: &[f64], _: &[usize]) -> Vec<f64> {
        x.to_vec()
    }

    fn log_det(&self, _: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        None
    }
}

#[cfg(test)]
bijector_tests! {
    Identity; event [2], free [0, 1]; [0.5, -2.0]; [800.0, -800.0] => 0.0
}
