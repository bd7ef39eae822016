//! The Gaussian error linear unit in its exact form.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// 1 / √(2π).
const FRAC_1_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

unary_op! {
    Gelu, "gelu", |x, out| x * x.normal_cdf(),
    x.normal_cdf() + x * F::from_f64(FRAC_1_SQRT_TAU) * (F::from_f64(-0.5) * x * x).exp()
}

impl<'t> Var<'t> {
    /// Returns x Φ(x), elementwise; its derivative is Φ(x) + x φ(x).
    ///
    /// Φ and φ are the distribution function and the density of the standard normal (Hendrycks and Gimpel 2016).
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(0.0).gelu().value(), 0.0);
    /// ```
    pub fn gelu(self) -> Var<'t> {
        unary::<Gelu>(self)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].gelu(); [-3.0], [0.0], [0.5], [4.0] }
