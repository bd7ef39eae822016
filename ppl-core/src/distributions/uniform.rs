//! The uniform distribution on an interval.

use crate::constraints::Interval;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::Noise;
use crate::distributions::normal::{HALF_LN_TWO_PI, Normal};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, zero_of};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::ops::where_::where_;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The uniform distribution between `low` and `high`; [`Uniform()`] makes one.
#[derive(Clone, Debug)]
pub struct Uniform<'t> {
    low: Param<'t>,
    high: Param<'t>,
}

/// Returns the uniform distribution between `low` and `high` > `low`.
///
/// log p(x) = −ln(high − low) for low ≤ x ≤ high
///
/// ```
/// # use ppl_core::{distributions::{Dist, Uniform}, tape::var::Var};
/// assert_eq!(Uniform(2, 4).log_prob(Var::from(3)).value(), -std::f64::consts::LN_2);
/// ```
#[allow(non_snake_case)]
pub fn Uniform<'t>(low: impl IntoVar<'t>, high: impl IntoVar<'t>) -> Uniform<'t> {
    Uniform {
        low: low.into_param(),
        high: high.into_param(),
    }
}

impl Family for Uniform<'_> {
    type Support = Interval;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Uniform<'t> {
    const NAME: &'static str = "Uniform";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(UniformDensity { low, high });

    fn support(&self, tape: &'t Tape) -> Support<'t> {
        Support::Interval(self.low.on(tape), self.high.on(tape))
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        at.between(self.low.on(at.tape), self.high.on(at.tape))
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.low.on(tape) * 0.5 + self.high.on(tape) * 0.5
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        (self.high.on(tape) - self.low.on(tape)).square() / 12.0
    }
}

/// From another interval ln(width ratio), infinite unless it lies around; from a normal distribution
/// ln(σ √(2π) / width) + ((middle − μ)² + width² / 12) / (2 σ²).
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    let (low, high) = (p[0].1, p[1].1);
    let width = high - low;
    match q_name {
        Uniform::NAME => {
            let is_within = low.ge(q[0].1) * high.le(q[1].1);
            Some(where_(is_within, ((q[1].1 - q[0].1) / width).ln(), f64::INFINITY))
        }
        Normal::NAME => {
            let (loc, scale) = (q[0].1, q[1].1);
            let spread = ((low + high) * 0.5 - loc).square() + width.square() / 12.0;
            Some((scale / width).ln() + HALF_LN_TWO_PI + spread / (scale.square() * 2.0))
        }
        _ => None,
    }
}

/// The density as a loop body.
pub(crate) struct UniformDensity;

impl Density<2> for UniformDensity {
    /// ln(high − low), NaN where that is no interval, and 1 / (high − low).
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "Uniform";
    const SHARED: u32 = 0b11;

    #[inline(always)]
    fn shared<F: Real>([low, high]: [F; 2], _gradient: bool) -> (F, F) {
        // The width of (−10³⁰⁸, 10³⁰⁸) is no number, a half of it is.
        let half = F::from_f64(0.5);
        let width = high - low;
        let half_width = half * high - half * low;
        let ln_width = F::select(
            width.is_finite(),
            width.ln(),
            half_width.ln() + F::from_f64(std::f64::consts::LN_2),
        );
        let is_interval = (low < high) & half_width.is_finite();
        let inverse = F::select(width.is_finite(), F::ONE / width, half / half_width);
        (F::select(is_interval, ln_width, F::NAN), inverse)
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [low, high]: [F; 2], &(ln_width, _): &(F, F)) -> F {
        let beyond = F::select((x < low) | (x > high), -F::INFINITY, zero_of(x));
        beyond - ln_width
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [low, high]: [F; 2], &(_, inverse): &(F, F)) -> (F, [F; 2]) {
        let slope = F::select((x >= low) & (x <= high), inverse, F::ZERO);
        (F::ZERO, [slope, -slope])
    }
}

#[cfg(test)]
dist_tests! { |p| Uniform(p[0], p[1]);
    points [0.7, 0.2, 1.5], [0.6, -1.5, 0.9], [0.65, -1.0, 2.0];
    outside [0.1, 1.6, -f64::INFINITY];
    bad [1.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0];
    draws [0.0, 1.0], [-1.5, 0.3];
}
