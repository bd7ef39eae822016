//! Methods on distributions that change a site: `.expand([k])`, `.mask(m)`, `.scale(w)`, `.noncentered()`, `.enumerate()`.

use crate::constraints::{self, FiniteSupport};
use crate::distributions::contract::{Dist, Kl, Modifiers, Params};
use crate::distributions::family::Family;
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::ordered::Ordered;
use crate::distributions::support::Support;
use crate::distributions::truncated::{Standardised, Truncated};
use crate::ops::broadcast::broadcast_to;
use crate::ops::param::IntoVar;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};

/// Methods of every distribution.
pub trait DistExt<'t>: Dist<'t> {
    /// Returns independent draws of this distribution, as an array with `sizes` as first axes.
    ///
    /// ```
    /// # use ppl_core::distributions::{Dist, DistExt, Normal};
    /// assert_eq!(Normal(0, 1).expand([3, 2]).event_shape().as_slice(), [3, 2]);
    /// ```
    fn expand(self, sizes: impl AsRef<[usize]>) -> Expand<Self> {
        Expand {
            base: self,
            sizes: Shape::from_slice(sizes.as_ref()),
        }
    }

    /// Returns the distribution with rows whose density does not count: those for which `mask` is zero.
    ///
    /// As [`DistExt::scale`], a mask acts on log p(x) alone: it never takes the Jacobian of unconstrained coordinates.
    fn mask(self, mask: impl Into<Var<'t>>) -> Modified<'t, Self> {
        let mask = mask.into();
        self.modified(|m| m.mask = Some(m.mask.map_or(mask, |old| old * mask)))
    }

    /// Returns the distribution with its log density times `factor`.
    ///
    /// The factor s multiplies log p(x), the log density of the site at its own value, exactly as the handler
    /// [`ModelExt::scale`](crate::runtime::handlers::ModelExt::scale) does. It never multiplies the Jacobian |dx/dz| of the
    /// coordinates z that an algorithm works in, be they unconstrained or standardised, so that all algorithms are about the
    /// one density p(x)ˢ: in z, s log p(x) + ln |dx/dz|. The factor N/B of a subsampled plate multiplies both.
    fn scale(self, factor: impl Into<Var<'t>>) -> Modified<'t, Self> {
        let factor = factor.into();
        self.modified(|m| m.scale = Some(m.scale.map_or(factor, |old| old * factor)))
    }

    /// Returns the distribution with its standardised value as the latent: sampling in the coordinates of
    /// (x − loc) / scale, for location-scale families.
    fn noncentered(self) -> Modified<'t, Self> {
        self.modified(|m| m.noncentered = true)
    }

    /// Returns the distribution of a site that is summed out exactly.
    fn enumerate(self) -> Modified<'t, Self>
    where
        Self::Support: FiniteSupport,
    {
        self.modified(|m| m.enumerate = true)
    }

    /// Returns the distribution of the elements along the last axis in ascending order; they have to be identically
    /// distributed, as in `Normal(0, 10).expand([k]).ordered()`.
    ///
    /// log p(x) = ln k! + Σᵢ log p(xᵢ)
    fn ordered(self) -> Ordered<Self>
    where
        Self: Family<Support = constraints::Real>,
    {
        const { assert!(Self::EVENT_RANK == 0, "only numbers can be ordered") };
        Ordered { base: self }
    }

    /// Returns the distribution conditioned on values between `low` and `high`, either of which may be infinite.
    ///
    /// log p(x) − ln(F(high) − F(low)) with the distribution function F
    fn truncate(self, low: impl IntoVar<'t>, high: impl IntoVar<'t>) -> Truncated<'t, Self>
    where
        Self: Standardised<'t>,
    {
        Truncated {
            base: self,
            low: low.into_param(),
            high: high.into_param(),
        }
    }

    #[doc(hidden)]
    fn modified(self, change: impl FnOnce(&mut Modifiers<'t>)) -> Modified<'t, Self> {
        let mut modifiers = self.modifiers();
        change(&mut modifiers);
        Modified { base: self, modifiers }
    }
}

impl<'t, D: Dist<'t>> DistExt<'t> for D {}

/// A distribution whose site is changed, with the same density.
#[derive(Clone, Debug)]
pub struct Modified<'t, D> {
    base: D,
    modifiers: Modifiers<'t>,
}

impl<D: Family> Family for Modified<'_, D> {
    type Support = D::Support;
    type Kind = D::Kind;
}

/// Writes the methods of `Dist` that pass through to the field `base`.
macro_rules! pass_through {
    () => {
        const REPARAMETERISED: bool = D::REPARAMETERISED;
        const IS_PROPER: bool = D::IS_PROPER;
        const EVENT_RANK: usize = D::EVENT_RANK;
        const KL: Option<Kl> = D::KL;

        fn put_on(&mut self, tape: &'t Tape) {
            self.base.put_on(tape);
        }

        fn params(&self, tape: &'t Tape) -> Params<'t> {
            self.base.params(tape)
        }

        #[track_caller]
        fn log_prob(&self, x: Var<'t>) -> Var<'t> {
            self.base.log_prob(x)
        }

        fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
            self.base.log_prob_term(tape, x, weight, site);
        }

        fn support(&self, tape: &'t Tape) -> Support<'t> {
            self.base.support(tape)
        }

        fn draw(&self, at: &Noise<'t>) -> Var<'t> {
            self.base.draw(at)
        }

        fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
            self.base.drawn(at)
        }

        fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
            self.base.drawn_log_prob(drawn)
        }

        fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32) {
            self.base.drawn_term(tape, drawn, weight, site);
        }

        fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
            self.base.from_standard(tape, z)
        }

        fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
            self.base.standard_term(tape, z, weight, site);
        }
    };
}

impl<'t, D: Dist<'t>> Dist<'t> for Modified<'t, D> {
    const NAME: &'static str = D::NAME;

    pass_through!();

    fn event_shape(&self) -> Shape {
        self.base.event_shape()
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.base.mean(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.base.variance(tape)
    }

    fn modifiers(&self) -> Modifiers<'t> {
        self.modifiers
    }
}

/// An array of independent draws; [`DistExt::expand`] makes one.
#[derive(Clone, Debug)]
pub struct Expand<D> {
    base: D,
    sizes: Shape,
}

impl<D> Expand<D> {
    /// Puts the sizes before the axes of one draw.
    fn shape(&self, event: &[usize]) -> Shape {
        self.sizes.iter().chain(event).copied().collect()
    }
}

/// Repeats a value along event axes that it lacks.
fn spread<'t>(tape: &'t Tape, x: Var<'t>, event: &[usize]) -> Var<'t> {
    let x = tape.lift(x);
    match broadcast(&x.event_shape(), event) {
        Some(common) if common != x.event_shape() => broadcast_to(tape, x, &x.dims(), &common),
        _ => x,
    }
}

impl<D: Family> Family for Expand<D> {
    type Support = D::Support;
    type Kind = D::Kind;
}

impl<'t, D: Dist<'t>> Dist<'t> for Expand<D> {
    const NAME: &'static str = D::NAME;

    pass_through!();

    fn event_shape(&self) -> Shape {
        self.shape(&self.base.event_shape())
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        spread(tape, self.base.mean(tape), &self.event_shape())
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        spread(tape, self.base.variance(tape), &self.event_shape())
    }

    fn modifiers(&self) -> Modifiers<'t> {
        self.base.modifiers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{Bernoulli, Dirichlet, Normal};
    use crate::rng::Key;
    use crate::tape::store::Precision;

    #[test]
    fn an_expanded_distribution_has_independent_draws_and_one_density() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dist = Normal(1, 2).expand([2, 3]);
        let at = Noise {
            tape: &tape,
            stream: 1,
            dims: Default::default(),
            event: dist.event_shape(),
        };
        let x = dist.draw(&at);
        let mut values = x.elements();
        assert_eq!(dist.log_prob(x).elements(), Normal(1, 2).log_prob(x).elements());
        values.sort_by(f64::total_cmp);
        values.dedup();
        assert_eq!(values.len(), 6);
        assert_eq!(dist.mean(&tape).elements(), [1.0; 6]);
        assert_eq!(dist.variance(&tape).elements(), [4.0; 6]);
    }

    #[test]
    fn rows_of_an_expanded_vector_share_its_parameters() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dist = Dirichlet([1.0, 2.0]).expand([3]);
        assert_eq!(dist.event_shape().as_slice(), [3, 2]);
        let x = tape.constant_array(&[3, 2], [0.5, 0.5, 0.25, 0.75, 0.1, 0.9].into_iter());
        for (got, want) in dist.log_prob(x).elements().iter().zip([1.0f64, 1.5, 1.8]) {
            // Dirichlet(1, 2) has density 2 x₁.
            assert!((got - want.ln()).abs() < 1e-14);
        }
    }

    #[test]
    fn methods_add_up() {
        let both = Normal(0, 1)
            .scale(2)
            .expand([2])
            .scale(3)
            .noncentered()
            .mask(0)
            .modifiers();
        assert_eq!(both.scale.map(Var::value), Some(6.0));
        assert_eq!(both.mask.map(Var::value), Some(0.0));
        assert!(both.noncentered && !both.enumerate);
        assert!(Bernoulli::probs(0.5).enumerate().modifiers().enumerate);
    }
}
