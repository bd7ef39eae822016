//! Distribution functions of standardised distributions: the mass between two points and the quantiles there.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use crate::math::erf::{erf, log_ndtr, log_ndtr_derivative, ndtri};
use crate::math::gamma::HALF_LN_2PI;
use crate::math::logspace::{log_add_exp, log_sub_exp, log1mexp};

/// A standardised distribution with a distribution function G in closed form.
pub trait StandardCdf: 'static {
    /// The name of the operation ln(G(b) − G(a)).
    const LOG_MASS: &'static str;
    /// The name of the operation that inverts G between two points.
    const QUANTILE: &'static str;

    /// Returns the log density.
    fn log_density(z: f64) -> f64;

    /// Returns ln(G(b) − G(a)), NaN where a > b.
    fn log_mass(a: f64, b: f64) -> f64;

    /// Returns the z with G(z) = (1 − u) G(a) + u G(b).
    fn quantile(u: f64, a: f64, b: f64) -> f64;
}

/// The normal distribution.
pub struct NormalCdf;

impl StandardCdf for NormalCdf {
    const LOG_MASS: &'static str = "normal_log_mass";
    const QUANTILE: &'static str = "normal_quantile";

    fn log_density(z: f64) -> f64 {
        -0.5 * z * z - HALF_LN_2PI
    }

    fn log_mass(a: f64, b: f64) -> f64 {
        if a > 0.0 {
            log_sub_exp(log_ndtr(-a), log_ndtr(-b))
        } else if b < 0.0 {
            log_sub_exp(log_ndtr(b), log_ndtr(a))
        } else {
            (0.5 * (erf(b * FRAC_1_SQRT_2) - erf(a * FRAC_1_SQRT_2))).ln()
        }
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        if a > 0.0 {
            return -Self::quantile(1.0 - u, -b, -a);
        }
        let target = log_add_exp((1.0 - u).ln() + log_ndtr(a), u.ln() + log_ndtr(b));
        if target > -600.0 {
            return ndtri(target.exp());
        }
        // Newton's method on ln Φ, which is nearly a parabola there.
        let mut z = -(-2.0 * target).sqrt();
        for _ in 0..6 {
            z -= (log_ndtr(z) - target) / log_ndtr_derivative(z);
        }
        z
    }
}

/// The Cauchy distribution.
pub struct CauchyCdf;

/// Returns atan b − atan a for a ≤ b.
fn angle(a: f64, b: f64) -> f64 {
    if a > b {
        f64::NAN
    } else if a == f64::NEG_INFINITY {
        f64::atan2(1.0, -b)
    } else if b == f64::INFINITY {
        f64::atan2(1.0, a)
    } else {
        f64::atan2(b - a, 1.0 + a * b)
    }
}

impl StandardCdf for CauchyCdf {
    const LOG_MASS: &'static str = "cauchy_log_mass";
    const QUANTILE: &'static str = "cauchy_quantile";

    fn log_density(z: f64) -> f64 {
        -PI.ln() - 2.0 * f64::hypot(1.0, z).ln()
    }

    fn log_mass(a: f64, b: f64) -> f64 {
        (angle(a, b) / PI).ln()
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        if a + b > 0.0 {
            // The angle from the right end keeps the digits of the tail.
            1.0 / (angle(b, f64::INFINITY) + (1.0 - u) * angle(a, b)).tan()
        } else {
            -1.0 / (angle(f64::NEG_INFINITY, a) + u * angle(a, b)).tan()
        }
    }
}

/// The Laplace distribution.
pub struct LaplaceCdf;

impl StandardCdf for LaplaceCdf {
    const LOG_MASS: &'static str = "laplace_log_mass";
    const QUANTILE: &'static str = "laplace_quantile";

    fn log_density(z: f64) -> f64 {
        -z.abs() - LN_2
    }

    fn log_mass(a: f64, b: f64) -> f64 {
        if a > b {
            f64::NAN
        } else if b <= 0.0 {
            b - LN_2 + log1mexp(b - a)
        } else if a >= 0.0 {
            Self::log_mass(-b, -a)
        } else {
            (-0.5 * (a.exp_m1() + (-b).exp_m1())).ln()
        }
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        if a >= 0.0 {
            return -Self::quantile(1.0 - u, -b, -a);
        }
        if b <= 0.0 {
            return log_add_exp((1.0 - u).ln() + a, u.ln() + b);
        }
        let (left, right) = (0.5 * a.exp(), 0.5 * (-b).exp());
        let mass = -0.5 * (a.exp_m1() + (-b).exp_m1());
        let below = left + u * mass;
        if below < 0.5 {
            (2.0 * below).ln()
        } else {
            -(2.0 * (right + (1.0 - u) * mass)).ln()
        }
    }
}

/// The exponential distribution.
pub struct ExponentialCdf;

impl StandardCdf for ExponentialCdf {
    const LOG_MASS: &'static str = "exponential_log_mass";
    const QUANTILE: &'static str = "exponential_quantile";

    fn log_density(z: f64) -> f64 {
        if z < 0.0 { f64::NEG_INFINITY } else { -z }
    }

    fn log_mass(a: f64, b: f64) -> f64 {
        if a > b {
            return f64::NAN;
        }
        let (a, b) = (a.max(0.0), b.max(0.0));
        -a + log1mexp(b - a)
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        let (a, b) = (a.max(0.0), b.max(0.0));
        -log_add_exp((1.0 - u).ln() - a, u.ln() - b)
    }
}

/// The uniform distribution between zero and one.
pub struct UniformCdf;

impl StandardCdf for UniformCdf {
    const LOG_MASS: &'static str = "uniform_log_mass";
    const QUANTILE: &'static str = "uniform_quantile";

    fn log_density(z: f64) -> f64 {
        if (0.0..=1.0).contains(&z) {
            0.0
        } else {
            f64::NEG_INFINITY
        }
    }

    fn log_mass(a: f64, b: f64) -> f64 {
        if a > b {
            f64::NAN
        } else {
            (b.clamp(0.0, 1.0) - a.clamp(0.0, 1.0)).ln()
        }
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        (1.0 - u) * a.clamp(0.0, 1.0) + u * b.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that quantiles invert masses, in the middle and in both tails.
    fn quantiles_invert_masses<C: StandardCdf>(intervals: &[(f64, f64)]) {
        for &(a, b) in intervals {
            for u in [1e-9, 0.25, 0.5, 0.999] {
                let z = C::quantile(u, a, b);
                let share = (C::log_mass(a, z) - C::log_mass(a, b)).exp();
                assert!(
                    (share - u).abs() < 1e-9,
                    "between {a} and {b} at {u}: z = {z}, share {share}"
                );
            }
        }
        assert!(C::log_mass(0.75, 0.25).is_nan());
    }

    #[test]
    fn quantiles_are_inverse() {
        let inf = f64::INFINITY;
        let lines = [
            (-1.0, 2.0),
            (-inf, inf),
            (3.0, inf),
            (-inf, -2.5),
            (0.25, 0.5),
            (-0.5, -0.25),
            (6.0, 7.0),
        ];
        quantiles_invert_masses::<NormalCdf>(&lines);
        quantiles_invert_masses::<NormalCdf>(&[(40.0, inf), (40.0, 41.0), (-60.0, -50.0)]);
        quantiles_invert_masses::<CauchyCdf>(&lines);
        quantiles_invert_masses::<LaplaceCdf>(&lines);
        quantiles_invert_masses::<ExponentialCdf>(&[(0.5, 2.0), (-1.0, inf), (30.0, inf)]);
        quantiles_invert_masses::<UniformCdf>(&[(0.25, 0.5), (-1.0, 2.0)]);
    }

    #[test]
    fn masses_agree_with_closed_forms() {
        // Φ(1) − Φ(−1) and 1 − Φ(40) by mpmath: erf(1/sqrt(2)), log(erfc(40/sqrt(2))/2).
        assert!((NormalCdf::log_mass(-1.0, 1.0).exp() - 0.682_689_492_137_085_9).abs() < 1e-15);
        assert!((NormalCdf::log_mass(40.0, f64::INFINITY) + 804.608_442_013_754).abs() < 1e-11);
        assert!((CauchyCdf::log_mass(-1.0, 1.0) + LN_2).abs() < 1e-15);
        assert!((CauchyCdf::log_mass(1e9, f64::INFINITY) + (1e9 * PI).ln()).abs() < 1e-14);
        assert!((LaplaceCdf::log_mass(0.0, f64::INFINITY) + LN_2).abs() < 1e-15);
        assert_eq!(ExponentialCdf::log_mass(3.0, f64::INFINITY), -3.0);
        assert_eq!(UniformCdf::log_mass(0.25, 9.0), 0.75f64.ln());
    }
}
