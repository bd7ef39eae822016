//! The natural logarithm of x and of 1 + x.

use super::float::{Float, polynomial};

/// The constants of the logarithm for one type.
pub trait LnTable: Float {
    /// A power of two that lifts subnormal numbers into the normal ones, and its exponent.
    const LIFT: (Self, Self);
    /// Where 1 + x = x.
    const HUGE: Self;
    /// Where x² / 2 is lost beside x.
    const TINY: Self;

    /// Returns ln(1 + f) − f + h for f in [√½ − 1, √2 − 1] and h = f² / 2.
    fn ln_tail(self, h: Self) -> Self;
}

impl LnTable for f64 {
    const LIFT: (f64, f64) = (18014398509481984.0, 54.0);
    const HUGE: f64 = 1e17;
    const TINY: f64 = 1e-17;

    /// With s = f / (2 + f), ln(1 + f) = 2 s + s³ P(s²) = f − h + s (h + s² P(s²)); its relative error is 1.3e-18.
    #[inline(always)]
    fn ln_tail(self, h: f64) -> f64 {
        let s = self / (2.0 + self);
        let z = s * s;
        let c = [
            0.6666666666666734,
            0.3999999999941432,
            0.28571428742474725,
            0.22222198563497952,
            0.18183564866130153,
            0.15314035847070787,
            0.1479610534055418,
        ];
        s * (h + z * polynomial(z, c))
    }
}

impl LnTable for f32 {
    const LIFT: (f32, f32) = (33554432.0, 25.0);
    const HUGE: f32 = 1e9;
    const TINY: f32 = 1e-8;

    /// f³ P(f); the relative error of the logarithm is 5.9e-9.
    #[inline(always)]
    fn ln_tail(self, h: f32) -> f32 {
        let c = [
            3.3333316e-01,
            -2.500081e-01,
            2.0002288e-01,
            -1.6624556e-01,
            1.4181168e-01,
            -1.3128714e-01,
            1.2881778e-01,
            -7.8598596e-02,
        ];
        (h + h) * self * polynomial(self, c)
    }
}

/// Returns k ln 2 + ln(1 + f) for f in [√½ − 1, √2 − 1].
#[inline(always)]
fn assemble<F: LnTable>(k: F, f: F) -> F {
    let h = F::from_f64(0.5) * f * f;
    k * F::LN_2.0 + (f - (h - (f.ln_tail(h) + k * F::LN_2.1)))
}

/// Returns `value` for a finite positive x, and the limits of the logarithm elsewhere.
#[inline(always)]
fn with_edges<F: LnTable>(x: F, value: F) -> F {
    let value = F::select(x < F::INFINITY, value, x);
    F::select(x > F::ZERO, value, F::select(x == F::ZERO, -F::INFINITY, F::NAN))
}

/// Returns ln x for a normal positive x.
#[inline(always)]
pub fn ln_normal<F: LnTable>(x: F) -> F {
    let (k, m, _) = x.split();
    assemble(k, m - F::ONE)
}

/// Returns ln x.
#[inline(always)]
pub fn ln<F: LnTable>(x: F) -> F {
    let small = x < F::MIN_POSITIVE;
    let (k, m, _) = F::select(small, x * F::LIFT.0, x).split();
    let k = k - F::select(small, F::LIFT.1, F::ZERO);
    with_edges(x, assemble(k, m - F::ONE))
}

/// Returns ln(1 + x): of the rounded sum u, corrected by the rounding error of u.
#[inline(always)]
pub fn ln_1p<F: LnTable>(x: F) -> F {
    let u = F::ONE + x;
    let (k, m, inverse) = u.split();
    // The exact error of a rounded sum (Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B).
    let part = u - F::ONE;
    let error = (F::ONE - (u - part)) + (x - part);
    let f = (m - F::ONE) + F::select(x < F::HUGE, error * inverse, F::ZERO);
    F::select(x.abs() < F::TINY, x, with_edges(u, assemble(k, f)))
}

/// Returns ln(1 + x) for x in [0, 1].
#[inline(always)]
pub fn ln_1p_unit<F: LnTable>(x: F) -> F {
    let upper = x > F::from_f64(std::f64::consts::SQRT_2 - 1.0);
    let k = F::select(upper, F::ONE, F::ZERO);
    assemble(k, F::select(upper, (x - F::ONE) * F::from_f64(0.5), x))
}

#[cfg(test)]
mod tests {
    use crate::kernels::poly::check::{edges, law};

    law!(
        ln,
        f64::ln,
        [(1e-300, 1e-2), (0.3, 3.0), (0.999, 1.001), (1.0, 1e30)],
        1.6,
        1.1
    );
    law!(ln_1p, f64::ln_1p, [(-0.999, 3.0), (-1e-6, 1e-6), (1.0, 1e30)], 2.0, 1.5);

    const INF: f64 = f64::INFINITY;

    edges! { ln_at_its_edges, ln, f64: [(INF, INF), (-INF, f64::NAN), (f64::NAN, f64::NAN), (0.0, -INF), (-0.0, -INF),
    (-1.0, f64::NAN), (1.0, 0.0), (5e-324, -744.4400719213812), (1e-310, -713.8013788281542),
    (f64::MIN_POSITIVE, -708.3964185322641), (f64::MAX, 709.782712893384)] }
    edges! { ln_at_its_edges_in_f32, ln, f32: [(f32::INFINITY, f32::INFINITY), (-1.0, f32::NAN), (f32::NAN, f32::NAN),
    (-0.0, -f32::INFINITY), (1.0, 0.0), (1e-45, -103.27893), (1e-40, -92.10340), (f32::MAX, 88.72284)] }
    edges! { ln_1p_at_its_edges, ln_1p, f64: [(INF, INF), (-INF, f64::NAN), (f64::NAN, f64::NAN), (0.0, 0.0),
    (-0.0, -0.0), (-1.0, -INF), (-1.5, f64::NAN), (-0.9999999999999999, -36.7368005696771), (5e-324, 5e-324),
    (-1e-310, -1e-310), (f64::MAX, 709.782712893384), (1e16, 36.841361487904734), (1e20, 46.051701859880914)] }
    edges! { ln_1p_at_its_edges_in_f32, ln_1p, f32: [(f32::INFINITY, f32::INFINITY), (-1.0, -f32::INFINITY),
    (-2.0, f32::NAN), (f32::NAN, f32::NAN), (-0.0, -0.0), (-0.99999994, -16.635532), (1e-45, 1e-45),
    (f32::MAX, 88.72284)] }
}
