//! Softplus, ln(1 + eˣ), without overflow for large x.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Softplus, "softplus", |x, out| x.softplus(), x.sigmoid() }

impl<'t> Var<'t> {
    /// Returns ln(1 + eˣ), elementwise; its derivative is the logistic function of x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(800.0).softplus().value(), 800.0);
    /// ```
    pub fn softplus(self) -> Var<'t> {
        unary::<Softplus>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].softplus(); [-40.0], [-1.0], [0.0], [2.0], [800.0] }
