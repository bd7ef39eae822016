//! Logarithms and exponentials put together so that nothing overflows, cancels or turns into 0 · ∞.

use super::rational::Rational;

/// Returns ln(1 − e^{−|x|}); it is −∞ at zero.
///
/// ```
/// # use ppl_core::math::logspace::log1mexp;
/// assert_eq!(log1mexp(-1e-20), 1e-20f64.ln());
/// ```
pub fn log1mexp(x: f64) -> f64 {
    let x = -x.abs();
    if x > -std::f64::consts::LN_2 {
        (-x.exp_m1()).ln()
    } else {
        (-x.exp()).ln_1p()
    }
}

/// Returns ln(eᵃ + eᵇ).
///
/// ```
/// # use ppl_core::math::logspace::log_add_exp;
/// assert_eq!(log_add_exp(1000.0, f64::NEG_INFINITY), 1000.0);
/// ```
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high.is_infinite() && !low.is_nan() {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

/// Returns ln(eᵃ − eᵇ) for a ≥ b; it is −∞ where they are equal and NaN where a < b.
///
/// ```
/// # use ppl_core::math::logspace::log_sub_exp;
/// assert!((log_sub_exp(2f64.ln(), 0.0)).abs() < 1e-15);
/// ```
pub fn log_sub_exp(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() || b.is_nan() {
        f64::NAN
    } else if b == f64::NEG_INFINITY {
        a
    } else if a == b {
        f64::NEG_INFINITY
    } else {
        a + log1mexp(b - a)
    }
}

/// Returns softplus, ln(1 + eˣ).
pub fn softplus(x: f64) -> f64 {
    if x > 0.0 {
        x + (-x).exp().ln_1p()
    } else {
        x.exp().ln_1p()
    }
}

/// Returns the logistic function 1 / (1 + e⁻ˣ).
pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Returns the logarithm of the logistic function, −ln(1 + e⁻ˣ).
pub fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// Returns ln(p / (1 − p)), the inverse of [`sigmoid`], for p in [0, 1].
///
/// ```
/// # use ppl_core::math::logspace::logit;
/// assert_eq!(logit(0.5), 0.0);
/// ```
pub fn logit(p: f64) -> f64 {
    if (0.3..=0.65).contains(&p) {
        // p / (1 − p) = 1 + (2p − 1) / (1 − p), and 2p − 1 is exact up to one rounding that vanishes at ½.
        (((p - 0.5) + (p - 0.5)) / (1.0 - p)).ln_1p()
    } else {
        p.ln() - (-p).ln_1p()
    }
}

/// Returns x ln y, and 0 where x is 0 and y is not NaN.
pub fn xlogy(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln() }
}

/// Returns x ln(1 + y), and 0 where x is 0 and y is not NaN.
pub fn xlog1py(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln_1p() }
}

/// Returns ln(1 + t) − t for t ≥ −1, accurate also where the two nearly cancel.
pub fn log1p_minus(t: f64) -> f64 {
    if !(-0.4..=0.6).contains(&t) {
        return t.ln_1p() - t;
    }
    // ln(1 + t) = 2 atanh v with v = t / (2 + t), and 2v − t = −t v.
    let v = t / (2.0 + t);
    let u = v * v;
    v * (2.0 * u * ATANH_TAIL.at(u) - t)
}

/// (atanh(v) / v − 1) / v² as a function of v² ≤ 1/16 (`tools/reference/rational_fits.py`).
const ATANH_TAIL: Rational<5> = Rational {
    num: [
        0.3333333333333333,
        -0.5776986649545681,
        0.2996655009351515,
        -0.0444869463117858,
        0.00024565387679013456,
    ],
    den: [
        1.0,
        -2.3330959948637044,
        1.8702826711522478,
        -0.5890654914469015,
        0.05759793250784984,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinite_arguments_give_limits() {
        const INF: f64 = f64::INFINITY;
        assert_eq!(log1mexp(0.0), -INF);
        assert_eq!(log1mexp(-INF), 0.0);
        assert_eq!(log_add_exp(-INF, -INF), -INF);
        assert_eq!(log_add_exp(INF, -INF), INF);
        assert_eq!(log_add_exp(-INF, 2.5), 2.5);
        assert!(log_add_exp(-INF, f64::NAN).is_nan() && log_add_exp(f64::NAN, -INF).is_nan());
        assert_eq!(log_sub_exp(3.0, -INF), 3.0);
        assert_eq!(log_sub_exp(3.0, 3.0), -INF);
        assert_eq!(log_sub_exp(-INF, -INF), -INF);
        assert!(log_sub_exp(1.0, 2.0).is_nan());
        assert_eq!(softplus(INF), INF);
        assert_eq!(softplus(-INF), 0.0);
        assert_eq!(log_sigmoid(-INF), -INF);
        assert_eq!((sigmoid(-INF), sigmoid(INF), sigmoid(-800.0)), (0.0, 1.0, 0.0));
        assert_eq!((logit(0.0), logit(1.0)), (-INF, INF));
    }

    #[test]
    fn zero_times_an_infinite_logarithm_is_zero() {
        assert_eq!(xlogy(0.0, 0.0), 0.0);
        assert_eq!(xlog1py(0.0, -1.0), 0.0);
        assert_eq!(xlogy(2.0, 0.0), f64::NEG_INFINITY);
        assert!(xlogy(0.0, f64::NAN).is_nan());
    }
}
