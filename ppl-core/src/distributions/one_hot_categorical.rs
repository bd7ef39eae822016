//! The categorical distribution over vectors of zeros with a single one.

use crate::constraints;
use crate::distributions::chances::Chances;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Categories, Family};
use crate::distributions::label_sampler;
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::weights::{self, OneHot};
use crate::ops::param::IntoVar;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The distribution of a category of k as a vector of zeros with a single one, by weights ([`OneHotCategorical::probs`]) or their logarithms
/// ([`OneHotCategorical::logits`]) along the last axis.
#[derive(Clone, Debug)]
pub struct OneHotCategorical<'t> {
    chances: Chances<'t>,
}

impl<'t> OneHotCategorical<'t> {
    /// Returns the distribution with probabilities proportional to `probs`: `[…, k]`, none negative.
    ///
    /// log p(x) = Σⱼ xⱼ ln probsⱼ − ln Σⱼ probsⱼ
    pub fn probs(probs: impl IntoVar<'t>) -> Self {
        OneHotCategorical {
            chances: Chances::Probs(probs.into_param()),
        }
    }

    /// Returns the distribution with probabilities proportional to the exponentials of `logits`: `[…, k]`.
    ///
    /// log p(x) = Σⱼ xⱼ logitsⱼ − ln Σⱼ exp logitsⱼ
    pub fn logits(logits: impl IntoVar<'t>) -> Self {
        OneHotCategorical {
            chances: Chances::Logits(logits.into_param()),
        }
    }
}

impl Family for OneHotCategorical<'_> {
    type Support = constraints::OneHot;
    type Kind = Categories;
}

impl<'t> Dist<'t> for OneHotCategorical<'t> {
    const NAME: &'static str = "OneHotCategorical";
    const REPARAMETERISED: bool = false;
    const EVENT_RANK: usize = 1;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.chances.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[self.chances.named(tape)])
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::OneHot(weights::n_categories(&self.chances))
    }

    fn event_shape(&self) -> Shape {
        let mut shape = self.chances.param().event_shape();
        if shape.is_empty() {
            shape.push(1);
        }
        shape
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        weights::log_prob::<OneHot>(x, &self.chances)
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        weights::log_prob_term::<OneHot>(tape, x, &self.chances, weight, site);
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        label_sampler::draw::<OneHot>(at, &self.chances)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        weights::log_probs(self.chances.named(tape)).exp()
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let mean = self.mean(tape);
        mean * (1.0 - mean)
    }
}

/// Σⱼ pⱼ ln(pⱼ / qⱼ), of which categories with pⱼ = 0 count nothing.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == OneHotCategorical::NAME).then(|| weights::kl(p[0], q[0]))
}
