//! The square; `x * x` records it too.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Square, "square", |x, out| x * x, x + x }

impl<'t> Var<'t> {
    /// Returns x², elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(-3.0).square().value(), 9.0);
    /// ```
    pub fn square(self) -> Var<'t> {
        unary::<Square>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].square(); [-3.0], [0.0], [0.5] }
