//! Where the values of latent sites come from: fresh draws, inputs of a density, a guide.

use crate::distributions::support::Support;
use crate::error::Place;
use crate::runtime::context::Ctx;
use crate::runtime::stop::Res;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

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
    /// Draws a value from the prior: `[plates…, event…]`, for starting points of discrete sites.
    pub prior_draw: &'a dyn Fn() -> Vec<f64>,
}

/// A value for a latent site.
pub enum Latent<'t> {
    /// The distribution's own draw, whose log density counts with this weight.
    Fresh(f64),
    /// The distribution's own draw in a run whose density nobody wants: its log density is kept with the site, as the check
    /// of the parameters that it is, and does not count.
    Forward,
    /// A value in the support, with its plates.
    Value(Var<'t>),
    /// An unconstrained value, `[plates…, free event…]`: the runtime transforms it and counts the log-determinant.
    Free(Var<'t>),
    /// A value from a guide, for which the density is −KL(guide ‖ prior) in closed form: the number of the guide's site.
    WithKl(Var<'t>, usize),
}

/// Decides where latent sites get their values from.
pub trait Source {
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
        let is_discrete = site.support.is_discrete();
        let mut shape = site.rows.clone();
        shape.extend_from_slice(&site.free_event);
        let initial = || {
            if is_discrete {
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
