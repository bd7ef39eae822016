//! The scaled logistic function: onto the numbers between two bounds.

use crate::bijectors::{Bijector, Sigmoid};
use crate::tape::var::Var;
use crate::testing::bijectors::bijector_tests;

/// x = low + (high − low) / (1 + e⁻ᶻ), elementwise; the bounds may depend on other sites.
#[derive(Clone, Copy, Debug)]
pub struct Interval<'t> {
    /// The lower bound.
    pub low: Var<'t>,
    /// The upper bound.
    pub high: Var<'t>,
}

impl<'t> Bijector<'t> for Interval<'t> {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        self.low + (self.high - self.low) * z.sigmoid()
    }

    fn unconstrain(&self, x: &[f64], _: &[usize]) -> Vec<f64> {
        let (low, high) = (self.low.elements(), self.high.elements());
        let each = x.iter().enumerate();
        each.map(|(i, x)| ((x - low[i % low.len()]) / (high[i % high.len()] - x)).ln())
            .collect()
    }

    /// ln ∂x/∂z = ln(high − low) + ln σ(z) + ln(1 − σ(z))
    fn log_det(&self, z: Var<'t>, x: Var<'t>) -> Option<Var<'t>> {
        Some((self.high - self.low).ln() + Sigmoid.log_det(z, x)?)
    }
}

bijector_tests! {
    Interval { low: Var::constant(-2.0), high: Var::constant(0.5) }; event [2], free [0, 1];
    [0.5, -2.0], [0.0, 3.0];
    [800.0, -800.0] => 2.0 * 2.5f64.ln() - 1600.0
}
