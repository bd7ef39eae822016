//! The Poisson distribution.

use crate::constraints::Count;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::count_sampler;
use crate::distributions::divergence::deviance;
use crate::distributions::family::{Counts, Family};
use crate::distributions::noise::Noise;
use crate::distributions::scalar_sampler::ScalarSampler;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::gamma::{HALF_LN_2PI, bd0, stirlerr};
use crate::ops::param::{IntoVar, Param};
use crate::rng::Generator;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The distribution of counts of independent events, `rate` of them on average; [`Poisson()`] makes one.
#[derive(Clone, Debug)]
pub struct Poisson<'t> {
    rate: Param<'t>,
}

/// Returns the Poisson distribution with mean `rate` ≥ 0.
///
/// log p(x) = x ln rate − rate − ln x! for x = 0, 1, 2, …
///
/// ```
/// # use ppl_core::{distributions::{Dist, Poisson}, tape::var::Var};
/// assert_eq!(Poisson(2.5).log_prob(Var::from(0)).value(), -2.5);
/// ```
#[allow(non_snake_case)]
pub fn Poisson<'t>(rate: impl IntoVar<'t>) -> Poisson<'t> {
    Poisson {
        rate: rate.into_param(),
    }
}

impl Family for Poisson<'_> {
    type Support = Count;
    type Kind = Counts;
}

impl<'t> Dist<'t> for Poisson<'t> {
    const NAME: &'static str = "Poisson";
    const REPARAMETERISED: bool = false;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(PoissonDensity { rate });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Count(None)
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        at.each::<PoissonDraw, 1>([self.rate.on(at.tape)])
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.rate.on(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.rate.on(tape)
    }
}

/// KL(λ ‖ μ) = λ ln(λ / μ) + μ − λ
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Poisson::NAME {
        return None;
    }
    Some(deviance(p[0].1, q[0].1))
}

/// The density as a loop body, computed in f64.
pub(crate) struct PoissonDensity;

impl Density<1> for PoissonDensity {
    type Shared<F: Real> = ();

    const NAME: &'static str = "Poisson";
    const SHARED: u32 = 0;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 1], _gradient: bool) {}

    fn log_prob<F: Real>(x: F, [rate]: [F; 1], _: &()) -> F {
        let (x, rate) = (x.to_f64(), rate.to_f64());
        F::from_f64(if x.is_nan() || rate.is_nan() || rate < 0.0 {
            f64::NAN
        } else if x < 0.0 || x.floor() != x {
            outside(rate)
        } else if x == 0.0 {
            -rate
        } else {
            -stirlerr(x) - bd0(x, rate) - HALF_LN_2PI - 0.5 * x.ln()
        })
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [rate]: [F; 1], _: &()) -> (F, [F; 1]) {
        let d_rate = F::select(x == F::ZERO, -F::ONE, (x - rate) / rate);
        (F::ZERO, [d_rate])
    }
}

/// A count.
struct PoissonDraw;

impl ScalarSampler<1> for PoissonDraw {
    const NAME: &'static str = "poisson_draw";

    fn draw(rng: &mut Generator, [rate]: [f64; 1]) -> f64 {
        count_sampler::poisson(rng, rate)
    }
}

#[cfg(test)]
dist_tests! { laws discrete |p| Poisson(p[0]);
    points [1.0, 0.3], [0.0, 3.0], [14.0, 10.0];
    outside [-1.0, 0.5];
    bad [-1.0], [f64::NAN];
    draws [0.3], [4.0], [60.0];
}

#[cfg(test)]
op_tests! { gradient |p| Poisson(p[0]).log_prob(Var::from(3)) + Poisson(p[0]).log_prob(Var::from(0)); [0.3], [7.0] }
