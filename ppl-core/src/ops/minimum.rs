//! The smaller of two values.

use crate::ops::elementwise::binary_op;
use crate::ops::param::Operand;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

binary_op! {
    Minimum, "minimum", |x, y, out| x.min(y),
    (F::select(y < x, F::ZERO, F::ONE), F::select(y < x, F::ONE, F::ZERO))
}

impl<'t> Var<'t> {
    /// Returns the smaller of x and y, elementwise; where they are equal, the derivative goes to x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(2.0).minimum(3.0).value(), 2.0);
    /// ```
    #[track_caller]
    pub fn minimum(self, other: impl Operand<'t>) -> Var<'t> {
        Minimum::of(self, other.into_param().beside(self))
    }
}

#[cfg(test)]
op_tests! { |x| x[0].minimum(x[1]); [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }
