//! The largest integer not above.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Floor, "floor", |x, out| x.floor(), no_grad }

impl<'t> Var<'t> {
    /// Returns the largest integer not above x, elementwise; it has no derivative.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(-1.5).floor().value(), -2.0);
    /// ```
    pub fn floor(self) -> Var<'t> {
        unary::<Floor>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].floor() * x[0]; [-3.5], [0.25], [2.75] }
