//! The point guide: maximum a posteriori estimation.

use std::collections::HashSet;
use std::rc::Rc;

use crate::bijectors::default::for_support;
use crate::error::Error;
use crate::inference::svi::guides::auto_normal::refuse_discrete;
use crate::inference::svi::guides::{Family, GuideFor, Initial};
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::model::Model;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::stop::{Res, Stop};

/// A point for each latent: SVI then climbs the posterior density itself, without a Jacobian, to its mode.
///
/// The parameter of a site `x` is `x.point`, unconstrained. Noncentered sites are points of their standardised form, whose
/// density is the one that is climbed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoDelta {
    /// Where the unconstrained points start.
    pub point: Initial,
}

impl Default for AutoDelta {
    fn default() -> Self {
        AutoDelta { point: Initial::Spread }
    }
}

impl<M: Model> GuideFor<M> for AutoDelta {}

impl Family for AutoDelta {
    fn draw<'t>(&'t self, _: Ctx<'t>) -> Res<()> {
        Ok(())
    }

    fn source(&self, _: &Rc<HashSet<String>>) -> Rc<dyn Source> {
        Rc::new(*self)
    }

    fn has_sites(&self) -> bool {
        false
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        self.point.hash_into(key);
    }
}

impl Source for AutoDelta {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        refuse_discrete("AutoDelta", site)?;
        let address = format!("{}.point", site.address);
        let point = |free_event: &[usize]| {
            let mut shape = site.rows.clone();
            shape.extend_from_slice(free_event);
            let start = site.start.as_ref().map(|s| s.free.clone());
            let initial = || start.unwrap_or_else(|| self.point.values(ctx, &address, &shape));
            ctx.input(&address, site.place, &shape, false, true, initial)
        };
        if site.is_noncentered {
            return Ok(Latent::Free(point(&site.free_event)));
        }
        let bijector = for_support(&site.support).ok_or_else(|| {
            Stop(Error::at_site(
                site.address,
                site.place,
                "its support has no unconstrained form",
            ))
        })?;
        let free_event = bijector.unconstrained_event(&site.event);
        let z = ctx.rows_of(point(&free_event), &free_event);
        Ok(Latent::Value(bijector.constrain(z)))
    }
}
