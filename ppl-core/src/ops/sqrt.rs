//! The square root.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Sqrt, "sqrt", |x, out| x.sqrt(), F::from_f64(0.5) / out }

impl<'t> Var<'t> {
    /// Returns √x, elementwise; NaN for negative x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(9.0).sqrt().value(), 3.0);
    /// ```
    pub fn sqrt(self) -> Var<'t> {
        unary::<Sqrt>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].sqrt(); [0.25], [1.0], [30.0] }
