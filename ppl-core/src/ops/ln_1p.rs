//! ln(1 + x), exact for small x.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Ln1p, "ln_1p", |x, out| x.ln_1p(), F::ONE / (F::ONE + x) }

impl<'t> Var<'t> {
    /// Returns ln(1 + x), elementwise, exact for small x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).ln_1p().value(), 0.0);
    /// ```
    pub fn ln_1p(self) -> Var<'t> {
        unary::<Ln1p>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].ln_1p(); [-0.75], [0.0], [0.0009765625], [30.0] }
