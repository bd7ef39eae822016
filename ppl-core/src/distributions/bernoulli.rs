//! The Bernoulli distribution: false or true, as zero and one.

use std::marker::PhantomData;

use crate::constraints::Boolean;
use crate::distributions::chances::Chances;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::log_deviance;
use crate::distributions::family::{Binary, Family};
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, zero_of};
use crate::kernels::density::Density;
use crate::kernels::random::fill_uniform;
use crate::kernels::real::Real;
use crate::ops::param::IntoVar;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::dists::dist_tests;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The distribution of a truth value, by its probability ([`Bernoulli::probs`]) or log-odds ([`Bernoulli::logits`]).
#[derive(Clone, Debug)]
pub struct Bernoulli<'t> {
    chance: Chances<'t>,
}

impl<'t> Bernoulli<'t> {
    /// Returns the distribution that is one with probability `probs`, between 0 and 1 inclusive.
    ///
    /// log p(x) = x ln probs + (1 − x) ln(1 − probs)
    ///
    /// ```
    /// # use ppl_core::{distributions::{Bernoulli, Dist}, tape::var::Var};
    /// assert_eq!(Bernoulli::probs(0.25).log_prob(Var::from(1)).value(), 0.25f64.ln());
    /// ```
    pub fn probs(probs: impl IntoVar<'t>) -> Self {
        Bernoulli {
            chance: Chances::Probs(probs.into_param()),
        }
    }

    /// Returns the distribution that is one with probability 1 / (1 + e^−`logits`).
    ///
    /// log p(x) = x logits − ln(1 + e^logits)
    ///
    /// ```
    /// # use ppl_core::{distributions::{Bernoulli, Dist}, tape::var::Var};
    /// assert_eq!(Bernoulli::logits(0).log_prob(Var::from(1)).value(), -std::f64::consts::LN_2);
    /// ```
    pub fn logits(logits: impl IntoVar<'t>) -> Self {
        Bernoulli {
            chance: Chances::Logits(logits.into_param()),
        }
    }
}

impl Family for Bernoulli<'_> {
    type Support = Boolean;
    type Kind = Binary;
}

impl<'t> Dist<'t> for Bernoulli<'t> {
    const NAME: &'static str = "Bernoulli";
    const REPARAMETERISED: bool = false;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.chance.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[self.chance.named(tape)])
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Boolean
    }

    fn event_shape(&self) -> Shape {
        self.chance.param().event_shape()
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        match &self.chance {
            Chances::Probs(p) => univariate::log_prob::<ByProbs, 1>(x, [p]),
            Chances::Logits(p) => univariate::log_prob::<ByLogits, 1>(x, [p]),
        }
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        match &self.chance {
            Chances::Probs(p) => univariate::log_prob_term::<ByProbs, 1>(tape, x, [p], weight, site),
            Chances::Logits(p) => univariate::log_prob_term::<ByLogits, 1>(tape, x, [p], weight, site),
        }
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        let def = match &self.chance {
            Chances::Probs(_) => BernoulliDraw::<ByProbs>::DEF,
            Chances::Logits(_) => BernoulliDraw::<ByLogits>::DEF,
        };
        let chance = at.fit(self.chance.param().on(at.tape));
        at.tape.record(def, &[chance], &[at.stream], &at.dims, &at.event, 0)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        match &self.chance {
            Chances::Probs(p) => p.on(tape),
            Chances::Logits(p) => p.on(tape).sigmoid(),
        }
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        match &self.chance {
            Chances::Probs(p) => p.on(tape) * (1.0 - p.on(tape)),
            Chances::Logits(p) => p.on(tape).sigmoid() * (-p.on(tape)).sigmoid(),
        }
    }
}

/// Σ over both values of p ln(p / q), of which those with p = 0 count nothing.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == Bernoulli::NAME).then(|| kl_of_trials(p[0], q[0]))
}

/// Returns the divergence of trials, given by the name of their parameter and its value.
pub(crate) fn kl_of_trials<'t>(p: (&str, Var<'t>), q: (&str, Var<'t>)) -> Var<'t> {
    let (p, q) = (log_chances(p), log_chances(q));
    log_deviance(p[0], q[0]) + log_deviance(p[1], q[1])
}

/// Returns the logarithms of the probabilities of one and of zero.
fn log_chances<'t>((name, param): (&str, Var<'t>)) -> [Var<'t>; 2] {
    if name == "logits" {
        [-(-param).softplus(), -param.softplus()]
    } else {
        [param.ln(), (-param).ln_1p()]
    }
}

/// The density by the probability, as a loop body.
pub(crate) struct ByProbs;

/// The density by the log-odds, as a loop body.
pub(crate) struct ByLogits;

/// Returns whether `x` is a truth value, or NaN, which shall stay visible.
#[inline(always)]
fn is_truth<F: Real>(x: F) -> bool {
    (x == F::ZERO) | (x == F::ONE) | x.is_nan()
}

impl Density<1> for ByProbs {
    type Shared<F: Real> = ();

    const NAME: &'static str = "Bernoulli";
    const SHARED: u32 = 0;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 1], _gradient: bool) {}

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [p]: [F; 1], _: &()) -> F {
        let p = F::select((p >= F::ZERO) & (p <= F::ONE), p, F::NAN);
        let inside = F::select(x == F::ONE, p.ln(), (-p).ln_1p() + zero_of(x));
        F::select(is_truth(x), inside, outside(p))
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [p]: [F; 1], _: &()) -> (F, [F; 1]) {
        let is_one = x == F::ONE;
        let chance = F::select(is_one, p, p - F::ONE);
        (F::ZERO, [F::ONE / chance])
    }
}

impl Density<1> for ByLogits {
    type Shared<F: Real> = ();

    const NAME: &'static str = "Bernoulli_logits";
    const SHARED: u32 = 0;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 1], _gradient: bool) {}

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [t]: [F; 1], _: &()) -> F {
        // ln sigmoid(t) = −softplus(−t) and ln(1 − sigmoid(t)) = −softplus(t).
        let inside = -F::select(x == F::ONE, -t, t + zero_of(x)).softplus();
        F::select(is_truth(x), inside, outside(t))
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [t]: [F; 1], _: &()) -> (F, [F; 1]) {
        let is_one = x == F::ONE;
        let miss = F::select(is_one, -t, t).sigmoid();
        (F::ZERO, [F::select(is_one, miss, -miss)])
    }
}

/// How the parameter of a draw gives the probability.
trait Chance: 'static {
    const DRAW: &'static str;

    fn probability<F: Real>(param: F) -> F;
}

impl Chance for ByProbs {
    const DRAW: &'static str = "bernoulli_draw";

    #[inline(always)]
    fn probability<F: Real>(p: F) -> F {
        F::select((p >= F::ZERO) & (p <= F::ONE), p, F::NAN)
    }
}

impl Chance for ByLogits {
    const DRAW: &'static str = "bernoulli_logits_draw";

    #[inline(always)]
    fn probability<F: Real>(t: F) -> F {
        t.sigmoid()
    }
}

/// One where a uniform number is below the probability, else zero.
struct BernoulliDraw<C>(PhantomData<C>);

impl<C: Chance> Op for BernoulliDraw<C> {
    const NAME: &'static str = C::DRAW;
    const ROLE: Role = Role::Random;
    const NO_GRAD: u32 = 1;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (chance, out) = (call.x(0), call.out());
        fill_uniform(call.key(), out);
        for (i, u) in out.iter_mut().enumerate() {
            let p = C::probability(if chance.len() == 1 { chance[0] } else { chance[i] });
            *u = F::select(p.is_nan(), p, F::select(*u < p, F::ONE, F::ZERO));
        }
    }

    fn backward<F: Real>(_: &mut Call<'_, F>) {}
}

#[cfg(test)]
dist_tests! { by_probs discrete |p| Bernoulli::probs(p[0]);
    points [1.0, 0.3], [0.0, 0.8], [0.0, 0.1];
    outside [2.0, -1.0, 0.5];
    bad [-0.1], [1.1], [f64::NAN];
    draws [0.3], [0.9];
}

#[cfg(test)]
dist_tests! { by_logits discrete |p| Bernoulli::logits(p[0]);
    points [1.0, 0.3], [0.0, 0.8], [0.0, -2.0];
    outside [2.0, -1.0, 0.5];
    bad [f64::NAN];
    draws [0.3], [-2.0];
}

#[cfg(test)]
op_tests! { gradient_by_probs |p| Bernoulli::probs(p[0]).log_prob(Var::from(1)) + Bernoulli::probs(p[0]).log_prob(Var::from(0)); [0.3], [0.7] }
#[cfg(test)]
op_tests! { gradient_by_logits |t| Bernoulli::logits(t[0]).log_prob(Var::from(1)) + 2 * Bernoulli::logits(t[0]).log_prob(Var::from(0)); [0.3], [-2.0] }
