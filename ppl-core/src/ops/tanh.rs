//! The hyperbolic tangent.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Tanh, "tanh", |x, out| x.tanh(), F::ONE - out * out }

impl<'t> Var<'t> {
    /// Returns tanh x, elementwise; its derivative is 1 − tanh² x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).tanh().value(), 0.0);
    /// ```
    pub fn tanh(self) -> Var<'t> {
        unary::<Tanh>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].tanh(); [-3.0], [0.0], [0.5], [2.0] }
