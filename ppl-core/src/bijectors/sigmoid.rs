//! The logistic function: onto the numbers between zero and one.

use crate::bijectors::Bijector;
use crate::math::logspace::logit;
use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x = 1 / (1 + e⁻ᶻ), elementwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sigmoid;

impl<'t> Bijector<'t> for Sigmoid {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        z.sigmoid()
    }

    fn unconstrain(&self, x: &[f64], _: &[usize]) -> Vec<f64> {
        x.iter().map(|&x| logit(x)).collect()
    }

    /// ln ∂x/∂z = ln x + ln(1 − x)
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(unary::<LnSigmoidSlope>(z))
    }
}

// −|z| − 2 ln(1 + e^−|z|), whose derivative is −tanh(z / 2).
unary_op! {
    LnSigmoidSlope, "ln_sigmoid_slope",
    |x, out| -(x.abs() + F::from_f64(2.0) * (-x.abs()).exp().ln_1p()),
    -(x * F::from_f64(0.5)).tanh()
}

#[cfg(test)]
bijector_tests! {
    Sigmoid; event [2], free [0, 1]; [0.5, -2.0], [0.0, 3.0]; [800.0, 0.0] => -800.0 - 4f64.ln(), [-800.0, 1e9] => -1_000_000_800.0
}
