//! The mean-field guide of a random module.

use ppl_core::dist::Normal;
use ppl_core::runtime::context::Ctx;
use ppl_core::runtime::model::Sample;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::stop::Res;
use ppl_core::tape::var::Var;

use crate::initialiser::Initialiser;
use crate::module::Module;
use crate::path::Path;

/// A network with an independent normal distribution for each element of its parameters; [`mean_field_module`] makes one.
#[derive(Clone, Debug)]
pub struct MeanFieldModule<M> {
    module: M,
    loc: Initialiser,
    raw_scale: Initialiser,
}

/// Returns a network for guides: `let net = sample(mean_field_module(net));` approximates the site of
/// [`random_module`](crate::random_module).
///
/// Each element is Normal(loc, ln(1 + eʳ)) with learnable loc and r: for `net.0.weight` they are `net.0.weight.loc` and
/// `net.0.weight.raw_scale`. Both start at standard normal draws.
pub fn mean_field_module<M: Module>(module: M) -> MeanFieldModule<M> {
    MeanFieldModule {
        module,
        loc: Initialiser::Normal(1.0),
        raw_scale: Initialiser::Normal(1.0),
    }
}

impl<M> MeanFieldModule<M> {
    /// Returns this guide with other starting values of the means.
    pub fn loc(self, loc: Initialiser) -> Self {
        MeanFieldModule { loc, ..self }
    }

    /// Returns this guide with other starting values r of the scales ln(1 + eʳ).
    pub fn raw_scale(self, raw_scale: Initialiser) -> Self {
        MeanFieldModule { raw_scale, ..self }
    }
}

impl<'t, M: Module> Sample<'t> for MeanFieldModule<M> {
    type Out = M::With<Var<'t>>;

    fn draw(self, ctx: Ctx<'t>, site: Site<'_>) -> Res<Self::Out> {
        ctx.submodel(site, |ctx| {
            self.module.map_parameters(&Path::root(), &mut |parameter| {
                let name = parameter.name();
                let param = |part: &str, initialiser| {
                    let name = format!("{name}.{part}");
                    let site = Site { name: &name, ..site };
                    ctx.free_param(site, parameter.shape(), |key| parameter.values_from(initialiser, key))
                };
                let loc = param("loc", self.loc)?;
                let raw = param("raw_scale", self.raw_scale)?;
                ctx.sample(Site { name, ..site }, Normal(loc, raw.softplus()))
            })
        })
    }
}
