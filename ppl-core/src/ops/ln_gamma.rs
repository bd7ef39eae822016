//! The logarithm of the gamma function.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { LnGamma, "ln_gamma", |x, out| x.ln_gamma(), x.digamma() }

impl<'t> Var<'t> {
    /// Returns ln Γ(x), elementwise; its derivative is the digamma function.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(1.0).ln_gamma().value(), 0.0);
    /// ```
    pub fn ln_gamma(self) -> Var<'t> {
        unary::<LnGamma>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].ln_gamma(); [0.25], [1.0], [2.5], [30.0] }
