//! The mean-field normal guide: independent normal distributions on the unconstrained space.

use std::collections::HashSet;
use std::rc::Rc;

use crate::dist::draw::Draw;
use crate::dist::{Dist, Normal};
use crate::error::Error;
use crate::inference::svi::guides::{Approximates, Initial};
use crate::rng::name_hash;
use crate::runtime::context::Ctx;
use crate::runtime::model::Model;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::stop::{Res, Stop};
use crate::tensor::dims::Dims;

/// How the scale follows from its unconstrained parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScaleLink {
    /// scale = eʳ
    #[default]
    Exp,
    /// scale = ln(1 + eʳ)
    Softplus,
}

/// Independent normal distributions for all elements of all latents, on the unconstrained space.
///
/// The parameters of a site `x` are `x.loc` and `x.raw_scale`, both unconstrained, with the shape of the unconstrained
/// site. Discrete latents are refused.
///
/// References: Kucukelbir et al. 2017, Automatic differentiation variational inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoNormal {
    /// Where the means start.
    pub loc: Initial,
    /// Where the parameters of the scales start, before the link.
    pub raw_scale: Initial,
    /// How the scale follows from its parameter.
    pub link: ScaleLink,
}

impl Default for AutoNormal {
    /// Means start uniform on (−2, 2), scales at 0.1.
    fn default() -> Self {
        AutoNormal {
            loc: Initial::Spread,
            raw_scale: Initial::Value(0.1_f64.ln()),
            link: ScaleLink::Exp,
        }
    }
}

impl<M: Model> Approximates<M> for AutoNormal {
    fn draw<'t>(&'t self, _: Ctx<'t>) -> Res<()> {
        Ok(())
    }

    fn source(&self, _: &Rc<HashSet<String>>) -> Rc<dyn Source> {
        Rc::new(*self)
    }

    fn has_sites(&self) -> bool {
        false
    }
}

impl Source for AutoNormal {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        refuse_discrete("AutoNormal", site)?;
        let tape = ctx.tape();
        let mut shape = site.rows.clone();
        shape.extend_from_slice(&site.free_event);
        let parameter = |name: &str, initial: Initial| {
            let address = format!("{}.{name}", site.address);
            ctx.input(&address, site.place, &shape, false, true, || {
                initial.values(ctx, &address, &shape)
            })
        };
        let loc = parameter("loc", self.loc);
        let raw = parameter("raw_scale", self.raw_scale);
        let scale = match self.link {
            ScaleLink::Exp => raw.exp(),
            ScaleLink::Softplus => raw.softplus(),
        };
        let at = Draw {
            tape,
            stream: name_hash(site.address),
            dims: Dims::new(),
            event: shape.clone(),
        };
        let q = Normal(loc, scale);
        let z = q.draw(&at);
        let number = ctx.state().sites.len() as u32;
        q.log_prob_term(tape, z, -1.0, number);
        Ok(Latent::Free(z))
    }
}

/// Refuses a discrete latent, which has no unconstrained form.
pub(super) fn refuse_discrete(guide: &str, site: &LatentSite<'_, '_>) -> Res<()> {
    if !site.support.is_discrete() {
        return Ok(());
    }
    let message = format!(
        "{guide} serves continuous sites only, and {} is discrete: sample it by `Mh`, or sum it out of the model",
        site.distribution
    );
    Err(Stop(Error::at_site(site.address, site.place, message)))
}
