//! The hyperbolic tangent.

use crate::kernels::real::Real;
use crate::ops::elementwise::{unary, unary_op};
use crate::ops::sigmoid::sigmoid_slope;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns 1 − tanh² x = 4 σ′(2x), where the square does not round to one.
#[inline(always)]
fn sech_square<F: Real>(x: F) -> F {
    F::from_f64(4.0) * sigmoid_slope(x + x)
}

unary_op! { Tanh, "tanh", |x, out| x.tanh(), sech_square(x) }

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
