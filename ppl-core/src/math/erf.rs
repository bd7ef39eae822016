//! The error function, the normal distribution function, its logarithm and its inverse.

use std::f64::consts::FRAC_1_SQRT_2;

use super::rational::Rational;

/// The square root of 2/π.
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;

/// Returns the error function, 2/√π ∫₀ˣ e^{−t²} dt.
#[inline]
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// Returns 1 − erf(x), accurate in the right tail.
#[inline]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// Returns the scaled complement e^{x²} erfc(x), which falls like 1 / (x √π).
///
/// ```
/// # use ppl_core::math::erf::erfcx;
/// assert!((erfcx(1e8) - 5.641_895_835_477_563e-9).abs() < 1e-24);
/// ```
pub fn erfcx(x: f64) -> f64 {
    if x >= 2.0 {
        let w = 1.0 / x;
        w * ERFCX_TAIL.at(w * w)
    } else if x >= 0.0 {
        ERFCX_NEAR.at(x)
    } else if x < 0.0 {
        2.0 * (x * x).exp() - erfcx(-x)
    } else {
        f64::NAN
    }
}

/// Returns Φ(x), the standard normal distribution function.
///
/// ```
/// # use ppl_core::math::erf::ndtr;
/// assert_eq!(ndtr(0.0), 0.5);
/// ```
#[inline]
pub fn ndtr(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// Returns ln Φ(x), also where Φ(x) underflows.
///
/// ```
/// # use ppl_core::math::erf::log_ndtr;
/// assert!((log_ndtr(-1e6) + 5.000_000_000_147_345e11).abs() < 1e-3);
/// ```
pub fn log_ndtr(x: f64) -> f64 {
    if x > 0.0 {
        (-0.5 * erfc(x * FRAC_1_SQRT_2)).ln_1p()
    } else if x > -1.0 {
        ndtr(x).ln()
    } else {
        (0.5 * erfcx(-x * FRAC_1_SQRT_2)).ln() - 0.5 * x * x
    }
}

/// Returns the derivative of ln Φ(x), the inverse Mills ratio φ(x) / Φ(x), which rises like −x to the left.
pub fn log_ndtr_derivative(x: f64) -> f64 {
    if x > 0.0 {
        0.5 * SQRT_2_OVER_PI * (-0.5 * x * x).exp() / ndtr(x)
    } else {
        SQRT_2_OVER_PI / erfcx(-x * FRAC_1_SQRT_2)
    }
}

/// Returns the standard normal quantile, the x with Φ(x) = p; NaN outside [0, 1].
///
/// A rational function of (p − ½)² in the middle and of √(−ln p) in the tails, split as in Wichura (1988), AS 241.
///
/// ```
/// # use ppl_core::math::erf::ndtri;
/// assert!((ndtri(0.975) - 1.959_963_984_540_054).abs() < 1e-15);
/// ```
pub fn ndtri(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * QUANTILE_CENTRE.at(0.180625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let x = if r <= 5.0 {
        QUANTILE_TAIL.at(r - 1.6)
    } else if r <= 12.0 {
        QUANTILE_FAR_TAIL.at(r - 5.0)
    } else {
        QUANTILE_EXTREME_TAIL.at(r - 12.0)
    };
    x.copysign(q)
}

/// erfcx on [0, 2].
pub(crate) const ERFCX_NEAR: Rational<9> = Rational {
    num: [
        1.0,
        1.531117116853581,
        1.193899339204215,
        0.5722531503003931,
        0.17932794544725128,
        0.03638047200530128,
        0.00441690642543306,
        0.0002480469222991685,
        2.254611793717582e-10,
    ],
    den: [
        1.0,
        2.6594962839490934,
        3.1948195409803097,
        2.269977457086685,
        1.0465171446720831,
        0.3217360033306853,
        0.06470576348279468,
        0.00782849520395026,
        0.0004396664021287759,
    ],
};

/// x erfcx(x) as a function of 1/x², for x ≥ 2.
pub(crate) const ERFCX_TAIL: Rational<9> = Rational {
    num: [
        0.5641895835477563,
        19.63065068837267,
        255.2123623600774,
        1580.2414954657536,
        4925.223423036229,
        7513.284531637748,
        5022.041426483572,
        1126.6929687668223,
        35.96133699487096,
    ],
    den: [
        1.0,
        35.29442240838707,
        469.24934566804245,
        3010.9339800202793,
        9942.875746160253,
        16707.941571114065,
        13244.071712688748,
        4152.322682924719,
        330.6925449459557,
    ],
};

/// The quantile over q = p − ½ as a function of 0.425² − q².
const QUANTILE_CENTRE: Rational<9> = Rational {
    num: [
        3.3871328727963665,
        148.75654077063152,
        2548.2248573022625,
        21627.48116049056,
        95692.73551269759,
        213550.16248438213,
        214247.3801984238,
        74060.81462563902,
        3907.007639023816,
    ],
    den: [
        1.0,
        46.92338689522055,
        871.2838940641986,
        8176.878340636071,
        41169.98166790856,
        109244.70555458817,
        140376.82723612545,
        72342.69749284587,
        9398.46451720659,
    ],
};

/// Minus the lower quantile as a function of √(−ln p) − 1.6 in [0, 3.4].
const QUANTILE_TAIL: Rational<9> = Rational {
    num: [
        1.4234371107496835,
        4.658671152911319,
        5.895441930593747,
        3.867306448959962,
        1.4607583582995678,
        0.3281996025557107,
        0.04265573683356803,
        0.0028477028904769918,
        7.021355815515727e-05,
    ],
    den: [
        1.0,
        2.073096479855932,
        1.7409835549495896,
        0.7681616354872175,
        0.19254621603461666,
        0.02720737081022722,
        0.0019346295319642268,
        4.964417089088835e-05,
        3.604856526953905e-11,
    ],
};

/// Minus the lower quantile as a function of √(−ln p) − 5 in [0, 7].
const QUANTILE_FAR_TAIL: Rational<9> = Rational {
    num: [
        6.657904643501103,
        6.635564704728353,
        2.762820710214111,
        0.6232862849643075,
        0.08249865631442514,
        0.006466818755912513,
        0.00028711628059790935,
        6.401027107485261e-06,
        5.2366925912395655e-08,
    ],
    den: [
        1.0,
        0.7758304907469995,
        0.24495916317087194,
        0.0403240001736457,
        0.003676783503425669,
        0.00018144116557360605,
        4.341175212888903e-06,
        3.70286248399735e-08,
        1.1740864455443743e-15,
    ],
};

/// Minus the lower quantile as a function of √(−ln p) − 12 in [0, 16].
const QUANTILE_EXTREME_TAIL: Rational<8> = Rational {
    num: [
        16.748684018418697,
        6.1477109370203635,
        0.9221600340117082,
        0.07254369515865763,
        0.0031877074243445917,
        7.670796587382827e-05,
        9.090663887264798e-07,
        3.914151013616522e-09,
    ],
    den: [
        1.0,
        0.2818022637085479,
        0.031090275962274087,
        0.0016925597587580039,
        4.693576473464641e-05,
        6.095987283744012e-07,
        2.7677147520276306e-09,
        1.2639608468741801e-17,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinite_arguments_give_limits() {
        const INF: f64 = f64::INFINITY;
        assert_eq!((ndtr(-INF), ndtr(INF)), (0.0, 1.0));
        assert_eq!((log_ndtr(-INF), log_ndtr(INF)), (-INF, 0.0));
        assert_eq!((log_ndtr_derivative(-INF), log_ndtr_derivative(INF)), (INF, 0.0));
        assert_eq!((erfcx(-INF), erfcx(INF)), (INF, 0.0));
        assert_eq!((ndtri(0.0), ndtri(1.0)), (-INF, INF));
        assert!(ndtri(-0.1).is_nan() && ndtri(1.1).is_nan() && ndtri(f64::NAN).is_nan());
        assert!(log_ndtr(f64::NAN).is_nan() && erfcx(f64::NAN).is_nan());
    }
}
