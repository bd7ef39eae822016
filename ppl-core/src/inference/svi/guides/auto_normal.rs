//! The mean-field normal guide: independent normal distributions on the unconstrained space.

use std::collections::HashSet;
use std::rc::Rc;

use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::{Dist, Normal, normal};
use crate::error::Error;
use crate::inference::svi::guides::{Family, GuideFor, Initial};
use crate::rng::name_hash;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::{Ctx, hold};
use crate::runtime::model::Model;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::state::{SiteKind, SiteRecord};
use crate::runtime::stop::{Res, Stop};
use crate::runtime::terms::{AtOwnDraw, Part, Term};
use crate::tensor::dims::Dims;

/// How the scale follows from its unconstrained parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

impl<M: Model> GuideFor<M> for AutoNormal {}

impl Family for AutoNormal {
    fn draw<'t>(&'t self, _: Ctx<'t>) -> Res<()> {
        Ok(())
    }

    fn source(&self, analytic: &Rc<HashSet<String>>) -> Rc<dyn Source> {
        Rc::new(FromAutoNormal {
            guide: *self,
            analytic: Rc::clone(analytic),
        })
    }

    fn has_sites(&self) -> bool {
        false
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        self.loc.hash_into(key);
        self.raw_scale.hash_into(key);
        key.put(self.link);
    }
}

/// The source of a model's latents.
struct FromAutoNormal {
    guide: AutoNormal,
    /// Sites whose divergence from the prior is computed in closed form.
    analytic: Rc<HashSet<String>>,
}

impl Source for FromAutoNormal {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        refuse_discrete("AutoNormal", site)?;
        let tape = ctx.tape();
        let mut shape = site.rows.clone();
        shape.extend_from_slice(&site.free_event);
        let parameter = |name: &str, initial: Initial, start: Option<&Vec<f64>>| {
            let address = format!("{}.{name}", site.address);
            ctx.input(&address, site.place, &shape, false, true, || {
                start.map_or_else(|| initial.values(ctx, &address, &shape), Vec::clone)
            })
        };
        let loc = parameter("loc", self.guide.loc, site.start.as_ref().map(|s| &s.free));
        let raw = parameter("raw_scale", self.guide.raw_scale, None);
        let scale = match self.guide.link {
            ScaleLink::Exp => raw.exp(),
            ScaleLink::Softplus => raw.softplus(),
        };
        let at = Noise {
            tape,
            stream: name_hash(site.address),
            dims: Dims::new(),
            event: shape.clone(),
        };
        let normal = Normal(loc, scale);
        let drawn = normal.drawn(&at);
        let z = drawn.value;
        let number = ctx.add_guide_site(SiteRecord {
            address: site.address.to_string(),
            place: site.place,
            kind: SiteKind::Latent,
            distribution: Normal::NAME,
            params: [("loc", loc), ("scale", scale)]
                .map(|(name, x)| (name, hold(x), !site.rows.is_empty()))
                .to_vec(),
            support: None,
            kl: (matches!(site.support, Support::Real) && !site.is_noncentered).then_some(normal::kl),
            value: hold(z),
            stored: hold(z),
            drawn_log_prob: None,
            log_prob: None,
            is_discrete: false,
            is_guide: true,
            is_missing: false,
            raw: None,
            given: Vec::new(),
            is_weighted: false,
            plates: Vec::new(),
            event: shape,
        });
        if self.analytic.contains(site.address) {
            return Ok(Latent::WithKl(ctx.rows_of(z, &site.event), number as usize));
        }
        ctx.term(&Term {
            weight: -1.0,
            multiplicity: Some(weight_of_rows(ctx)),
            ..Term::plain(number, Part::Guide, &AtOwnDraw(&normal, drawn))
        });
        Ok(Latent::Free(z))
    }
}

/// Returns by how much the guide's density at all rows in memory counts, as the prior at these rows does: N/B for each plate
/// over B of N rows, and for each loop over a subset. The rows that a batch is taken from are all in memory.
fn weight_of_rows(ctx: Ctx<'_>) -> f64 {
    let state = ctx.state();
    let plates = state.plates.iter().map(|&d| {
        let dim = ctx.tape().dim(d);
        dim.full as f64 / dim.in_memory as f64
    });
    plates.product::<f64>() * state.loop_scale
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
