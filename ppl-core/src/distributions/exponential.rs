//! The exponential distribution.

use crate::constraints::Positive;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::ratio_excess;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::gamma::{Gamma, kl_of_gammas};
use crate::distributions::noise::{Base, Drawn, Noise, fill_by_inverse};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, per_rate};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::rng::Key;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The exponential distribution with mean 1 / `rate`; [`Exponential()`] makes one.
#[derive(Clone, Debug)]
pub struct Exponential<'t> {
    rate: Param<'t>,
}

/// Returns the exponential distribution with `rate` > 0.
///
/// log p(x) = ln rate − rate x for x ≥ 0
///
/// ```
/// # use ppl_core::{distributions::{Dist, Exponential}, tape::var::Var};
/// assert_eq!(Exponential(1).log_prob(Var::from(2.5)).value(), -2.5);
/// ```
#[allow(non_snake_case)]
pub fn Exponential<'t>(rate: impl IntoVar<'t>) -> Exponential<'t> {
    Exponential {
        rate: rate.into_param(),
    }
}

impl Family for Exponential<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Exponential<'t> {
    const NAME: &'static str = "Exponential";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(ExponentialDensity { rate });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let noise = at.base::<StandardExponential>();
        let value = noise / self.rate.on(at.tape);
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        per_rate(Exponential(1).log_prob(drawn.noise), &self.rate)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.rate.on(tape).recip()
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.rate.on(tape).square().recip()
    }
}

/// The exponential distribution with rate 1.
pub(crate) struct StandardExponential;

impl Base for StandardExponential {
    const NAME: &'static str = "standard_exponential";

    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]) {
        fill_by_inverse(key, first, out, |u| -u.ln());
    }
}

/// KL(λ ‖ μ) = μ / λ − 1 − ln(μ / λ); an exponential distribution is a gamma one with concentration 1.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    match q_name {
        Exponential::NAME => Some(ratio_excess(q[0].1, p[0].1)),
        Gamma::NAME => Some(kl_of_gammas([Var::constant(1.0), p[0].1], [q[0].1, q[1].1])),
        _ => None,
    }
}

/// The density as a loop body.
pub(crate) struct ExponentialDensity;

impl Density<1> for ExponentialDensity {
    /// ln rate.
    type Shared<F: Real> = F;

    const NAME: &'static str = "Exponential";
    const SHARED: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>([rate]: [F; 1], _gradient: bool) -> F {
        rate.ln()
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [rate]: [F; 1], &ln_rate: &F) -> F {
        F::select(x < F::ZERO, outside(ln_rate), ln_rate - rate * x)
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [rate]: [F; 1], _: &F) -> (F, [F; 1]) {
        (-rate, [F::ONE / rate - x])
    }
}

#[cfg(test)]
dist_tests! { |p| Exponential(p[0]);
    points [0.7, 1.5], [2.0, 0.4], [3.0, 2.0];
    outside [-1.0];
    bad [-1.0], [f64::NAN];
    draws [1.0], [0.3];
}
