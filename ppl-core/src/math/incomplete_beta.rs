//! The regularised incomplete beta function, the distribution function of Beta, Binomial and StudentT.
//!
//! A continued fraction times x^a (1 − x)^b / B(a, b), the factor in saddle-point form (Loader 2000).
//! The fraction takes about √max(a, b) steps near the mean. References: DLMF 8.17; TOMS 708.

use std::f64::consts::PI;

use super::gamma::{bd0_from_difference, ln_gamma, ln_gamma_difference, ln_gamma_growth, stirlerr};

/// The largest number of steps of the continued fraction; concentrations up to 10⁹ need fewer.
const MAX_STEPS: u32 = 500_000;

/// Returns I_x(a, b) = 1/B(a, b) ∫₀ˣ t^{a−1} (1 − t)^{b−1} dt for a, b > 0: P(X ≤ x) of X ~ Beta(a, b).
///
/// It is 0 for x ≤ 0, 1 for x ≥ 1, and NaN unless a and b are positive.
///
/// ```
/// # use ppl_core::math::incomplete_beta::beta_p;
/// assert!((beta_p(2.0, 3.0, 0.5) - 0.6875).abs() < 1e-15);
/// ```
pub fn beta_p(a: f64, b: f64, x: f64) -> f64 {
    probability(a, b, x, 1.0 - x)
}

/// Returns 1 − I_x(a, b) without cancellation: P(X > x) of X ~ Beta(a, b).
///
/// ```
/// # use ppl_core::math::incomplete_beta::beta_q;
/// assert!((beta_q(1.0, 3.0, 1.0 - 2f64.powi(-20)) / 2f64.powi(-60) - 1.0).abs() < 1e-14);
/// ```
pub fn beta_q(a: f64, b: f64, x: f64) -> f64 {
    probability(b, a, 1.0 - x, x)
}

/// Returns I_x(a, b), given x and y = 1 − x.
fn probability(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x <= (a + 1.0) / (a + b + 2.0) {
        return below_mean(a, b, x, y);
    }
    let complement = below_mean(b, a, y, x);
    if complement > 0.9 && b < 1.0 && a * y < 1.0 {
        return above_small_concentration(b, a, y, x);
    }
    1.0 - complement
}

/// Returns I_x(a, b) for x below about the mean, as the leading factor times the continued fraction.
fn below_mean(a: f64, b: f64, x: f64, y: f64) -> f64 {
    leading_factor(a, b, x, y) * continued_fraction(a, b, x, y)
}

/// Returns x^a y^b / B(a, b).
fn leading_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let (ln_x, ln_y) = (ln_of_part(x, y), ln_of_part(y, x));
    if a >= 2.0 && b >= 2.0 {
        let sum = a + b;
        let excess = b * x - a * y;
        let deviance = bd0_from_difference(a, sum * x, excess) + bd0_from_difference(b, sum * y, -excess);
        let correction = stirlerr(sum) - stirlerr(a) - stirlerr(b);
        (a / sum * b / (2.0 * PI)).sqrt() * (correction - deviance).exp()
    } else if b >= 2.0 {
        // Γ(a + b) / Γ(b) = b^a times a factor near one.
        a * (a * (b.ln() + ln_x) + b * ln_y + ln_gamma_growth(b, a) - ln_gamma(1.0 + a)).exp()
    } else if a >= 2.0 {
        b * (b * (a.ln() + ln_y) + a * ln_x + ln_gamma_growth(a, b) - ln_gamma(1.0 + b)).exp()
    } else {
        let (least, most) = if a <= b { (a, b) } else { (b, a) };
        least * (a * ln_x + b * ln_y + ln_gamma_difference(most, least) - ln_gamma(1.0 + least)).exp()
    }
}

/// Returns ln x, where y = 1 − x may hold digits that x near one has lost.
fn ln_of_part(x: f64, y: f64) -> f64 {
    if x <= 0.5 { x.ln() } else { (-y).ln_1p() }
}

/// Returns I_x(a, b) over the leading factor: the even part of the continued fraction DLMF 8.17.22, by Lentz's algorithm.
///
/// In the form of Didonato and Morris (1992), TOMS 708, which needs no 1 − x beside y: with λ = a y − b x the partial
/// numerators are (a+n−1)(a+b+n−1) n (b−n) x² / (a+2n−1)², the denominators
/// n + n (b−n) x / (a+2n−1) + (a+n)(λ + 1 + n (1+y)) / (a+2n+1).
fn continued_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lambda = a * y - b * x;
    let first = a * (lambda + 1.0) / (a + 1.0);
    let (mut c, mut d, mut value) = (first, 0.0, first);
    for n in 1..MAX_STEPS {
        let n = f64::from(n);
        let at = a + 2.0 * n;
        let common = n * (b - n) * x / (at - 1.0);
        let numerator = (a + n - 1.0) * (a + b + n - 1.0) * x / (at - 1.0) * common;
        let denominator = n + common + (a + n) * (lambda + 1.0 + n * (1.0 + y)) / (at + 1.0);
        d = 1.0 / (denominator + numerator * d);
        c = denominator + numerator / c;
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON / 2.0 {
            break;
        }
    }
    1.0 / value
}

/// Returns 1 − I_x(a, b) for a < 1 and b x < 1, where I may be so near to one that its complement is lost.
///
/// With L = ln(x^a / (a B(a, b))): 1 − I = −(e^L − 1) − a e^L Σ_{n≥1} (1 − b)ₙ xⁿ / (n! (a + n)).
fn above_small_concentration(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let log_power = a * ln_of_part(x, y) - ln_gamma_difference(1.0, a) + ln_gamma_difference(b, a);
    let (mut sum, mut term, mut n) = (0.0f64, 1.0f64, 0.0);
    while term.abs() > f64::EPSILON / 16.0 * sum.abs() && n < 10_000.0 {
        n += 1.0;
        term *= (n - b) * x / n;
        sum += term / (a + n);
    }
    -log_power.exp_m1() - a * log_power.exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_exact() {
        assert_eq!((beta_p(2.0, 3.0, 0.0), beta_p(2.0, 3.0, 1.0)), (0.0, 1.0));
        assert_eq!((beta_q(2.0, 3.0, 0.0), beta_q(2.0, 3.0, 1.0)), (1.0, 0.0));
        assert_eq!((beta_p(2.0, 3.0, -0.5), beta_p(2.0, 3.0, 1.5)), (0.0, 1.0));
        assert!(beta_p(0.0, 3.0, 0.5).is_nan() && beta_p(2.0, 3.0, f64::NAN).is_nan());
    }
}
