//! Where the values of latent sites come from: fresh draws, inputs of a density, a guide.

use crate::bijectors::default::for_support;
use crate::bijectors::{Bijector, Interval};
use crate::distributions::support::{Bounded, Support};
use crate::error::Place;
use crate::ops::broadcast::broadcast_to;
use crate::runtime::context::Ctx;
use crate::runtime::stop::Res;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// A latent site that needs a value.
pub struct LatentSite<'a, 't> {
    /// The unique name.
    pub address: &'a str,
    /// Where it is written.
    pub place: Place,
    /// The distribution's name.
    pub distribution: &'static str,
    /// The set of its values.
    pub support: Support<'t>,
    /// The lengths of the open plates, all rows counted.
    pub rows: Shape,
    /// The event shape.
    pub event: Shape,
    /// The event shape of its unconstrained form.
    pub free_event: Shape,
    /// Whether the unconstrained form is the standardised value of a noncentered site.
    pub is_noncentered: bool,
    /// Whether fresh draws have derivatives by the parameters.
    pub is_reparameterised: bool,
    /// What a handler gave to start from.
    pub start: Option<Start>,
    /// Draws a value from the prior: `[plates…, event…]`, for starting points of discrete sites.
    pub prior_draw: &'a dyn Fn() -> Vec<f64>,
}

/// A value to start from, all rows counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// On the support: `[plates…, event…]`.
    pub values: Vec<f64>,
    /// Unconstrained, or of a noncentered site standardised: `[plates…, free event…]`. Of a discrete site it is the value.
    pub free: Vec<f64>,
}

impl<'t> LatentSite<'_, 't> {
    /// Returns the unconstrained form of `values: [plates…, event…]`, which is not finite outside of the support, or `None`
    /// if its bounds are known for the rows of a batch only, or it is discrete.
    pub(crate) fn unconstrain(&self, ctx: Ctx<'t>, values: &[f64]) -> Option<Vec<f64>> {
        let bijector: Box<dyn Bijector<'t> + 't> = match self.support {
            Support::Interval(low, high) => Box::new(Interval {
                low: self.bound(ctx, low)?,
                high: self.bound(ctx, high)?,
            }),
            _ => for_support(&self.support)?,
        };
        let len = match self.support {
            Support::Interval(..) => values.len(),
            _ => size(&self.event),
        };
        let rows = values.chunks(len.max(1));
        Some(rows.flat_map(|x| bijector.unconstrain(x, &self.event)).collect())
    }

    /// Returns for each element of a value, `[plates…, event…]`, the set that it lies in.
    pub(crate) fn bounds(&self, ctx: Ctx<'t>) -> Option<impl Fn(usize) -> Bounded<f64> + use<'t>> {
        let mut is_known = true;
        let support = self.support.map(|bound| match self.bound(ctx, bound) {
            Some(bound) => ctx.tape().lift(bound).elements(),
            None => {
                is_known = false;
                Vec::new()
            }
        });
        let of = |bounds: &Vec<f64>, i: usize| bounds[if bounds.len() == 1 { 0 } else { i }];
        is_known.then_some(move |i| support.clone().map(|bounds| of(&bounds, i)))
    }

    /// Returns a bound for each element, `[plates…, event…]`; a number is one for all.
    pub(crate) fn bound(&self, ctx: Ctx<'t>, x: Var<'t>) -> Option<Var<'t>> {
        if x.as_constant().is_some() || (x.dims().is_empty() && x.event_shape().is_empty()) {
            return Some(x);
        }
        let plates = ctx.state().plates.clone();
        (!ctx.is_subsampled()).then(|| broadcast_to(ctx.tape(), x, &plates, &self.event))
    }
}

/// A value for a latent site.
pub enum Latent<'t> {
    /// The distribution's own draw, whose log density counts with this weight.
    Fresh(f64),
    /// The own draw of a guide's distribution, whose log density, as a function of the draw's noise, counts with this weight.
    OfGuide(f64),
    /// The distribution's own draw in a run whose density nobody wants: its log density is kept with the site, as the check
    /// of the parameters that it is, and does not count.
    Forward,
    /// As [`Latent::Forward`] where the mask is zero, and the given value where it is not.
    ForwardBeside {
        /// The given values, anything where nothing is given.
        given: Var<'t>,
        /// Where something is given: a number for each row.
        is_given: Var<'t>,
    },
    /// A value in the support, with its plates.
    Value(Var<'t>),
    /// An unconstrained value, `[plates…, free event…]`: the runtime transforms it and counts the log-determinant.
    Free(Var<'t>),
    /// A value from a guide, for which the density is −KL(guide ‖ prior) in closed form: the number of the guide's site.
    WithKl(Var<'t>, usize),
}

/// Decides where latent sites get their values from.
pub trait Source {
    /// Returns whether it has a value for what is missing of the observation at this address, which a run that integrates it out
    /// would not ask for.
    fn serves_missing(&self, _address: &str) -> bool {
        false
    }

    /// Returns a value for a site.
    ///
    /// # Errors
    ///
    /// If the source has none, or cannot serve such a site.
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>>;
}

/// Draws every latent from its distribution.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromPrior;

impl Source for FromPrior {
    fn latent<'t>(&self, _: Ctx<'t>, _: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        Ok(Latent::Fresh(1.0))
    }
}

/// As [`FromPrior`], for runs of which only the values are wanted: there is no density, but a check of each draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forward;

impl Source for Forward {
    fn latent<'t>(&self, _: Ctx<'t>, _: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        Ok(Latent::Forward)
    }
}

/// Makes every latent an input of the recorded density.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromInputs;

impl Source for FromInputs {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        FromInputs::starting_at(site.start.as_ref(), ctx, site)
    }
}

impl FromInputs {
    /// Makes a latent an input that has a given value at recording, or one from the key of the run.
    pub(crate) fn starting_at<'t>(start: Option<&Start>, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        let is_discrete = site.support.is_discrete();
        let mut shape = site.rows.clone();
        shape.extend_from_slice(&site.free_event);
        let initial = || {
            if let Some(start) = start {
                start.free.clone()
            } else if is_discrete {
                (site.prior_draw)()
            } else {
                ctx.spread(site.address, &shape)
            }
        };
        let input = ctx.input(site.address, site.place, &shape, is_discrete, false, initial);
        Ok(if is_discrete {
            Latent::Value(ctx.rows_of(input, &site.event))
        } else {
            Latent::Free(input)
        })
    }
}
