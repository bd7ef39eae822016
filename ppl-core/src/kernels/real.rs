//! The scalar type of a tape, f64 or f32, with the functions that kernels inline into their loops.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::kernels::linear::gemm_raw::GemmRaw;
use crate::kernels::poly;
use crate::kernels::random::words::FromWords;
use crate::kernels::simd::vector::Vectors;
use crate::math::gamma;

/// A floating-point scalar: `f64` or `f32`, and nothing else.
///
/// The functions down to `normal_cdf` are branch-free and inline, so that LLVM vectorises a loop over them;
/// edge values (infinities, NaN, subnormals) come out as in IEEE arithmetic.
pub trait Real:
    FromWords
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + Sum
    + 'static
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + GemmRaw
    + Vectors
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// The smallest positive normal number.
    const LEAST_POSITIVE: Self;

    /// Rounds from f64.
    fn from_f64(x: f64) -> Self;
    /// Widens to f64.
    fn to_f64(self) -> f64;
    /// Returns `a` where the mask holds, else `b`; both are evaluated.
    fn select(mask: bool, a: Self, b: Self) -> Self;

    /// Returns the absolute value.
    fn abs(self) -> Self;
    /// Returns the square root.
    fn sqrt(self) -> Self;
    /// Returns the largest integer not above.
    fn floor(self) -> Self;
    /// Returns the larger; a NaN in either gives NaN.
    fn max(self, other: Self) -> Self;
    /// Returns the smaller; a NaN in either gives NaN.
    fn min(self, other: Self) -> Self;
    /// Returns whether this is NaN.
    fn is_nan(self) -> bool;
    /// Returns whether this is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// Returns eˣ.
    fn exp(self) -> Self;
    /// Returns eˣ − 1, exact for small x.
    fn exp_m1(self) -> Self;
    /// Returns the natural logarithm.
    fn ln(self) -> Self;
    /// Returns ln(1 + x), exact for small x.
    fn ln_1p(self) -> Self;
    /// Returns the sine.
    fn sin(self) -> Self;
    /// Returns the cosine.
    fn cos(self) -> Self;
    /// Returns the hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Returns the logistic function 1 / (1 + e⁻ˣ).
    fn sigmoid(self) -> Self;
    /// Returns ln(1 + eˣ) without overflow.
    fn softplus(self) -> Self;
    /// Returns −ln(1 + e⁻ˣ), the logarithm of the logistic function, without overflow.
    fn log_sigmoid(self) -> Self;
    /// Returns the error function.
    fn erf(self) -> Self;
    /// Returns the distribution function of the standard normal, also where it is tiny.
    fn normal_cdf(self) -> Self;

    /// Returns xʸ.
    fn powf(self, y: Self) -> Self;
    /// Returns ln Γ(x).
    fn ln_gamma(self) -> Self;
    /// Returns the derivative of ln Γ(x).
    fn digamma(self) -> Self;
    /// Returns the second derivative of ln Γ(x).
    fn trigamma(self) -> Self;
}

macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const LEAST_POSITIVE: Self = $t::MIN_POSITIVE;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $t::floor(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other || self.is_nan() {
                    self
                } else {
                    other
                }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other || self.is_nan() {
                    self
                } else {
                    other
                }
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self != self
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::abs(self) < $t::INFINITY
            }
            #[inline(always)]
            fn exp(self) -> Self {
                poly::exp::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                poly::exp::exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                poly::ln::ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                poly::ln::ln_1p(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                poly::trig::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                poly::trig::cos(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                poly::exp::tanh(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                poly::logistic::sigmoid(self)
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                poly::logistic::softplus(self)
            }
            #[inline(always)]
            fn log_sigmoid(self) -> Self {
                poly::logistic::log_sigmoid(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                poly::erf::erf(self)
            }
            #[inline(always)]
            fn normal_cdf(self) -> Self {
                poly::erf::normal_cdf(self)
            }
            #[inline(always)]
            fn powf(self, y: Self) -> Self {
                $t::powf(self, y)
            }
            fn ln_gamma(self) -> Self {
                gamma::ln_gamma(self as f64) as $t
            }
            fn digamma(self) -> Self {
                gamma::digamma(self as f64) as $t
            }
            fn trigamma(self) -> Self {
                gamma::trigamma(self as f64) as $t
            }
        }
    };
}

real!(f64);
real!(f32);

/// Overwrites `out` with `values`, or adds them where `overwrite` is false: the two ways in which an adjoint is written.
#[inline(always)]
pub(crate) fn write<F: Real>(out: &mut [F], values: impl Iterator<Item = F>, overwrite: bool) {
    if overwrite {
        for (out, value) in out.iter_mut().zip(values) {
            *out = value;
        }
    } else {
        for (out, value) in out.iter_mut().zip(values) {
            *out += value;
        }
    }
}
