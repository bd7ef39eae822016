//! eˣ − 1, exact for small x.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { ExpM1, "exp_m1", |x, out| x.exp_m1(), x.exp() }

impl<'t> Var<'t> {
    /// Returns eˣ − 1, elementwise, exact for small x.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).exp_m1().value(), 0.0);
    /// ```
    pub fn exp_m1(self) -> Var<'t> {
        unary::<ExpM1>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].exp_m1(); [-40.0], [-3.0], [0.0], [0.0009765625], [2.0] }
