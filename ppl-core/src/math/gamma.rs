//! The logarithm of the gamma function, its derivatives, and differences of them that do not cancel.
//!
//! Beyond x = 2 everything is the leading part of Stirling's series in closed form plus a small tail,
//! a rational function of 1/x² (`tools/reference/rational_fits.py` makes the coefficients).
//! Differences are taken part by part, so that ln Γ(10⁹ + 1) − ln Γ(10⁹) keeps all its digits.

use std::f64::consts::PI;

use super::logspace::log1p_minus;
use super::rational::Rational;

/// Half of ln 2π.
pub const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;

/// Returns ln |Γ(x)|.
///
/// It is +∞ at zero, at the negative integers and at ±∞.
///
/// ```
/// # use ppl_core::math::gamma::ln_gamma;
/// assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-15);
/// ```
#[inline]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Returns the digamma function ψ(x), the derivative of ln Γ(x).
///
/// At zero it is −∞ (+∞ at negative zero), at the negative integers NaN.
/// The relative error stays small about the positive root, x = 1.4616….
///
/// ```
/// # use ppl_core::math::gamma::digamma;
/// assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-16);
/// ```
pub fn digamma(x: f64) -> f64 {
    if x >= 2.0 {
        x.ln() + digamma_minus_ln(x)
    } else if x >= 1.0 {
        ((x - DIGAMMA_ROOT) - DIGAMMA_ROOT_LOW) * DIGAMMA_NEAR.at(x - 1.0)
    } else if x > 0.0 {
        digamma_up_to_one(x) - 1.0 / x
    } else if x == 0.0 {
        -1.0 / x
    } else {
        // Reflection: ψ(x) = ψ(1 − x) − π / tan πx.
        let fraction = x - x.round();
        if fraction == 0.0 || x.is_nan() {
            f64::NAN
        } else {
            digamma(1.0 - x) - PI / (PI * fraction).tan()
        }
    }
}

/// Returns ψ(x) − ln x for x > 0, which lies between −1/x and −1/(2x).
pub fn digamma_minus_ln(x: f64) -> f64 {
    if x >= 2.0 {
        let w = 1.0 / x;
        let z = w * w;
        -0.5 * w - z * DIGAMMA_TAIL.at(z)
    } else {
        digamma(x) - x.ln()
    }
}

/// Returns the trigamma function ψ′(x), the second derivative of ln Γ(x).
///
/// At zero it is +∞, at the negative integers NaN.
///
/// ```
/// # use ppl_core::math::gamma::trigamma;
/// assert!((trigamma(1.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-15);
/// ```
pub fn trigamma(x: f64) -> f64 {
    if x >= 2.0 {
        let w = 1.0 / x;
        let z = w * w;
        w + z * (0.5 + w * TRIGAMMA_TAIL.at(z))
    } else if x >= 1.0 {
        1.0 / (x * x) + trigamma(x + 1.0)
    } else if x >= 0.0 {
        1.0 / (x * x) + (1.0 / ((x + 1.0) * (x + 1.0)) + trigamma(x + 2.0))
    } else {
        // Reflection: ψ′(x) = (π / sin πx)² − ψ′(1 − x).
        let fraction = x - x.round();
        let root = PI / (PI * fraction).sin();
        if fraction == 0.0 || x.is_nan() {
            f64::NAN
        } else {
            root * root - trigamma(1.0 - x)
        }
    }
}

/// Returns ψ′(x) − 1/x for x > 0, which lies between 1/(2x²) and 1/x².
pub(crate) fn trigamma_minus_recip(x: f64) -> f64 {
    if x >= 2.0 {
        let w = 1.0 / x;
        let z = w * w;
        z * (0.5 + w * TRIGAMMA_TAIL.at(z))
    } else {
        trigamma(x) - 1.0 / x
    }
}

/// Returns δ(x) = ln Γ(x) − [(x − ½) ln x − x + ½ ln 2π] for x > 0, the error of Stirling's formula.
///
/// It falls like 1 / (12 x). Reference: Loader (2000), Fast and accurate computation of binomial probabilities.
pub fn stirlerr(x: f64) -> f64 {
    if x >= 2.0 {
        let w = 1.0 / x;
        w * STIRLING_TAIL.at(w * w)
    } else if x >= 0.5 {
        STIRLING_NEAR.at(x)
    } else if x == 0.0 {
        f64::INFINITY
    } else {
        (ln_gamma(1.0 + x) - HALF_LN_2PI) - ((x + 0.5) * x.ln() - x)
    }
}

/// Returns δ(y) − δ(x) − (y − x) δ′(x) with δ = [`stirlerr`], for x, y ≥ 2: zero to second order where x = y.
pub(crate) fn stirlerr_bregman(y: f64, x: f64) -> f64 {
    // The divided difference of δ(x) = w T(w²) with w = 1 / x; that of equal arguments is the derivative.
    let slope_to = |w2: f64| {
        let w1 = 1.0 / x;
        let (z1, z2) = (w1 * w1, w2 * w2);
        let tail = STIRLING_TAIL.at(z2) + w1 * (w1 + w2) * STIRLING_TAIL.divided_difference(z1, z2);
        -w1 * w2 * tail
    };
    (y - x) * (slope_to(1.0 / y) - slope_to(1.0 / x))
}

/// Returns the deviance part x ln(x / np) + np − x, which is 0 where x = np, for x, np ≥ 0.
///
/// Reference: Loader (2000), Fast and accurate computation of binomial probabilities.
pub fn bd0(x: f64, np: f64) -> f64 {
    bd0_from_difference(x, np, np - x)
}

/// Returns [`bd0`] of x and np, given their difference d = np − x where the caller knows it better than rounding does.
pub fn bd0_from_difference(x: f64, np: f64, d: f64) -> f64 {
    if x == 0.0 {
        return np;
    }
    if np == f64::INFINITY {
        return f64::INFINITY;
    }
    let t = d / x;
    if t > -0.4 && t < f64::INFINITY {
        return -x * log1p_minus(t);
    }
    let ratio = x / np;
    if ratio > 0.0 && ratio < f64::INFINITY {
        x * ratio.ln() + d
    } else {
        x * (x.ln() - np.ln()) + d
    }
}

/// Returns ln Γ(x + δ) − ln Γ(x) for x > 0 and x + δ > 0, without cancellation for large x or small δ.
///
/// It is NaN where x or x + δ is negative.
///
/// ```
/// # use ppl_core::math::gamma::ln_gamma_difference;
/// assert!((ln_gamma_difference(1e9, 1.0) - 1e9f64.ln()).abs() < 1e-14);
/// ```
pub fn ln_gamma_difference(x: f64, delta: f64) -> f64 {
    if delta == 0.0 {
        return 0.0;
    }
    if delta < 0.0 {
        return -ln_gamma_difference(x + delta, -delta);
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == f64::INFINITY || delta == f64::INFINITY {
        return f64::INFINITY;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < 2.0 {
        // ln Γ(x) = ln Γ(x + 1) − ln x.
        shift += log_growth(x, delta);
        x += 1.0;
    }
    delta * x.ln() + ln_gamma_growth(x, delta) - shift
}

/// Returns ln Γ(x + δ) − ln Γ(x) − δ ln x for x ≥ 2 and δ > 0, without cancellation.
pub(crate) fn ln_gamma_growth(x: f64, delta: f64) -> f64 {
    let growth = delta / x;
    let (w1, w2) = (1.0 / x, 1.0 / (x + delta));
    let (z1, z2) = (w1 * w1, w2 * w2);
    let tail = STIRLING_TAIL.at(z2) + w1 * (w1 + w2) * STIRLING_TAIL.divided_difference(z1, z2);
    x * log1p_minus(growth) + (delta - 0.5) * growth.ln_1p() - growth * w2 * tail
}

/// Returns ψ(x + δ) − ψ(x) for x > 0 and x + δ > 0, without cancellation for large x or small δ.
///
/// It is NaN where x or x + δ is negative.
///
/// ```
/// # use ppl_core::math::gamma::digamma_difference;
/// assert!((digamma_difference(1e9, 1.0) - 1e-9).abs() < 1e-24);
/// ```
pub fn digamma_difference(x: f64, delta: f64) -> f64 {
    if delta == 0.0 {
        return 0.0;
    }
    if delta < 0.0 {
        return -digamma_difference(x + delta, -delta);
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if delta == f64::INFINITY {
        return f64::INFINITY;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < 2.0 {
        // ψ(x) = ψ(x + 1) − 1 / x.
        shift += delta / (x + delta) / x;
        x += 1.0;
    }
    let growth = delta / x;
    let (w1, w2) = (1.0 / x, 1.0 / (x + delta));
    let (z1, z2) = (w1 * w1, w2 * w2);
    let tail = DIGAMMA_TAIL.at(z2) + z1 * DIGAMMA_TAIL.divided_difference(z1, z2);
    growth.ln_1p() + growth * w2 * (0.5 + (w1 + w2) * tail) + shift
}

/// Returns ψ(1 + x) for 0 < x < 1.
#[inline]
fn digamma_up_to_one(x: f64) -> f64 {
    ((x - (DIGAMMA_ROOT - 1.0)) - DIGAMMA_ROOT_LOW) * DIGAMMA_NEAR.at(x)
}

/// Returns ln((x + δ) / x) for positive x and δ.
fn log_growth(x: f64, delta: f64) -> f64 {
    let ratio = delta / x;
    if ratio < f64::INFINITY {
        ratio.ln_1p()
    } else {
        delta.ln() - x.ln()
    }
}

/// The positive root of ψ, rounded.
const DIGAMMA_ROOT: f64 = 1.4616321449683622;

/// What rounding took from the root.
const DIGAMMA_ROOT_LOW: f64 = 9.549995429965697e-17;

/// ψ(1 + y) / (1 + y − root) for y in [0, 1].
const DIGAMMA_NEAR: Rational<7> = Rational {
    num: [
        1.2503801375034054,
        1.8675925104074453,
        0.9711327526262392,
        0.21631407251432455,
        0.01996408274151926,
        0.0005811135063985677,
        1.0894678528383955e-06,
    ],
    den: [
        1.0,
        2.1771665986671342,
        1.6630736963665909,
        0.5710455727133128,
        0.09111902253303285,
        0.006100975692434821,
        0.00012043151172286901,
    ],
};

/// x² (ln x − 1/(2x) − ψ(x)) as a function of 1/x², for x ≥ 2.
const DIGAMMA_TAIL: Rational<7> = Rational {
    num: [
        0.08333333333333326,
        1.5265158318013932,
        8.969259726573686,
        20.64281735189045,
        18.136513112569652,
        4.9017207658015405,
        0.18481485600197364,
    ],
    den: [
        1.0,
        18.418189981615505,
        109.42531666972745,
        257.82928319218325,
        239.04035861185372,
        74.49702297826968,
        4.8924342052212015,
    ],
};

/// x³ (ψ′(x) − 1/x − 1/(2x²)) as a function of 1/x², for x ≥ 2.
const TRIGAMMA_TAIL: Rational<8> = Rational {
    num: [
        0.16666666666666663,
        4.609267521144989,
        43.82903218895708,
        180.13692244451775,
        329.79155693248043,
        248.16698394646315,
        60.0253250473017,
        2.0112325548399204,
    ],
    den: [
        1.0,
        27.855605126869545,
        268.40245701638867,
        1130.722653890956,
        2171.6672413051983,
        1804.340995995218,
        550.2325016098779,
        39.793089085534646,
    ],
};

/// x δ(x) as a function of 1/x², for x ≥ 2.
const STIRLING_TAIL: Rational<7> = Rational {
    num: [
        0.08333333333333333,
        1.3715278566773774,
        7.158408358277305,
        14.432637909399135,
        10.930874253734274,
        2.5119339429288337,
        0.08376908059930067,
    ],
    den: [
        1.0,
        16.491667613461775,
        86.4410987436071,
        175.9231042247752,
        136.31904270392516,
        33.48557654067973,
        1.5092854600251153,
    ],
};

/// δ(x) for x in [½, 2].
const STIRLING_NEAR: Rational<10> = Rational {
    num: [
        2.07111123884654,
        119.6094690801313,
        1580.4598666322522,
        7655.812305417092,
        16959.182251105998,
        20236.67135498324,
        13684.57455168222,
        5048.215440240663,
        832.8399082102162,
        1.026094058696966e-06,
    ],
    den: [
        1.0,
        114.71228055088122,
        2761.9778361634776,
        24465.466327353814,
        99445.39392879819,
        208902.13124770654,
        244858.9373224667,
        164548.0879954272,
        60578.579408193924,
        9994.079285412576,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_infinities_are_exact() {
        assert_eq!(ln_gamma(0.0), f64::INFINITY);
        assert_eq!(ln_gamma(f64::INFINITY), f64::INFINITY);
        assert_eq!(digamma(0.0), f64::NEG_INFINITY);
        assert_eq!(digamma(f64::INFINITY), f64::INFINITY);
        assert!(digamma(-2.0).is_nan() && digamma(f64::NAN).is_nan() && digamma(f64::NEG_INFINITY).is_nan());
        assert_eq!(trigamma(0.0), f64::INFINITY);
        assert_eq!(trigamma(f64::INFINITY), 0.0);
        assert!(trigamma(-2.0).is_nan() && trigamma(f64::NAN).is_nan());
        assert_eq!(stirlerr(0.0), f64::INFINITY);
        assert_eq!(stirlerr(f64::INFINITY), 0.0);
    }

    #[test]
    fn deviance_at_its_borders_is_exact() {
        assert_eq!(bd0(0.0, 2.5), 2.5);
        assert_eq!(bd0(0.0, 0.0), 0.0);
        assert_eq!(bd0(1.0, 0.0), f64::INFINITY);
        assert_eq!(bd0(1.0, f64::INFINITY), f64::INFINITY);
        assert_eq!(bd0(7.0, 7.0), 0.0);
    }

    #[test]
    fn differences_at_their_borders_are_exact() {
        assert_eq!(ln_gamma_difference(3.5, 0.0), 0.0);
        assert_eq!(ln_gamma_difference(0.0, 1.0), f64::NEG_INFINITY);
        assert_eq!(ln_gamma_difference(1.0, f64::INFINITY), f64::INFINITY);
        assert!(ln_gamma_difference(-1.0, 2.0).is_nan() && ln_gamma_difference(1.0, -2.0).is_nan());
        assert_eq!(digamma_difference(0.0, 1.0), f64::INFINITY);
        assert!(digamma_difference(-1e300, 2.0).is_nan());
    }

    #[test]
    fn digamma_keeps_relative_accuracy_at_its_root() {
        // ψ(fl(root)) = −ψ′(root) · 9.549995429965697e-17 with ψ′(root) = 0.9676722454462….
        let exact = -9.241265521729428e-17;
        assert!((digamma(1.4616321449683622) / exact - 1.0).abs() < 1e-9);
    }
}
