//! The natural logarithm.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Ln, "ln", |x, out| x.ln(), F::ONE / x }

impl<'t> Var<'t> {
    /// Returns ln x, elementwise; NaN for negative x and −∞ at zero.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(1.0).ln().value(), 0.0);
    /// ```
    pub fn ln(self) -> Var<'t> {
        unary::<Ln>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].ln(); [0.001], [0.5], [1.0], [30.0] }
