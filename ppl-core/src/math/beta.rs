//! The logarithm of the beta function and of the binomial coefficient, with the beta function's derivatives.

use super::gamma::{HALF_LN_2PI, digamma_difference, ln_gamma, ln_gamma_difference, stirlerr};

/// Returns ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b) for a, b > 0, without cancellation for large arguments.
///
/// ```
/// # use ppl_core::math::beta::ln_beta;
/// assert!((ln_beta(2.0, 3.0) + 12f64.ln()).abs() < 1e-15);
/// ```
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    if a < 2.0 {
        return ln_gamma(a) - ln_gamma_difference(b, a);
    }
    // Stirling's formula three times; the difference of the corrections is at most 1/12.
    let correction = stirlerr(a) + (stirlerr(b) - stirlerr(a + b));
    let leading = HALF_LN_2PI - 0.5 * b.ln() + correction;
    leading - (a - 0.5) * (b / a).ln_1p() - b * (a / b).ln_1p()
}

/// Returns the derivatives of [`ln_beta`] by a and by b: ψ(a) − ψ(a + b) and ψ(b) − ψ(a + b).
pub fn ln_beta_gradient(a: f64, b: f64) -> (f64, f64) {
    (-digamma_difference(a, b), -digamma_difference(b, a))
}

/// Returns ln(n choose k) for real 0 ≤ k ≤ n, and −∞ for k outside.
///
/// ```
/// # use ppl_core::math::beta::log_binomial;
/// assert!((log_binomial(10.0, 3.0) - 120f64.ln()).abs() < 1e-15);
/// ```
pub fn log_binomial(n: f64, k: f64) -> f64 {
    let k = k.min(n - k);
    if n.is_nan() || k.is_nan() {
        f64::NAN
    } else if k < 0.0 {
        f64::NEG_INFINITY
    } else if k == 0.0 {
        0.0
    } else if k < 2.0 {
        ln_gamma_difference(n - k + 1.0, k) - ln_gamma(k + 1.0)
    } else {
        // n! / (k! (n − k)!) by Stirling's formula, with m = n − k ≥ k.
        let m = n - k;
        let correction = stirlerr(n) - stirlerr(m) - stirlerr(k);
        let leading = correction - HALF_LN_2PI - 0.5 * k.ln();
        leading + k * (m / k).ln_1p() + (m + 0.5) * (k / m).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_coefficient_at_its_borders_is_exact() {
        assert_eq!(log_binomial(7.0, 0.0), 0.0);
        assert_eq!(log_binomial(7.0, 7.0), 0.0);
        assert_eq!(log_binomial(0.0, 0.0), 0.0);
        assert_eq!(log_binomial(7.0, 8.0), f64::NEG_INFINITY);
        assert_eq!(log_binomial(7.0, -1.0), f64::NEG_INFINITY);
        assert!(log_binomial(f64::NAN, 0.0).is_nan());
    }

    #[test]
    fn beta_function_is_symmetric() {
        assert_eq!(ln_beta(0.3, 40.0), ln_beta(40.0, 0.3));
        assert_eq!(ln_beta_gradient(0.3, 40.0).0, ln_beta_gradient(40.0, 0.3).1);
    }
}
