//! The identity: for supports that are all real numbers.

use crate::bijectors::Bijector;
use crate::tape::var::Var;

/// x = z.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl<'t> Bijector<'t> for Identity {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        z
    }

    fn unconstrain(&self, x: &[f64]) -> Vec<f64> {
        x.to_vec()
    }

    fn log_det(&self, _: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        None
    }
}
