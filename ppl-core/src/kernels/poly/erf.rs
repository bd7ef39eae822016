//! The error function: x P(x²) up to one, and 1 − erfc beyond.

use super::exp::exp;
use super::float::{Float, polynomial};
use crate::math::erf::{ERFCX_NEAR, ERFCX_TAIL};
use crate::math::rational::Rational;

/// The polynomials of the error function for one type.
pub trait ErfTable: Float {
    /// Returns erf(x) / x for z = x² ≤ 1.
    fn erf_over_x(z: Self) -> Self;
    /// Returns 1 − erf(x) for 1 ≤ x, with an error below half a unit of the last place of one.
    fn erfc(self) -> Self;
}

impl ErfTable for f64 {
    /// The relative error is 7.3e-18.
    #[inline(always)]
    fn erf_over_x(z: f64) -> f64 {
        let c = [
            std::f64::consts::FRAC_2_SQRT_PI,
            -0.3761263890318352,
            0.112837916709442,
            -0.026866170643113394,
            0.005223977606130813,
            -0.0008548325929766059,
            0.00012055293586936385,
            -1.4924712439533532e-05,
            1.6447132699784248e-06,
            -1.6206318752965553e-07,
            1.371098870418608e-08,
            -7.779462971758347e-10,
        ];
        polynomial(z, c)
    }

    /// e^(−x²) P(1 / (x + 2)), fitted on [1, 6]; the error is 2.5e-17.
    #[inline(always)]
    fn erfc(self) -> f64 {
        let c = [
            2.85617785062441e-05,
            0.5629442736124276,
            1.1528710811539817,
            1.6890190366006324,
            5.000088125366666,
            -8.58197240784486,
            38.81194696811033,
            -92.15236745981507,
            73.14779101100464,
            40.42846610027474,
            -103.19313330147298,
            50.01298370594003,
        ];
        let x = if self > 6.0 { 6.0 } else { self };
        exp(-(x * x)) * polynomial(1.0 / (x + 2.0), c)
    }
}

impl ErfTable for f32 {
    /// The relative error is 1.2e-9.
    #[inline(always)]
    fn erf_over_x(z: f32) -> f32 {
        let c = [
            std::f32::consts::FRAC_2_SQRT_PI,
            -3.7612626e-01,
            1.12835854e-01,
            -2.6853811e-02,
            5.1883245e-03,
            -8.0101454e-04,
            7.853655e-05,
        ];
        polynomial(z, c)
    }

    /// e^P(x), fitted on [1, 4]; the error is 1.0e-9.
    #[inline(always)]
    fn erfc(self) -> f32 {
        let c = [
            -3.5374027e-04,
            -1.1270399e+00,
            -6.382258e-01,
            -1.03037246e-01,
            2.180526e-02,
            -2.939593e-03,
            1.8557259e-04,
        ];
        let x = if self > 4.0 { 4.0 } else { self };
        exp(polynomial(x, c))
    }
}

/// Returns erf x = (2 / √π) ∫₀ˣ e^(−t²) dt.
#[inline(always)]
pub fn erf<F: ErfTable>(x: F) -> F {
    let size = x.abs();
    let outer = (F::ONE - size.erfc()).copysign(x);
    F::select(size > F::ONE, outer, x * F::erf_over_x(x * x))
}

/// Returns Φ(x), which for x < 0 is e^(−x²/2) erfcx(−x / √2) / 2: it falls with the exponential.
#[inline(always)]
pub fn normal_cdf<F: ErfTable>(x: F) -> F {
    let size = x.abs() * F::from_f64(std::f64::consts::FRAC_1_SQRT_2);
    let w = F::ONE / size;
    let near = rational(&ERFCX_NEAR, size);
    let far = w * rational(&ERFCX_TAIL, w * w);
    let half = F::from_f64(0.5);
    let tail = half * (-(half * x * x)).exp() * F::select(size < F::from_f64(2.0), near, far);
    F::select(x < F::ZERO, tail, F::ONE - tail)
}

#[inline(always)]
fn rational<F: Float, const N: usize>(r: &Rational<N>, z: F) -> F {
    let at = |c: [f64; N]| polynomial(z, c.map(F::from_f64));
    at(r.num) / at(r.den)
}

#[cfg(test)]
mod tests {
    use crate::kernels::poly::check::{edges, law};

    law!(
        normal_cdf,
        crate::math::erf::ndtr,
        [(-3.0, 9.0), (-1.5, 1.5), (-1e-6, 1e-6)],
        16.0,
        16.0
    );
    law!(erf, libm::erf, [(-7.0, 7.0), (-1.5, 1.5), (-1e-6, 1e-6)], 3.5, 3.5);

    edges! { erf_at_its_edges, erf, f64: [(f64::INFINITY, 1.0), (-f64::INFINITY, -1.0), (f64::NAN, f64::NAN),
    (0.0, 0.0), (-0.0, -0.0), (1e-320, 1.1284e-320), (30.0, 1.0), (-1e300, -1.0)] }
    edges! { erf_at_its_edges_in_f32, erf, f32: [(f32::INFINITY, 1.0), (-f32::INFINITY, -1.0), (f32::NAN, f32::NAN),
    (-0.0, -0.0), (5.0, 1.0), (1e-40, 1.12837e-40)] }
}
