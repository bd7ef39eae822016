//! The hyperbolic tangent.

use crate::kernels::real::Real;
use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns 1 − tanh² x = e^(−2|x|) (1 + |tanh x|)², which keeps its digits where the square rounds to one.
#[inline(always)]
fn sech_square<F: Real>(x: F, out: F) -> F {
    let one_and = F::ONE + out.abs();
    (-(x + x).abs()).exp() * (one_and * one_and)
}

// 1 − out² from a rounded value is off by five units over itself: by 80, or 1e-14, at the end of the shortcut.
unary_op! {
    Tanh, "tanh", |x, out| x.tanh(), sech_square(x, out),
    shortcut if |out| out.abs() < F::from_f64(1.0 - 1.0 / 32.0) => (F::ONE - out) * (F::ONE + out)
}

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
