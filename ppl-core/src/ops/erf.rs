//! The error function.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

unary_op! { Erf, "erf", |x, out| x.erf(), F::from_f64(std::f64::consts::FRAC_2_SQRT_PI) * (-(x * x)).exp() }

impl<'t> Var<'t> {
    /// Returns erf x = 2/√π ∫₀ˣ exp(−t²) dt, elementwise.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).erf().value(), 0.0);
    /// ```
    pub fn erf(self) -> Var<'t> {
        unary::<Erf>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].erf(); [-2.0], [0.0], [0.5], [1.5] }
