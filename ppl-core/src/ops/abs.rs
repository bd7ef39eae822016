//! The absolute value.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Abs, "abs", |x, out| x.abs(), F::select(x > F::ZERO, F::ONE, F::select(x < F::ZERO, -F::ONE, F::ZERO)) }

impl<'t> Var<'t> {
    /// Returns |x|, elementwise; its derivative is the sign of x, and zero at zero.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(-3.0).abs().value(), 3.0);
    /// ```
    pub fn abs(self) -> Var<'t> {
        unary::<Abs>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].abs(); [-3.0], [0.5], [30.0] }
