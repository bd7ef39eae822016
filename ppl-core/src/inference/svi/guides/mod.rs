//! Variational families: hand-written guides and those that are made from the model.

mod auto_delta;
mod auto_normal;
mod initial;

use std::collections::HashSet;
use std::rc::Rc;

use crate::inference::svi::sources::FromGuide;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::data::DataVisitor;
use crate::runtime::model::{Body, Guide, Model};
use crate::runtime::source::Source;
use crate::runtime::stop::Res;

pub use auto_delta::AutoDelta;
pub use auto_normal::{AutoNormal, ScaleLink};
pub use initial::Initial;

/// A variational family for the model `M`: a function marked `#[guide(model)]`, or one made from the model.
#[diagnostic::on_unimplemented(
    message = "this is no guide for the model that it runs with",
    label = "approximates another model, or none",
    note = "mark the function `#[guide(model)]` with the model that you run, or use `AutoNormal::default()`"
)]
pub trait GuideFor<M: Model>: Family {}

#[diagnostic::do_not_recommend]
impl<M: Model, G: Guide<Target = M::Names> + Sync> GuideFor<M> for G {}

/// A variational family as the loop of SVI sees it: without the type of the model, so that it is compiled once.
pub trait Family: Sync {
    /// Draws the guide's sites, if it has any of its own, before the model runs.
    ///
    /// # Errors
    ///
    /// Those of the guide's body.
    fn draw<'t>(&'t self, ctx: Ctx<'t>) -> Res<()>;

    /// Returns the source of the guide's own sites; `analytic` names those whose divergence is computed in closed form.
    fn source(&self, analytic: &Rc<HashSet<String>>) -> Rc<dyn Source>;

    /// Returns whether the model takes its latents from the guide's sites; otherwise the source serves the model itself.
    fn has_sites(&self) -> bool;

    /// Visits the data arguments of a guide that has some, as [`Model::visit_data`] does.
    fn visit_data(&self, _visitor: &mut dyn DataVisitor) {}

    /// Adds to `key` what a recording of the guide bakes in, as [`Model::hash_arguments`] does.
    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        key.unknown();
    }
}

impl<G: Guide + Sync> Family for G {
    fn draw<'t>(&'t self, ctx: Ctx<'t>) -> Res<()> {
        self.run(ctx).map(drop)
    }

    fn source(&self, analytic: &Rc<HashSet<String>>) -> Rc<dyn Source> {
        Rc::new(FromGuide {
            analytic: Rc::clone(analytic),
        })
    }

    fn has_sites(&self) -> bool {
        true
    }

    fn visit_data(&self, visitor: &mut dyn DataVisitor) {
        Model::visit_data(self, visitor);
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        Body::hash_into(self, key);
    }
}
