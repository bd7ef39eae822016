//! Draws of gamma distributions and of what is made of them, by their logarithms where these alone can be represented.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::distributions::noise::Noise;
use crate::distributions::scalar_sampler::ScalarSampler;
use crate::math::gamma::digamma;
use crate::math::gamma_draw::gamma_draw_derivative;
use crate::math::logspace::log1p_minus;
use crate::rng::Generator;
use crate::tape::var::Var;

impl<'t> Noise<'t> {
    /// Returns draws of the gamma distribution.
    pub fn gamma(&self, concentration: Var<'t>, rate: Var<'t>) -> Var<'t> {
        self.each::<GammaDraw, 2>([concentration, rate])
    }

    /// Returns reciprocals of draws of the gamma distribution.
    pub fn inverse_gamma(&self, concentration: Var<'t>, rate: Var<'t>) -> Var<'t> {
        self.each::<InverseGammaDraw, 2>([concentration, rate])
    }

    /// Returns logarithms of draws of the gamma distribution with rate 1.
    pub fn log_gamma(&self, concentration: Var<'t>) -> Var<'t> {
        self.each::<LogGammaDraw, 1>([concentration])
    }

    /// Returns ln(g / a) for the draws g of the gamma distribution with concentration a and rate 1 that the draws of
    /// [`gamma`](Noise::gamma) and [`inverse_gamma`](Noise::inverse_gamma) at this place are made of.
    pub fn log_gamma_ratio(&self, concentration: Var<'t>) -> Var<'t> {
        self.each::<LogGammaRatio, 1>([concentration])
    }

    /// Returns √(a / g) with a half of `df` and g of the gamma distribution with concentration a: what a standard normal
    /// number is multiplied by to follow Student's t distribution.
    pub fn student_t_stretch(&self, df: Var<'t>) -> Var<'t> {
        self.each::<StudentTStretch, 1>([df])
    }
}

/// A draw of Gamma(a, 1) as a product: `value` · exp(`log_boost`). The second factor is 1 where a ≥ 1.
struct GammaProduct {
    value: f64,
    log_boost: f64,
}

impl GammaProduct {
    /// Draws for a > 0, and gives NaN for any other a.
    fn draw(rng: &mut Generator, a: f64) -> Self {
        if !(a > 0.0 && a < f64::INFINITY) {
            return GammaProduct {
                value: f64::NAN,
                log_boost: 0.0,
            };
        }
        // For small a: a draw of Gamma(a + 1) times U^(1/a) (Marsaglia and Tsang 2000).
        let (shape, log_boost) = if a < 1.0 {
            let u: f64 = rand_distr::Open01.sample(rng);
            (a + 1.0, u.ln() / a)
        } else {
            (a, 0.0)
        };
        GammaProduct {
            value: marsaglia_tsang(rng, shape),
            log_boost,
        }
    }

    /// Returns the logarithm of the draw.
    fn ln(&self) -> f64 {
        self.value.ln() + self.log_boost
    }
}

/// Returns a draw of Gamma(a, 1) for a ≥ 1 (Marsaglia and Tsang 2000, A simple method for generating gamma variables).
///
/// The draw is d v with d = a − 1/3 and v = (1 + x / √(9 d))³ for normal x; v − 1 is kept instead of v, so that a draw of a
/// large concentration has the digits that tell it from its mean.
fn marsaglia_tsang(rng: &mut Generator, a: f64) -> f64 {
    let d = a - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x: f64 = StandardNormal.sample(rng);
        let t = c * x;
        if t <= -1.0 {
            continue;
        }
        let excess = t * (3.0 + t * (3.0 + t));
        let u: f64 = rng.random();
        let square = x * x;
        if u < 1.0 - 0.0331 * square * square || u.ln() < 0.5 * square + d * log1p_minus(excess) {
            return d + d * excess;
        }
    }
}

/// Returns d ln g / da at a fixed quantile for a draw g of Gamma(a, 1), given ln g.
fn log_gamma_slope(a: f64, ln_g: f64) -> f64 {
    let g = ln_g.exp();
    if g < 1e-200 {
        // Far below the mean ln g = (ln u + ln Γ(a + 1)) / a at the quantile u.
        (digamma(a + 1.0) - ln_g) / a
    } else {
        gamma_draw_derivative(a, g) / g
    }
}

/// Returns whether a rate is allowed.
fn is_rate(b: f64) -> bool {
    b > 0.0 && b < f64::INFINITY
}

/// A draw of Gamma(a, b).
struct GammaDraw;

impl ScalarSampler<2> for GammaDraw {
    const NAME: &'static str = "gamma_draw";
    const HAS_DERIVATIVE: bool = true;
    const IS_POSITIVE: bool = true;

    fn draw(rng: &mut Generator, [a, b]: [f64; 2]) -> f64 {
        let g = GammaProduct::draw(rng, a);
        if !is_rate(b) {
            f64::NAN
        } else if g.log_boost == 0.0 {
            g.value / b
        } else {
            (g.ln() - b.ln()).exp()
        }
    }

    fn derivative(x: f64, [a, b]: [f64; 2]) -> [f64; 2] {
        let g = x * b;
        let slope = if (f64::MIN_POSITIVE..f64::INFINITY).contains(&g) {
            gamma_draw_derivative(a, g) / b
        } else {
            x * log_gamma_slope(a, x.ln() + b.ln())
        };
        [slope, -x / b]
    }
}

/// b / g for a draw g of Gamma(a, 1).
struct InverseGammaDraw;

impl ScalarSampler<2> for InverseGammaDraw {
    const NAME: &'static str = "inverse_gamma_draw";
    const HAS_DERIVATIVE: bool = true;
    const IS_POSITIVE: bool = true;

    fn draw(rng: &mut Generator, [a, b]: [f64; 2]) -> f64 {
        let g = GammaProduct::draw(rng, a);
        if !is_rate(b) {
            f64::NAN
        } else if g.log_boost == 0.0 {
            b / g.value
        } else {
            (b.ln() - g.ln()).exp()
        }
    }

    fn derivative(x: f64, [a, b]: [f64; 2]) -> [f64; 2] {
        let g = b / x;
        let log_slope = if (f64::MIN_POSITIVE..f64::INFINITY).contains(&g) {
            gamma_draw_derivative(a, g) / g
        } else {
            log_gamma_slope(a, b.ln() - x.ln())
        };
        [-x * log_slope, x / b]
    }
}

/// The logarithm of a draw of Gamma(a, 1).
struct LogGammaDraw;

impl ScalarSampler<1> for LogGammaDraw {
    const NAME: &'static str = "log_gamma_draw";
    const HAS_DERIVATIVE: bool = true;

    fn draw(rng: &mut Generator, [a]: [f64; 1]) -> f64 {
        GammaProduct::draw(rng, a).ln()
    }

    fn derivative(y: f64, [a]: [f64; 1]) -> [f64; 1] {
        [log_gamma_slope(a, y)]
    }
}

/// ln(g / a) for a draw g of Gamma(a, 1): near zero for a large concentration, so that it keeps the digits of g − a.
struct LogGammaRatio;

impl ScalarSampler<1> for LogGammaRatio {
    const NAME: &'static str = "log_gamma_ratio_draw";
    const HAS_DERIVATIVE: bool = true;

    fn draw(rng: &mut Generator, [a]: [f64; 1]) -> f64 {
        let g = GammaProduct::draw(rng, a);
        if g.log_boost == 0.0 {
            (g.value / a).ln()
        } else {
            g.ln() - a.ln()
        }
    }

    fn derivative(y: f64, [a]: [f64; 1]) -> [f64; 1] {
        [log_gamma_slope(a, y + a.ln()) - 1.0 / a]
    }
}

/// √(a / g) for a draw g of Gamma(a, 1) with a half of the degrees of freedom.
struct StudentTStretch;

impl ScalarSampler<1> for StudentTStretch {
    const NAME: &'static str = "student_t_stretch";
    const HAS_DERIVATIVE: bool = true;
    const IS_POSITIVE: bool = true;

    fn draw(rng: &mut Generator, [df]: [f64; 1]) -> f64 {
        let a = 0.5 * df;
        let g = GammaProduct::draw(rng, a);
        if g.log_boost == 0.0 {
            (a / g.value).sqrt()
        } else {
            (0.5 * (a.ln() - g.ln())).exp()
        }
    }

    fn derivative(x: f64, [df]: [f64; 1]) -> [f64; 1] {
        let a = 0.5 * df;
        let log_slope = log_gamma_slope(a, a.ln() - 2.0 * x.ln());
        [0.5 * x * (1.0 / df - 0.5 * log_slope)]
    }
}
