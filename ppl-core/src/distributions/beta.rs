//! The beta distribution.

use crate::constraints::UnitInterval;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::beta_divergence;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, zero_of};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::gamma::{
    HALF_LN_2PI, bd0_from_difference, digamma_difference, ln_gamma, ln_gamma_difference, stirlerr,
};
use crate::math::logspace::{sigmoid, softplus};
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The beta distribution, with `concentration1` pulling towards 1 and `concentration0` towards 0; [`Beta()`] makes one.
#[derive(Clone, Debug)]
pub struct Beta<'t> {
    concentration1: Param<'t>,
    concentration0: Param<'t>,
}

/// Returns the beta distribution with `concentration1` > 0 and `concentration0` > 0.
///
/// log p(x) = (a − 1) ln x + (b − 1) ln(1 − x) − ln B(a, b) for 0 < x < 1, with a `concentration1` and b `concentration0`
///
/// ```
/// # use ppl_core::{distributions::{Beta, Dist}, tape::var::Var};
/// assert!((Beta(2, 1).log_prob(Var::from(0.25)).value() + 2f64.ln()).abs() < 1e-14);
/// ```
#[allow(non_snake_case)]
pub fn Beta<'t>(concentration1: impl IntoVar<'t>, concentration0: impl IntoVar<'t>) -> Beta<'t> {
    Beta {
        concentration1: concentration1.into_param(),
        concentration0: concentration0.into_param(),
    }
}

impl Family for Beta<'_> {
    type Support = UnitInterval;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Beta<'t> {
    const NAME: &'static str = "Beta";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(BetaDensity {
        concentration1,
        concentration0
    });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::UnitInterval
    }

    /// σ(ln g₁ − ln g₀) for gamma-distributed g, kept off the ends of the interval.
    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let one = at.fork(1).log_gamma(self.concentration1.on(at.tape));
        let zero = at.fork(0).log_gamma(self.concentration0.on(at.tape));
        let (least, largest) = at.open_unit_interval();
        let noise = one - zero;
        let value = noise.sigmoid().maximum(least).minimum(largest);
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        univariate::log_prob::<OfLogit, 2>(drawn.noise, [&self.concentration1, &self.concentration0])
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        let (a, b) = (self.concentration1.on(tape), self.concentration0.on(tape));
        a / (a + b)
    }

    /// a b / ((a + b)² (a + b + 1))
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let (a, b) = (self.concentration1.on(tape), self.concentration0.on(tape));
        let n = a + b;
        (a / n) * (b / n) / (n + 1.0)
    }
}

/// KL((a, b) ‖ (α, β)) = ln B(α, β) − ln B(a, b) + (a − α) (ψ(a) − ψ(a + b)) + (b − β) (ψ(b) − ψ(a + b)),
/// as the sum of what the concentrations and what the means differ by.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Beta::NAME {
        return None;
    }
    let ((a, b), (alpha, beta)) = ((p[0].1, p[1].1), (q[0].1, q[1].1));
    Some(beta_divergence(a, b, alpha, beta))
}

/// The density as a loop body, computed in f64.
pub(crate) struct BetaDensity;

/// What parameters alone determine.
#[derive(Clone, Copy)]
pub(crate) struct BetaConstants {
    /// δ(a + b) − δ(a) − δ(b) + ln(ab / (2π (a + b))) / 2; if a or b is below one, where these cancel,
    /// ln Γ(a + b + 1) − ln Γ(a + 1) − ln Γ(b + 1); NaN for parameters that are not allowed.
    constant: f64,
    /// ψ(a + b) − ψ(a) and ψ(a + b) − ψ(b).
    slopes: [f64; 2],
}

impl Density<2> for BetaDensity {
    type Shared<F: Real> = BetaConstants;

    const NAME: &'static str = "Beta";
    const SHARED: u32 = 0b11;

    fn shared<F: Real>([a, b]: [F; 2], gradient: bool) -> BetaConstants {
        let (a, b) = (a.to_f64(), b.to_f64());
        if !(a > 0.0 && b > 0.0) {
            return BetaConstants {
                constant: f64::NAN,
                slopes: [f64::NAN; 2],
            };
        }
        let (n, least) = (a + b, a.min(b));
        let constant = if least < 1.0 {
            ln_gamma_difference(a.max(b) + 1.0, least) - ln_gamma(least + 1.0)
        } else {
            stirlerr(n) - stirlerr(a) - stirlerr(b) + 0.5 * (a / n * b).ln() - HALF_LN_2PI
        };
        BetaConstants {
            constant,
            slopes: if gradient {
                [digamma_difference(a, b), digamma_difference(b, a)]
            } else {
                [0.0; 2]
            },
        }
    }

    fn log_prob<F: Real>(x: F, [a, b]: [F; 2], shared: &BetaConstants) -> F {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        F::from_f64(if x > 0.0 && x < 1.0 {
            inside([a, b], Point::of(x), shared)
        } else if x == 0.0 {
            at_border(a, b, shared.constant)
        } else if x == 1.0 {
            at_border(b, a, shared.constant)
        } else {
            outside(shared.constant + zero_of(x))
        })
    }

    fn partials<F: Real>(x: F, [a, b]: [F; 2], shared: &BetaConstants) -> (F, [F; 2]) {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        let d_x = (a - 1.0) / x - (b - 1.0) / (1.0 - x);
        let (d_a, d_b) = (x.ln() + shared.slopes[0], (-x).ln_1p() + shared.slopes[1]);
        (F::from_f64(d_x), [F::from_f64(d_a), F::from_f64(d_b)])
    }
}

/// A number x between zero and one with y = 1 − x and their logarithms, which keep their digits at both ends.
struct Point {
    x: f64,
    y: f64,
    ln_x: f64,
    ln_y: f64,
}

impl Point {
    fn of(x: f64) -> Self {
        Point {
            x,
            y: 1.0 - x,
            ln_x: x.ln(),
            ln_y: (-x).ln_1p(),
        }
    }

    fn of_logit(t: f64) -> Self {
        Point {
            x: sigmoid(t),
            y: sigmoid(-t),
            ln_x: -softplus(-t),
            ln_y: -softplus(t),
        }
    }
}

/// Returns the log density between zero and one.
fn inside([a, b]: [f64; 2], at: Point, shared: &BetaConstants) -> f64 {
    let Point { x, y, ln_x, ln_y } = at;
    if a.min(b) < 1.0 {
        return shared.constant + a * ln_x + b * ln_y + ln_peak(a, b, at);
    }
    // n x − a = b x − a y, and n y − b is its negative.
    let (n, shift) = (a + b, b * x - a * y);
    let deviance = bd0_from_difference(a, n * x, shift) + bd0_from_difference(b, n * y, -shift);
    shared.constant - deviance - ln_x - ln_y
}

/// Returns ln(a b / ((a + b) x (1 − x))).
fn ln_peak(a: f64, b: f64, at: Point) -> f64 {
    let ratio = a / at.x * (b / (a + b) / at.y);
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&ratio) {
        ratio.ln()
    } else {
        a.ln() - at.ln_x + (b / (a + b)).ln() - at.ln_y
    }
}

/// The density of x as a function of its logit, the difference of the logarithms of two gamma draws.
struct OfLogit;

impl Density<2> for OfLogit {
    type Shared<F: Real> = BetaConstants;

    const NAME: &'static str = "Beta_of_logit";
    const SHARED: u32 = 0b11;

    fn shared<F: Real>(params: [F; 2], gradient: bool) -> BetaConstants {
        BetaDensity::shared(params, gradient)
    }

    fn log_prob<F: Real>(t: F, params: [F; 2], shared: &BetaConstants) -> F {
        F::from_f64(inside(params.map(F::to_f64), Point::of_logit(t.to_f64()), shared))
    }

    fn partials<F: Real>(t: F, params: [F; 2], shared: &BetaConstants) -> (F, [F; 2]) {
        let ([a, b], at) = (params.map(F::to_f64), Point::of_logit(t.to_f64()));
        let d_t = (a - 1.0) * at.y - (b - 1.0) * at.x;
        let d_params = [at.ln_x + shared.slopes[0], at.ln_y + shared.slopes[1]];
        (F::from_f64(d_t), d_params.map(F::from_f64))
    }
}

/// Returns the log density where the power with exponent `near` − 1 has its base zero.
fn at_border(near: f64, far: f64, constant: f64) -> f64 {
    if constant.is_nan() || near > 1.0 {
        outside(constant)
    } else if near == 1.0 {
        far.ln()
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
dist_tests! { |p| Beta(p[0], p[1]);
    points [0.7, 2.0, 1.5], [0.2, 0.5, 0.4], [0.5, 40.0, 12.0];
    outside [-0.1, 1.1];
    bad [-1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [f64::NAN, 1.0];
    draws [2.5, 0.5], [0.4, 1.0], [40.0, 20.0];
}
