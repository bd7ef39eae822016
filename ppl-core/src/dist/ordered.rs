//! Independent draws in ascending order: what makes the components of a mixture distinguishable.

use crate::constraints;
use crate::dist::contract::{Dist, Modifiers, Params};
use crate::dist::draw::Draw;
use crate::dist::family::Family;
use crate::dist::support::Support;
use crate::math::gamma::ln_gamma;
use crate::ops::where_::where_;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The order statistics of independent draws; [`ordered`](crate::dist::DistExt::ordered) makes one.
#[derive(Clone, Debug)]
pub struct Ordered<D> {
    base: D,
}

impl<D> Ordered<D> {
    /// Returns the distribution of the elements of `base` in ascending order.
    ///
    /// # Panics
    ///
    /// If `base` is no distribution of vectors of numbers.
    pub(crate) fn new<'t>(base: D) -> Self
    where
        D: Dist<'t>,
    {
        let is_vector = D::EVENT_RANK == 0 && !base.event_shape().is_empty();
        assert!(
            is_vector,
            "`.ordered()` needs a vector of numbers: write `{}(…).expand([k]).ordered()`",
            D::NAME
        );
        Ordered { base }
    }
}

impl<D: Family> Family for Ordered<D> {
    type Support = constraints::Ordered;
    type Kind = D::Kind;
}

impl<'t, D: Dist<'t>> Dist<'t> for Ordered<D> {
    const NAME: &'static str = "Ordered";
    const REPARAMETERISED: bool = D::REPARAMETERISED;
    const EVENT_RANK: usize = 1;

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        self.base.params(tape)
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Ordered
    }

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }

    /// log p(x) = ln k! + Σᵢ log p(xᵢ) for each row x₁ < … < xₖ, −∞ for others
    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        let event = x.event_shape();
        let last = event.len() - 1;
        let k = event[last];
        let sum = self.base.log_prob(x).sum_axis(last) + ln_gamma(k as f64 + 1.0);
        if k < 2 {
            return sum;
        }
        let falls = x.slice_axis(last, ..k - 1).ge(x.slice_axis(last, 1..));
        where_(falls.sum_axis(last).gt(0.0), f64::NEG_INFINITY, sum)
    }

    fn draw(&self, at: &Draw<'t>) -> Var<'t> {
        self.base.draw(at).sort()
    }

    /// NaN: the means of order statistics have no closed form in general.
    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        tape.lift(Var::constant(f64::NAN))
    }

    /// NaN, as the mean.
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        tape.lift(Var::constant(f64::NAN))
    }

    fn modifiers(&self) -> Modifiers<'t> {
        self.base.modifiers()
    }
}

#[cfg(test)]
mod tests {
    use crate::dist::{Dist, DistExt, HalfNormal, Normal};
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn the_density_is_that_of_all_permutations() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let d = Normal(1, 2).expand([2, 3]).ordered();
        let x = tape.constant_array(&[2, 3], [-1.0, 0.5, 2.0, 0.5, -1.0, 2.0].into_iter());
        let log_prob = d.log_prob(x).elements();
        // ln 3! − 3 ln 2 − (3 / 2) ln 2π − (2² + 0.5² + 1²) / 8
        let expected = 6.0f64.ln() - 3.0 * 2.0f64.ln() - 1.5 * std::f64::consts::TAU.ln() - 5.25 / 8.0;
        assert_eq!(log_prob.len(), 2);
        assert!(
            (log_prob[0] - expected).abs() < 1e-12,
            "{} is not {expected}",
            log_prob[0]
        );
        assert_eq!(log_prob[1], f64::NEG_INFINITY);
    }

    #[test]
    #[should_panic(expected = "write `HalfNormal(…).expand([k]).ordered()`")]
    fn a_number_cannot_be_ordered() {
        HalfNormal(1).ordered();
    }
}
