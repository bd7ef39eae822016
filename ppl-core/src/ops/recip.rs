//! The reciprocal.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Recip, "recip", |x, out| F::ONE / x, -(out * out) }

impl<'t> Var<'t> {
    /// Returns 1 / x, elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(4.0).recip().value(), 0.25);
    /// ```
    pub fn recip(self) -> Var<'t> {
        unary::<Recip>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].recip(); [-3.0], [0.5], [30.0] }
