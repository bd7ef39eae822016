//! The cosine.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Cos, "cos", |x, out| x.cos(), -x.sin() }

impl<'t> Var<'t> {
    /// Returns cos x, elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).cos().value(), 1.0);
    /// ```
    pub fn cos(self) -> Var<'t> {
        unary::<Cos>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].cos(); [-3.0], [0.0], [0.5], [2.0] }
