//! The logistic function.

use crate::kernels::real::Real;
use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns the derivative e^(−|x|) σ(|x|)² from out = σ(x): out (1 − out) would be zero where out rounds to one.
#[inline(always)]
pub(super) fn sigmoid_slope<F: Real>(x: F, out: F) -> F {
    let upper = F::select(out < F::from_f64(0.5), F::ONE - out, out);
    (-x.abs()).exp() * (upper * upper)
}

// out (1 − out) from a rounded value is off by two units over 1 − out: by 80, or 1e-14, at the end of the shortcut.
unary_op! {
    Sigmoid, "sigmoid", |x, out| x.sigmoid(), sigmoid_slope(x, out),
    shortcut if |out| out < F::from_f64(1.0 - 1.0 / 32.0) => out * (F::ONE - out)
}

impl<'t> Var<'t> {
    /// Returns 1 / (1 + e⁻ˣ), elementwise, without overflow.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).sigmoid().value(), 0.5);
    /// ```
    pub fn sigmoid(self) -> Var<'t> {
        unary::<Sigmoid>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].sigmoid(); [-40.0], [-1.0], [0.0], [3.0], [40.0], [700.0] }
