//! The binomial distribution.

use std::marker::PhantomData;

use crate::constraints::Count;
use crate::distributions::bernoulli::kl_of_trials;
use crate::distributions::chances::Chances;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::count_sampler;
use crate::distributions::family::{Counts, Family};
use crate::distributions::noise::Noise;
use crate::distributions::scalar_sampler::ScalarSampler;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::beta::log_binomial;
use crate::math::gamma::{HALF_LN_2PI, bd0_from_difference, stirlerr};
use crate::math::logspace::{log_sigmoid, sigmoid};
use crate::ops::param::{IntoVar, Param};
use crate::ops::where_::where_;
use crate::rng::Generator;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::dists::dist_tests;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The distribution of the number of successes in independent trials, by the probability of each ([`Binomial::probs`])
/// or its log-odds ([`Binomial::logits`]).
#[derive(Clone, Debug)]
pub struct Binomial<'t> {
    total_count: Param<'t>,
    chance: Chances<'t>,
}

impl<'t> Binomial<'t> {
    /// Returns the number of successes in `total_count` trials with probability `probs` each, 0 and 1 included.
    ///
    /// log p(x) = ln (n choose x) + x ln probs + (n − x) ln(1 − probs) for x = 0, …, n
    ///
    /// ```
    /// # use ppl_core::{distributions::{Binomial, Dist}, tape::var::Var};
    /// assert!((Binomial::probs(2, 0.5).log_prob(Var::from(1)).value() + 2f64.ln()).abs() < 1e-15);
    /// ```
    pub fn probs(total_count: impl IntoVar<'t>, probs: impl IntoVar<'t>) -> Self {
        Binomial {
            total_count: total_count.into_param(),
            chance: Chances::Probs(probs.into_param()),
        }
    }

    /// Returns the number of successes in `total_count` trials with log-odds `logits` each.
    ///
    /// log p(x) = ln (n choose x) + x logits − n ln(1 + e^logits) for x = 0, …, n
    ///
    /// ```
    /// # use ppl_core::{distributions::{Binomial, Dist}, tape::var::Var};
    /// assert!((Binomial::logits(2, 0).log_prob(Var::from(1)).value() + 2f64.ln()).abs() < 1e-15);
    /// ```
    pub fn logits(total_count: impl IntoVar<'t>, logits: impl IntoVar<'t>) -> Self {
        Binomial {
            total_count: total_count.into_param(),
            chance: Chances::Logits(logits.into_param()),
        }
    }

    /// Returns the probability of a success.
    fn success(&self, tape: &'t Tape) -> Var<'t> {
        match &self.chance {
            Chances::Probs(p) => p.on(tape),
            Chances::Logits(t) => t.on(tape).sigmoid(),
        }
    }
}

impl Family for Binomial<'_> {
    type Support = Count;
    type Kind = Counts;
}

impl<'t> Dist<'t> for Binomial<'t> {
    const NAME: &'static str = "Binomial";
    const REPARAMETERISED: bool = false;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.total_count.put_on(tape);
        self.chance.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[("total_count", self.total_count.on(tape)), self.chance.named(tape)])
    }

    fn support(&self, tape: &'t Tape) -> Support<'t> {
        Support::Count(Some(self.total_count.on(tape)))
    }

    fn event_shape(&self) -> Shape {
        univariate::event_shape(&[&self.total_count, self.chance.param()])
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        match &self.chance {
            Chances::Probs(p) => univariate::log_prob::<ByProbs, 2>(x, [&self.total_count, p]),
            Chances::Logits(p) => univariate::log_prob::<ByLogits, 2>(x, [&self.total_count, p]),
        }
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        match &self.chance {
            Chances::Probs(p) => {
                univariate::log_prob_term::<ByProbs, 2>(tape, x, [&self.total_count, p], weight, site);
            }
            Chances::Logits(p) => {
                univariate::log_prob_term::<ByLogits, 2>(tape, x, [&self.total_count, p], weight, site);
            }
        }
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        let args = [self.total_count.on(at.tape), self.chance.param().on(at.tape)];
        match &self.chance {
            Chances::Probs(_) => at.each::<BinomialDraw<ByProbs>, 2>(args),
            Chances::Logits(_) => at.each::<BinomialDraw<ByLogits>, 2>(args),
        }
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.total_count.on(tape) * self.success(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let failure = match &self.chance {
            Chances::Probs(p) => 1.0 - p.on(tape),
            Chances::Logits(t) => (-t.on(tape)).sigmoid(),
        };
        self.mean(tape) * failure
    }
}

/// The number of trials times the divergence of one; only for equal numbers of trials, else not a number.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Binomial::NAME {
        return None;
    }
    let trials = p[0].1;
    let kl = trials * kl_of_trials(p[1], q[1]);
    Some(where_(trials.eq_mask(q[0].1), kl, f64::NAN))
}

/// A parameter of a trial.
trait Chance: 'static {
    const NAME: &'static str;
    const DRAW: &'static str;

    /// Returns the probabilities of success and failure, NaN if the parameter is not allowed.
    fn of(param: f64) -> (f64, f64);

    /// Returns the logarithms of the probabilities of success and failure.
    fn logs(param: f64) -> (f64, f64);

    /// Returns x − n p for x successes and y = n − x failures.
    fn excess(x: f64, y: f64, param: f64) -> f64;

    /// Returns the derivative of the log density of x successes and y failures.
    fn derivative(x: f64, y: f64, param: f64) -> f64;
}

/// By the probability.
struct ByProbs;

impl Chance for ByProbs {
    const NAME: &'static str = "Binomial";
    const DRAW: &'static str = "binomial_draw";

    fn of(p: f64) -> (f64, f64) {
        if (0.0..=1.0).contains(&p) {
            (p, 1.0 - p)
        } else {
            (f64::NAN, f64::NAN)
        }
    }

    fn logs(p: f64) -> (f64, f64) {
        (p.ln(), (-p).ln_1p())
    }

    fn excess(x: f64, y: f64, p: f64) -> f64 {
        (1.0 - p) * x - p * y
    }

    fn derivative(x: f64, y: f64, p: f64) -> f64 {
        let part = |count: f64, chance: f64| if count == 0.0 { 0.0 } else { count / chance };
        part(x, p) - part(y, 1.0 - p)
    }
}

/// By the log-odds.
struct ByLogits;

impl Chance for ByLogits {
    const NAME: &'static str = "Binomial_logits";
    const DRAW: &'static str = "binomial_logits_draw";

    fn of(t: f64) -> (f64, f64) {
        (sigmoid(t), sigmoid(-t))
    }

    fn logs(t: f64) -> (f64, f64) {
        (log_sigmoid(t), log_sigmoid(-t))
    }

    /// Written so that nothing cancels about t = 0 or in the tails.
    fn excess(x: f64, y: f64, t: f64) -> f64 {
        let n = x + y;
        if t.abs() < 1.0 {
            0.5 * (x - y) - 0.5 * n * (0.5 * t).tanh()
        } else if t < 0.0 {
            x - n * sigmoid(t)
        } else {
            n * sigmoid(-t) - y
        }
    }

    fn derivative(x: f64, y: f64, t: f64) -> f64 {
        Self::excess(x, y, t)
    }
}

impl<C: Chance> Density<2> for C {
    type Shared<F: Real> = ();

    const NAME: &'static str = <C as Chance>::NAME;
    const SHARED: u32 = 0;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 2], _gradient: bool) {}

    fn log_prob<F: Real>(x: F, [n, param]: [F; 2], _: &()) -> F {
        F::from_f64(log_prob::<C>(x.to_f64(), n.to_f64(), param.to_f64()))
    }

    fn partials<F: Real>(x: F, [n, param]: [F; 2], _: &()) -> (F, [F; 2]) {
        let (x, n) = (x.to_f64(), n.to_f64());
        let d_param = C::derivative(x, n - x, param.to_f64());
        (F::ZERO, [F::ZERO, F::from_f64(d_param)])
    }
}

fn log_prob<C: Chance>(x: f64, n: f64, param: f64) -> f64 {
    let (p, q) = C::of(param);
    if p.is_nan() || x.is_nan() || !(n >= 0.0 && n.floor() == n) {
        return f64::NAN;
    }
    let y = n - x;
    if !(x >= 0.0 && y >= 0.0 && x.floor() == x) {
        return outside(p);
    }
    let (ln_p, ln_q) = C::logs(param);
    if x == 0.0 || y == 0.0 {
        return if y > 0.0 {
            y * ln_q
        } else if x > 0.0 {
            x * ln_p
        } else {
            0.0
        };
    }
    if p.min(q) < f64::MIN_POSITIVE {
        return log_binomial(n, x) + x * ln_p + y * ln_q;
    }
    // n q − y is the same excess, and n p − x its negative.
    let excess = C::excess(x, y, param);
    let deviance = bd0_from_difference(x, n * p, -excess) + bd0_from_difference(y, n * q, excess);
    stirlerr(n) - stirlerr(x) - stirlerr(y) - deviance - HALF_LN_2PI - 0.5 * (x / n * y).ln()
}

/// A number of successes.
struct BinomialDraw<C>(PhantomData<C>);

impl<C: Chance> ScalarSampler<2> for BinomialDraw<C> {
    const NAME: &'static str = C::DRAW;

    fn draw(rng: &mut Generator, [n, param]: [f64; 2]) -> f64 {
        let (p, q) = C::of(param);
        count_sampler::binomial(rng, n, p, q)
    }
}

#[cfg(test)]
dist_tests! { by_probs discrete |p| Binomial::probs(p[0], p[1]);
    points [1.0, 5.0, 0.3], [0.0, 3.0, 0.8], [4.0, 4.0, 0.1];
    outside [6.0, -1.0, 0.5];
    bad [3.0, -0.1], [3.0, 1.1], [-1.0, 0.5], [2.5, 0.5];
    draws [5.0, 0.3], [100.0, 0.9];
}

#[cfg(test)]
dist_tests! { by_logits discrete |p| Binomial::logits(p[0], p[1]);
    points [1.0, 5.0, 0.3], [0.0, 3.0, 0.8], [4.0, 4.0, -2.0];
    outside [6.0, -1.0, 0.5];
    bad [3.0, f64::NAN], [-1.0, 0.5];
    draws [5.0, 0.3], [100.0, -2.0];
}

#[cfg(test)]
op_tests! { gradient_by_probs |p| Binomial::probs(7, p[0]).log_prob(Var::from(3)) + Binomial::probs(4, p[0]).log_prob(Var::from(0)); [0.3], [0.7] }
#[cfg(test)]
op_tests! { gradient_by_logits |t| Binomial::logits(7, t[0]).log_prob(Var::from(3)) + Binomial::logits(4, t[0]).log_prob(Var::from(0)); [0.3], [-2.0] }
