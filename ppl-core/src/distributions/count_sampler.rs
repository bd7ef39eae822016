//! Draws of Poisson and binomial counts by transformed rejection, exact up to the spacing of the numbers at any mean.
//!
//! The method is that of Hörmann (1993), The transformed rejection method for generating Poisson random variables, and The
//! generation of binomial random variates. The densities that it compares are taken in saddle-point form: differences of
//! ln Γ lose all digits at large counts.

use rand::Rng;

use crate::math::gamma::{HALF_LN_2PI, bd0_from_difference, stirlerr};
use crate::rng::Generator;

/// From this mean on draws are made by rejection, for which the constants hold; below it, by inversion.
const REJECTION_FROM: f64 = 10.0;

/// No count below [`REJECTION_FROM`] on average gets as far, other than by rounding of the sum of probabilities.
const LARGEST_OF_INVERSION: f64 = 150.0;

/// Returns a draw of the Poisson distribution, NaN for a rate that is not allowed.
pub(crate) fn poisson(rng: &mut Generator, rate: f64) -> f64 {
    if !(0.0..f64::INFINITY).contains(&rate) {
        f64::NAN
    } else if rate < REJECTION_FROM {
        by_inversion(rng, (-rate).exp(), |k| rate / k)
    } else {
        poisson_by_rejection(rng, rate)
    }
}

/// Returns a draw of the binomial distribution with `n` trials, NaN for parameters that are not allowed. The probabilities
/// of success `p` and of failure `q` are both given, so that either may be tiny.
pub(crate) fn binomial(rng: &mut Generator, n: f64, p: f64, q: f64) -> f64 {
    if !(0.0..f64::INFINITY).contains(&n) || n.floor() != n || p.is_nan() || q.is_nan() {
        f64::NAN
    } else if p <= q {
        rarer(rng, n, p, q)
    } else {
        n - rarer(rng, n, q, p)
    }
}

/// Returns the number of the rarer outcomes.
fn rarer(rng: &mut Generator, n: f64, p: f64, q: f64) -> f64 {
    if n * p < REJECTION_FROM {
        let odds = p / q;
        by_inversion(rng, (n * (-p).ln_1p()).exp(), |k| (n - k + 1.0) / k * odds)
    } else {
        binomial_by_rejection(rng, n, p, q)
    }
}

/// Goes through the counts from zero until their probabilities exceed a uniform number; `ratio` is that of the probability of
/// k to that of k − 1.
fn by_inversion(rng: &mut Generator, none: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    loop {
        let mut u: f64 = rng.random();
        let (mut k, mut chance) = (0.0, none);
        while u >= chance && k < LARGEST_OF_INVERSION {
            u -= chance;
            k += 1.0;
            chance *= ratio(k);
        }
        if k < LARGEST_OF_INVERSION {
            return k;
        }
    }
}

/// The table-mountain hat of transformed rejection: k = ⌊(2a / (½ − |u|) + b) u + centre⌋ for uniform u about zero.
struct Hat {
    a: f64,
    b: f64,
    centre: f64,
    /// Uniform numbers below it are accepted at once where |u| ≤ 0.43.
    sure: f64,
}

impl Hat {
    /// Proposes counts until one is accepted. The density at k is `log_prob(k)`, up to the constant that makes `log_alpha` the
    /// logarithm of the hat's factor; counts outside of the support have the density −∞.
    fn draw(&self, rng: &mut Generator, log_alpha: f64, log_prob: impl Fn(f64) -> f64) -> f64 {
        loop {
            let u = rng.random::<f64>() - 0.5;
            let v: f64 = rng.random();
            let edge = 0.5 - u.abs();
            let k = ((2.0 * self.a / edge + self.b) * u + self.centre).floor();
            if edge >= 0.07 && v <= self.sure {
                return k;
            }
            if k < 0.0 || (edge < 0.013 && v > edge) {
                continue;
            }
            if v.ln() + log_alpha - (self.a / (edge * edge) + self.b).ln() <= log_prob(k) {
                return k;
            }
        }
    }
}

fn poisson_by_rejection(rng: &mut Generator, rate: f64) -> f64 {
    let b = 0.931 + 2.53 * rate.sqrt();
    let hat = Hat {
        a: -0.059 + 0.02483 * b,
        b,
        centre: rate + 0.43,
        sure: 0.9277 - 3.6224 / (b - 2.0),
    };
    let log_alpha = (1.1239 + 1.1328 / (b - 3.4)).ln();
    hat.draw(rng, log_alpha, |k| {
        if k == 0.0 {
            return -rate;
        }
        -stirlerr(k) - bd0_from_difference(k, rate, rate - k) - HALF_LN_2PI - 0.5 * k.ln()
    })
}

fn binomial_by_rejection(rng: &mut Generator, n: f64, p: f64, q: f64) -> f64 {
    let deviation = (n * p * q).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let hat = Hat {
        a: -0.0873 + 0.0248 * b + 0.01 * p,
        b,
        centre: n * p + 0.5,
        sure: 0.92 - 4.2 / b,
    };
    let mode = ((n + 1.0) * p).floor();
    let log_alpha = ((2.83 + 5.1 / b) * deviation).ln() + binomial_log_prob(mode, n, p, q);
    hat.draw(rng, log_alpha, |k| binomial_log_prob(k, n, p, q))
}

/// Returns the log density of k, −∞ beyond n; 0 ≤ k, 0 < p < 1 and q = 1 − p.
fn binomial_log_prob(k: f64, n: f64, p: f64, q: f64) -> f64 {
    let rest = n - k;
    if rest < 0.0 {
        return f64::NEG_INFINITY;
    }
    if k == 0.0 {
        return n * (-p).ln_1p();
    }
    if rest == 0.0 {
        return n * p.ln();
    }
    // The excess k − n p is taken from the product's two halves: beyond 2⁵³ its rounding exceeds one.
    let mean = n * p;
    let excess = (k - mean) - n.mul_add(p, -mean);
    let deviance = bd0_from_difference(k, mean, -excess) + bd0_from_difference(rest, n * q, excess);
    stirlerr(n) - stirlerr(k) - stirlerr(rest) - deviance - HALF_LN_2PI - 0.5 * (k / n * rest).ln()
}
