//! Sine and cosine, reduced to the nearest multiple of π / 2 by Cody and Waite's method.
//!
//! The reduction is exact to the last bits for |x| ≤ 10⁸. Farther out the result is the sine of a number within a few
//! units of the last place of x, and from 2⁵⁰ on that of zero with the sign of x.

use super::float::{Float, polynomial};

/// The polynomials of sine and cosine for one type.
pub trait TrigTable: Float {
    /// Returns (r, shifted) with r = x − n π / 2, |r| ≤ π / 4, and n in the lowest bits of `shifted`.
    fn reduce(self) -> (Self, u64);
    /// Returns sin r.
    fn sin_reduced(self) -> Self;
    /// Returns cos r.
    fn cos_reduced(self) -> Self;
    /// Returns −`self` where bit 1 of `quadrant` is set.
    fn negate_in(self, quadrant: u64) -> Self;
}

/// Returns (x − n π / 2, bits with n at their end); π / 2 is split in 26, 26, 26 and 53 bits, n has at most 27.
#[inline(always)]
fn reduce(x: f64) -> (f64, u64) {
    const HALF_PI: [f64; 4] = [
        1.5707963109016418,
        1.5893254712295857e-08,
        6.123233932053594e-17,
        6.36831716351095e-25,
    ];
    let x = if x.abs() < (1u64 << 50) as f64 { x } else { x * 0.0 };
    let shifted = x * std::f64::consts::FRAC_2_PI + f64::ROUND;
    let n = shifted - f64::ROUND;
    let r = ((x - n * HALF_PI[0]) - n * HALF_PI[1]) - n * HALF_PI[2] - n * HALF_PI[3];
    (r, shifted.to_bits())
}

impl TrigTable for f64 {
    #[inline(always)]
    fn reduce(self) -> (f64, u64) {
        reduce(self)
    }

    /// The relative error is 3.4e-18.
    #[inline(always)]
    fn sin_reduced(self) -> f64 {
        let z = self * self;
        let c = [
            -0.16666666666666632,
            0.008333333333322413,
            -0.00019841269829807837,
            2.7557313691927664e-06,
            -2.5050758116639712e-08,
            1.5896795725102628e-10,
        ];
        self * (1.0 + z * polynomial(z, c))
    }

    /// The error is 4.7e-20.
    #[inline(always)]
    fn cos_reduced(self) -> f64 {
        let z = self * self;
        let c = [
            0.0416666666666666,
            -0.001388888888887413,
            2.480158728948439e-05,
            -2.755731435278237e-07,
            2.0875723316021817e-09,
            -1.1359649325333952e-11,
        ];
        1.0 + (z * z * polynomial(z, c) - 0.5 * z)
    }

    #[inline(always)]
    fn negate_in(self, quadrant: u64) -> f64 {
        f64::from_bits(self.to_bits() ^ ((quadrant & 2) << 62))
    }
}

impl TrigTable for f32 {
    /// The reduction of an f32 is done in f64.
    #[inline(always)]
    fn reduce(self) -> (f32, u64) {
        let (r, bits) = reduce(self as f64);
        (r as f32, bits)
    }

    /// The relative error is 3.6e-9.
    #[inline(always)]
    fn sin_reduced(self) -> f32 {
        let z = self * self;
        self * (1.0 + z * polynomial(z, [-1.6666655e-01, 8.332178e-03, -1.951723e-04]))
    }

    /// The error is 9.6e-11.
    #[inline(always)]
    fn cos_reduced(self) -> f32 {
        let z = self * self;
        1.0 + (z * z * polynomial(z, [4.1666646e-02, -1.3887368e-03, 2.4438408e-05]) - 0.5 * z)
    }

    #[inline(always)]
    fn negate_in(self, quadrant: u64) -> f32 {
        f32::from_bits(self.to_bits() ^ ((quadrant as u32 & 2) << 30))
    }
}

/// Returns sin x.
#[inline(always)]
pub fn sin<F: TrigTable>(x: F) -> F {
    let (r, quadrant) = x.reduce();
    F::select(quadrant & 1 == 0, r.sin_reduced(), r.cos_reduced()).negate_in(quadrant)
}

/// Returns cos x = sin(x + π / 2).
#[inline(always)]
pub fn cos<F: TrigTable>(x: F) -> F {
    let (r, quadrant) = x.reduce();
    F::select(quadrant & 1 == 0, r.cos_reduced(), r.sin_reduced()).negate_in(quadrant.wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use crate::kernels::poly::check::{edges, law};
    use crate::kernels::real::Real;

    law!(
        sin,
        f64::sin,
        [(-7.0, 7.0), (-1e5, 1e5), (-1e8, 1e8), (-1e-6, 1e-6)],
        3.0,
        2.5
    );
    law!(
        cos,
        f64::cos,
        [(-7.0, 7.0), (-1e5, 1e5), (-1e8, 1e8), (-1e-6, 1e-6)],
        3.0,
        2.5
    );

    const INF: f64 = f64::INFINITY;

    edges! { sin_at_its_edges, sin, f64: [(INF, f64::NAN), (-INF, f64::NAN), (f64::NAN, f64::NAN), (0.0, 0.0),
    (-0.0, -0.0), (5e-324, 5e-324), (std::f64::consts::PI, 1.2246467991473532e-16), (-1e20, -0.0)] }
    edges! { sin_at_its_edges_in_f32, sin, f32: [(f32::INFINITY, f32::NAN), (f32::NAN, f32::NAN), (-0.0, -0.0),
    (1e-45, 1e-45), (std::f32::consts::PI, -8.742278e-8)] }
    edges! { cos_at_its_edges, cos, f64: [(INF, f64::NAN), (-INF, f64::NAN), (f64::NAN, f64::NAN), (-0.0, 1.0),
    (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17), (1e20, 1.0)] }

    #[test]
    fn far_arguments_are_off_by_a_few_of_their_own_last_places() {
        for i in 0..10_000 {
            let x = 1e9 * (1.0 + i as f64 * 37.5);
            let tolerance = 4.0 * x * f64::EPSILON;
            assert!((Real::sin(x) - f64::sin(x)).abs() <= tolerance, "sin {x}");
            assert!((Real::cos(x) - f64::cos(x)).abs() <= tolerance, "cos {x}");
        }
    }
}
