//! The categorical distribution: one of k categories.

use crate::constraints::Category;
use crate::distributions::chances::Chances;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Categories, Family};
use crate::distributions::label_sampler;
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::weights::{self, Index};
use crate::ops::param::IntoVar;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The distribution of a category 0, …, k − 1, by weights ([`Categorical::probs`]) or their logarithms
/// ([`Categorical::logits`]) along the last axis.
#[derive(Clone, Debug)]
pub struct Categorical<'t> {
    chances: Chances<'t>,
}

impl<'t> Categorical<'t> {
    /// Returns the distribution with probabilities proportional to `probs`: `[…, k]`, none negative.
    ///
    /// log p(x) = ln probsₓ − ln Σⱼ probsⱼ
    pub fn probs(probs: impl IntoVar<'t>) -> Self {
        Categorical {
            chances: Chances::Probs(probs.into_param()),
        }
    }

    /// Returns the distribution with probabilities proportional to the exponentials of `logits`: `[…, k]`.
    ///
    /// log p(x) = logitsₓ − ln Σⱼ exp logitsⱼ
    pub fn logits(logits: impl IntoVar<'t>) -> Self {
        Categorical {
            chances: Chances::Logits(logits.into_param()),
        }
    }
}

impl Family for Categorical<'_> {
    type Support = Category;
    type Kind = Categories;
}

impl<'t> Dist<'t> for Categorical<'t> {
    const NAME: &'static str = "Categorical";
    const REPARAMETERISED: bool = false;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.chances.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[self.chances.named(tape)])
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Category(weights::n_categories(&self.chances))
    }

    fn event_shape(&self) -> Shape {
        let mut shape = self.chances.param().event_shape();
        shape.pop();
        shape
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        weights::log_prob::<Index>(x, &self.chances)
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        weights::log_prob_term::<Index>(tape, x, &self.chances, weight, site);
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        label_sampler::draw::<Index>(at, &self.chances)
    }

    /// Not a number: categories have names, no values.
    fn mean(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    /// Not a number: categories have names, no values.
    fn variance(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }
}
/// Σⱼ pⱼ ln(pⱼ / qⱼ), of which categories with pⱼ = 0 count nothing.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == Categorical::NAME).then(|| weights::kl(p[0], q[0]))
}

#[cfg(test)]
op_tests! {
    density_by_probs |p| Categorical::probs(p[0]).log_prob(Var::from(1)) + 2 * Categorical::probs(p[0]).log_prob(Var::from(2));
    [[0.2, 0.5, 0.3]], [[3.0, 1.0, 0.5]], [[[3.0, 1.0, 0.5], [1.0, 1.0, 2.0]]]
}

#[cfg(test)]
op_tests! {
    density_by_logits |t| Categorical::logits(t[0]).log_prob(Var::from(1)) + 2 * Categorical::logits(t[0]).log_prob(Var::from(2));
    [[0.2, -0.5, 0.3]], [[3.0, 1.0, -0.5]], [[[3.0, 1.0, 0.5], [1.0, -1.0, 2.0]]]
}
