//! The digamma function.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Digamma, "digamma", |x, out| x.digamma(), x.trigamma() }

impl<'t> Var<'t> {
    /// Returns ψ(x) = d ln Γ(x) / dx, elementwise.
    pub fn digamma(self) -> Var<'t> {
        unary::<Digamma>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].digamma(); [0.25], [1.0], [2.5], [30.0] }
