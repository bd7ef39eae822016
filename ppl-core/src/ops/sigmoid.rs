//! The logistic function.

use crate::kernels::real::Real;
use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns e / (1 + e)² with e = e^(−|x|): out (1 − out) would be zero where out rounds to one.
#[inline(always)]
pub(super) fn sigmoid_slope<F: Real>(x: F) -> F {
    let e = (-x.abs()).exp();
    let sum = F::ONE + e;
    e / (sum * sum)
}

unary_op! { Sigmoid, "sigmoid", |x, out| x.sigmoid(), sigmoid_slope(x) }

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
