//! The rectifier.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Relu, "relu", |x, out| x.max(F::ZERO), F::select(x > F::ZERO, F::ONE, F::ZERO) }

impl<'t> Var<'t> {
    /// Returns max(x, 0), elementwise; its derivative is one for x > 0 and zero elsewhere.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(-3.0).relu().value(), 0.0);
    /// ```
    pub fn relu(self) -> Var<'t> {
        unary::<Relu>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].relu(); [-3.0], [0.5], [30.0] }
