//! eˣ, eˣ − 1 and the hyperbolic tangent.

use super::float::{Float, polynomial};

/// The constants of eˣ for one type.
pub trait ExpTable: Float {
    /// Below it eˣ rounds to zero.
    const LOWEST: Self;
    /// Above it eˣ rounds to infinity.
    const HIGHEST: Self;
    /// At and below the negative of it eˣ − 1 rounds to −1, and tanh of half of it rounds to one.
    const SATURATED: Self;
    /// Where x² / 2 is lost beside x.
    const TINY: Self;

    /// Returns (eʳ − 1 − r) / r² for |r| ≤ ln(2) / 2.
    fn exp_tail(self) -> Self;
}

impl ExpTable for f64 {
    const LOWEST: f64 = -746.0;
    const HIGHEST: f64 = 710.0;
    const SATURATED: f64 = 40.0;
    const TINY: f64 = 1e-17;

    /// The relative error of eʳ is 3.4e-18.
    #[inline(always)]
    fn exp_tail(self) -> f64 {
        let c = [
            0.5000000000000012,
            0.166666666666667,
            0.041666666666515535,
            0.008333333333307123,
            0.0013888888946993576,
            0.00019841269917527402,
            2.4801489957628324e-05,
            2.755721619457092e-06,
            2.763127701928011e-07,
            2.5117889408581885e-08,
        ];
        polynomial(self, c)
    }
}

impl ExpTable for f32 {
    const LOWEST: f32 = -104.0;
    const HIGHEST: f32 = 89.0;
    const SATURATED: f32 = 20.0;
    const TINY: f32 = 1e-8;

    /// The relative error of eʳ is 3.1e-9.
    #[inline(always)]
    fn exp_tail(self) -> f32 {
        polynomial(self, [0.5, 1.6666518e-01, 4.1666206e-02, 8.36889e-03, 1.395049e-03])
    }
}

/// Returns (n + `ROUND`, r, ρ) with x = n ln 2 + r + ρ, |r| ≤ ln(2) / 2 and ρ the rounding error of r.
#[inline(always)]
fn reduce<F: ExpTable>(x: F) -> (F, F, F) {
    let shifted = x * F::from_f64(std::f64::consts::LOG2_E) + F::ROUND;
    let n = shifted - F::ROUND;
    let high = x - n * F::LN_2.0;
    let low = n * F::LN_2.1;
    let r = high - low;
    (shifted, r, (high - r) - low)
}

/// Returns eˣ: 2ⁿ eʳ, the power in two factors because it may leave the normal numbers when eˣ does not.
#[inline(always)]
pub fn exp<F: ExpTable>(x: F) -> F {
    let x = F::select(x > F::HIGHEST, F::HIGHEST, x);
    let x = F::select(x < F::LOWEST, F::LOWEST, x);
    let (shifted, r, _) = reduce(x);
    let (first, second) = F::exp2_halves(shifted);
    ((r * r * r.exp_tail() + r) + F::ONE) * first * second
}

/// Returns eˣ − 1 = 2ⁿ (eʳ − 1) + (2ⁿ − 1), where r keeps its rounding error because n = 1 doubles it.
#[inline(always)]
pub fn exp_m1<F: ExpTable>(x: F) -> F {
    let clamped = F::select(x > F::HIGHEST, F::HIGHEST, x);
    let clamped = F::select(clamped < -F::SATURATED, -F::SATURATED, clamped);
    let (shifted, r, rounding) = reduce(clamped);
    let tail = r + (r * r * r.exp_tail() + rounding);
    // Half of 2ⁿ, which is a normal number when 2ⁿ overflows.
    let half = F::exp2_shifted(shifted - F::ONE);
    let value = (tail * half + (half - F::from_f64(0.5))) * F::from_f64(2.0);
    F::select(x.abs() < F::TINY, x, value)
}

/// Returns tanh x = t / (t + 2) with t = e^(2 |x|) − 1, and the sign of x.
#[inline(always)]
pub fn tanh<F: ExpTable>(x: F) -> F {
    let double = x.abs() + x.abs();
    let double = F::select(double > F::SATURATED, F::SATURATED, double);
    let (shifted, r, _) = reduce(double);
    let power = F::exp2_shifted(shifted);
    let t = (r * r * r.exp_tail() + r) * power + (power - F::ONE);
    (t / (t + F::from_f64(2.0))).copysign(x)
}

#[cfg(test)]
mod tests {
    use crate::kernels::poly::check::{edges, law};

    law!(exp, f64::exp, [(-745.0, 709.7), (-1.0, 1.0)], 1.6, 1.1);
    law!(
        exp_m1,
        f64::exp_m1,
        [(-50.0, 709.7), (-2.0, 2.0), (-1e-6, 1e-6)],
        2.0,
        2.0
    );
    law!(tanh, f64::tanh, [(-25.0, 25.0), (-1.0, 1.0), (-1e-6, 1e-6)], 3.5, 2.5);

    #[test]
    fn exp_m1_carries_the_rounding_of_its_reduction() {
        // Without it the result is off by two units of the last place, the widest on a grid around ln(2) / 2.
        let got = crate::kernels::real::Real::exp_m1(0.36564631540532966_f64);
        let want = 0.4414453354774571_f64;
        assert!(
            (got - want).abs() <= want * f64::EPSILON / 2.0,
            "{got:?} against {want:?}"
        );
    }

    const INF: f64 = f64::INFINITY;

    edges! { exp_at_its_edges, exp, f64: [(INF, INF), (-INF, 0.0), (f64::NAN, f64::NAN), (0.0, 1.0), (-0.0, 1.0),
    (5e-324, 1.0), (709.782712893384, f64::MAX * 0.9999999999999), (709.7827128933841, INF), (1e300, INF),
    (-745.1332191019411, 5e-324), (-745.13321910194122, 0.0), (-708.5, 2.006132305331306e-308), (-1e300, 0.0)] }
    edges! { exp_at_its_edges_in_f32, exp, f32: [(f32::INFINITY, f32::INFINITY), (-f32::INFINITY, 0.0),
    (f32::NAN, f32::NAN), (-0.0, 1.0), (88.72283, 3.4027985e38), (88.72284, f32::INFINITY), (-103.97208, 1e-45), (-103.972084, 0.0),
    (-87.5, 9.982351e-39)] }
    edges! { exp_m1_at_its_edges, exp_m1, f64: [(INF, INF), (-INF, -1.0), (f64::NAN, f64::NAN), (0.0, 0.0),
    (-0.0, -0.0), (5e-324, 5e-324), (-1e-310, -1e-310), (710.0, INF), (-1e300, -1.0), (-800.0, -1.0)] }
    edges! { exp_m1_at_its_edges_in_f32, exp_m1, f32: [(f32::INFINITY, f32::INFINITY), (-f32::INFINITY, -1.0),
    (f32::NAN, f32::NAN), (-0.0, -0.0), (1e-45, 1e-45), (89.0, f32::INFINITY)] }
    edges! { tanh_at_its_edges, tanh, f64: [(INF, 1.0), (-INF, -1.0), (f64::NAN, f64::NAN), (0.0, 0.0), (-0.0, -0.0),
    (5e-324, 5e-324), (-1e-310, -1e-310), (1e300, 1.0), (-20.0, -1.0)] }
    edges! { tanh_at_its_edges_in_f32, tanh, f32: [(f32::INFINITY, 1.0), (-f32::INFINITY, -1.0), (f32::NAN, f32::NAN),
    (-0.0, -0.0), (1e-45, 1e-45), (10.0, 1.0)] }
}
