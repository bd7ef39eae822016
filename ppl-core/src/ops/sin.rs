//! The sine.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Sin, "sin", |x, out| x.sin(), x.cos() }

impl<'t> Var<'t> {
    /// Returns sin x, elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).sin().value(), 0.0);
    /// ```
    pub fn sin(self) -> Var<'t> {
        unary::<Sin>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].sin(); [-3.0], [0.0], [0.5], [2.0] }
