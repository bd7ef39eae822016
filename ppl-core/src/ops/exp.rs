//! The exponential function.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Exp, "exp", |x, out| x.exp(), out }

impl<'t> Var<'t> {
    /// Returns eˣ, elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).exp().value(), 1.0);
    /// ```
    pub fn exp(self) -> Var<'t> {
        unary::<Exp>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].exp(); [-3.0], [0.0], [0.5], [2.0] }
