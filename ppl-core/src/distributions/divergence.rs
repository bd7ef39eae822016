//! The pieces of divergences in closed form, written so that nothing cancels where two distributions are close.
//!
//! A divergence vanishes with the square of the distance. Each piece does so by itself, and is not negative, whereas the
//! differences of ln Γ and of logarithms in the textbook forms leave their rounding behind.

use crate::math::gamma::{
    bd0, bd0_from_difference, digamma_difference, digamma_minus_ln, stirlerr_bregman, trigamma_minus_recip,
};
use crate::ops::scalar_function::{ScalarFunction, scalar_function};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns x ln(x / y) + y − x, zero where x = y: the divergence of Poisson distributions with means x and y.
#[track_caller]
pub(crate) fn deviance<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    scalar_function::<Deviance, 2>([x, y])
}

/// Returns x / y − 1 − ln(x / y).
#[track_caller]
pub(crate) fn ratio_excess<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    scalar_function::<RatioExcess, 2>([x, y])
}

/// Returns (x² / y² − 1) / 2 − ln(x / y): the divergence of normal distributions with one mean and deviations x and y.
#[track_caller]
pub(crate) fn square_ratio_excess<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    scalar_function::<SquareRatioExcess, 2>([x, y])
}

/// Returns the divergence of Laplace distributions with medians `shift` ≥ 0 apart: r − 1 − ln r + r (e^(−t) − 1 + t) with
/// r = scale / width and t = shift / scale.
#[track_caller]
pub(crate) fn laplace_divergence<'t>(shift: Var<'t>, scale: Var<'t>, width: Var<'t>) -> Var<'t> {
    scalar_function::<LaplaceDivergence, 3>([shift, scale, width])
}

/// Returns p ln(p / q) + q − p, given ln p and ln q.
#[track_caller]
pub(crate) fn log_deviance<'t>(ln_p: Var<'t>, ln_q: Var<'t>) -> Var<'t> {
    scalar_function::<LogDeviance, 2>([ln_p, ln_q])
}

/// Returns ln Γ(y) − ln Γ(x) − (y − x) ψ(x) − (y ln(y / x) + x − y): the divergence of gamma distributions with
/// concentrations x and y and one mean.
#[track_caller]
pub(crate) fn gamma_excess<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    scalar_function::<GammaExcess, 2>([x, y])
}

/// Returns KL(Beta(a, b) ‖ Beta(α, β)).
#[track_caller]
pub(crate) fn beta_divergence<'t>(a: Var<'t>, b: Var<'t>, alpha: Var<'t>, beta: Var<'t>) -> Var<'t> {
    scalar_function::<BetaDivergence, 4>([a, b, alpha, beta])
}

/// Returns ln(x / y), exact where they are close.
fn ln_ratio(x: f64, y: f64) -> f64 {
    let t = (x - y) / y;
    if t.abs() < 0.5 {
        return t.ln_1p();
    }
    let ratio = x / y;
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&ratio) {
        ratio.ln()
    } else {
        x.ln() - y.ln()
    }
}

struct Deviance;

impl ScalarFunction<2> for Deviance {
    const NAME: &'static str = "deviance";

    fn value([x, y]: [f64; 2]) -> f64 {
        if x >= 0.0 && y >= 0.0 { bd0(x, y) } else { f64::NAN }
    }

    fn partials([x, y]: [f64; 2]) -> [f64; 2] {
        [ln_ratio(x, y), (y - x) / y]
    }
}

/// Returns r − 1 − ln r for r = x / y > 0.
fn excess_of_ratio(x: f64, y: f64) -> f64 {
    if x > 0.0 && y > 0.0 {
        bd0_from_difference(1.0, x / y, (x - y) / y)
    } else {
        f64::NAN
    }
}

struct RatioExcess;

impl ScalarFunction<2> for RatioExcess {
    const NAME: &'static str = "ratio_excess";

    fn value([x, y]: [f64; 2]) -> f64 {
        excess_of_ratio(x, y)
    }

    fn partials([x, y]: [f64; 2]) -> [f64; 2] {
        let t = (x - y) / y;
        [t / x, -t / y]
    }
}

struct SquareRatioExcess;

impl SquareRatioExcess {
    /// Returns x² / y² − 1.
    fn square_less_one([x, y]: [f64; 2]) -> f64 {
        let t = (x - y) / y;
        t * (2.0 + t)
    }
}

impl ScalarFunction<2> for SquareRatioExcess {
    const NAME: &'static str = "square_ratio_excess";

    fn value([x, y]: [f64; 2]) -> f64 {
        if !(x > 0.0 && y > 0.0) {
            return f64::NAN;
        }
        let ratio = x / y;
        if (0.5..2.0).contains(&ratio) {
            0.5 * bd0_from_difference(1.0, ratio * ratio, Self::square_less_one([x, y]))
        } else {
            0.5 * (ratio * ratio - 1.0) - ln_ratio(x, y)
        }
    }

    fn partials([x, y]: [f64; 2]) -> [f64; 2] {
        let t = Self::square_less_one([x, y]);
        [t / x, -t / y]
    }
}

/// Returns e^d − 1 − d.
fn exp_less_line(d: f64) -> f64 {
    if d.abs() > 0.5 {
        return d.exp_m1() - d;
    }
    // d²/2! + d³/3! + … from the back, until the terms are lost beside the first.
    let series = (3..=16).rev().fold(1.0, |tail, n| 1.0 + d / f64::from(n) * tail);
    0.5 * d * d * series
}

struct LaplaceDivergence;

impl ScalarFunction<3> for LaplaceDivergence {
    const NAME: &'static str = "laplace_divergence";

    fn value([shift, scale, width]: [f64; 3]) -> f64 {
        excess_of_ratio(scale, width) + exp_less_line(-shift / scale) * (scale / width)
    }

    fn partials([shift, scale, width]: [f64; 3]) -> [f64; 3] {
        let (t, ratio_less_one) = (shift / scale, (scale - width) / width);
        let (excess, rise) = (exp_less_line(-t), -(-t).exp_m1());
        let by_scale = if t < 0.5 {
            ratio_less_one / scale + (excess - t * rise) / width
        } else {
            (1.0 + t) * (-t).exp() / width - 1.0 / scale
        };
        let by_width = -(ratio_less_one + scale / width * excess) / width;
        [rise / width, by_scale, by_width]
    }
}

struct LogDeviance;

impl ScalarFunction<2> for LogDeviance {
    const NAME: &'static str = "log_deviance";

    fn value([ln_p, ln_q]: [f64; 2]) -> f64 {
        let (p, q, d) = (ln_p.exp(), ln_q.exp(), ln_q - ln_p);
        if p == 0.0 {
            q
        } else if d.abs() <= 0.5 {
            p * exp_less_line(d)
        } else {
            q - p - p * d
        }
    }

    fn partials([ln_p, ln_q]: [f64; 2]) -> [f64; 2] {
        let (p, q, d) = (ln_p.exp(), ln_q.exp(), ln_q - ln_p);
        if p == 0.0 {
            [0.0, q]
        } else {
            [-p * d, if d.abs() <= 0.5 { p * d.exp_m1() } else { q - p }]
        }
    }
}

struct GammaExcess;

impl ScalarFunction<2> for GammaExcess {
    const NAME: &'static str = "gamma_excess";

    /// With Stirling's formula for both ln Γ, whose error is δ, what is left is
    /// (y / x − 1 − ln(y / x)) / 2 + δ(y) − δ(x) − (y − x) δ′(x).
    fn value([x, y]: [f64; 2]) -> f64 {
        if !(x > 0.0 && y > 0.0) {
            return f64::NAN;
        }
        if x.min(y) < 2.0 {
            // ln Γ(z) = ln Γ(z + 1) − ln z.
            let (x1, y1) = (x + 1.0, y + 1.0);
            let step = if (y - x).abs() < 0.5 * x {
                bd0(y, x) - bd0(y1, x1)
            } else {
                y * ln_ratio(y, x) - y1 * ln_ratio(y1, x1)
            };
            return excess_of_ratio(y, x) - step + Self::value([x1, y1]);
        }
        0.5 * excess_of_ratio(y, x) + stirlerr_bregman(y, x)
    }

    fn partials([x, y]: [f64; 2]) -> [f64; 2] {
        let d_x = (x - y) * trigamma_minus_recip(x);
        [d_x, digamma_minus_ln(y) - digamma_minus_ln(x)]
    }
}

/// The divergence of beta distributions with concentrations a, b and α, β.
struct BetaDivergence;

impl BetaDivergence {
    /// Returns ν a / n − α with n = a + b and ν = α + β: how far the means differ.
    fn shift([a, b, alpha, beta]: [f64; 4]) -> f64 {
        ((beta - b) * a - (alpha - a) * b) / (a + b)
    }
}

impl ScalarFunction<4> for BetaDivergence {
    const NAME: &'static str = "beta_divergence";

    /// The concentrations' parts, that of their sums, and the deviances of the means.
    fn value([a, b, alpha, beta]: [f64; 4]) -> f64 {
        let (n, nu) = (a + b, alpha + beta);
        let excess = |x: f64, y: f64| GammaExcess::value([x, y]);
        let shift = Self::shift([a, b, alpha, beta]);
        let means = bd0_from_difference(alpha, nu * (a / n), shift) + bd0_from_difference(beta, nu * (b / n), -shift);
        excess(a, alpha) + excess(b, beta) - excess(n, nu) + means
    }

    fn partials([a, b, alpha, beta]: [f64; 4]) -> [f64; 4] {
        let (n, shift) = (a + b, Self::shift([a, b, alpha, beta]));
        let both = ((a - alpha) + (b - beta)) * trigamma_minus_recip(n);
        [
            shift / a + (a - alpha) * trigamma_minus_recip(a) - both,
            -shift / b + (b - beta) * trigamma_minus_recip(b) - both,
            digamma_difference(a, b) - digamma_difference(alpha, beta),
            digamma_difference(b, a) - digamma_difference(beta, alpha),
        ]
    }
}

#[cfg(test)]
op_tests! { betas |x| beta_divergence(x[0], x[1], x[2], x[3]); [0.3, 0.4, 1.5, 0.5], [7.0, 3.0, 6.5, 4.0] }
#[cfg(test)]
op_tests! { deviances |x| deviance(x[0], x[1]); [0.3, 0.4], [2.0, 0.5], [7.0, 7.0] }
#[cfg(test)]
op_tests! { ratios |x| ratio_excess(x[0], x[1]); [0.3, 0.4], [2.0, 0.5], [7.0, 7.0] }
#[cfg(test)]
op_tests! { squares |x| square_ratio_excess(x[0], x[1]); [0.3, 0.4], [2.0, 0.5], [7.0, 7.0] }
#[cfg(test)]
op_tests! { laplaces |x| laplace_divergence(x[0], x[1], x[2]); [0.3, 1.5, 0.5], [2.0, 0.5, 0.25], [1.0, 4.0, 2.0] }
#[cfg(test)]
op_tests! { logarithms |x| log_deviance(x[0], x[1]); [-0.3, -0.4], [-2.0, -0.5], [-1.0, -1.0] }
#[cfg(test)]
op_tests! { gammas |x| gamma_excess(x[0], x[1]); [0.3, 0.4], [2.0, 0.5], [7.0, 3.0] }
