//! The sigmoid linear unit, also called swish.

use crate::kernels::real::Real;
use crate::ops::elementwise::{unary, unary_op};
use crate::ops::sigmoid::sigmoid_slope;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns σ(x) + x σ′(x).
#[inline(always)]
fn slope<F: Real>(x: F) -> F {
    let s = x.sigmoid();
    s + x * sigmoid_slope(x, s)
}

unary_op! { Silu, "silu", |x, out| x * x.sigmoid(), slope(x) }

impl<'t> Var<'t> {
    /// Returns x / (1 + e⁻ˣ), elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).silu().value(), 0.0);
    /// ```
    pub fn silu(self) -> Var<'t> {
        unary::<Silu>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].silu(); [-3.0], [0.0], [0.5], [4.0] }
