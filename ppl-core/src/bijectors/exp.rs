//! The exponential function: onto the numbers above zero.

use crate::bijectors::Bijector;
use crate::tape::var::Var;

/// x = eᶻ, elementwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exp;

impl<'t> Bijector<'t> for Exp {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        z.exp()
    }

    fn unconstrain(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x.ln()).collect()
    }

    /// ln ∂x/∂z = z
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(z)
    }
}
