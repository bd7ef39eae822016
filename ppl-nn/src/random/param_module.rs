//! Networks with learnable point values.

use ppl_core::runtime::context::Ctx;
use ppl_core::runtime::model::Sample;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::stop::Res;
use ppl_core::tape::var::Var;

use crate::module::Module;
use crate::path::Path;

/// A network whose parameters are learnable points; [`param_module`] makes one.
#[derive(Clone, Debug)]
pub struct ParamModule<M> {
    module: M,
}

/// Returns a network without a prior: `let net = sample(param_module(net));` in a model or a guide declares a `param` for
/// each parameter, named `net.0.weight`, …, which starts as its initialiser says.
pub fn param_module<M: Module>(module: M) -> ParamModule<M> {
    ParamModule { module }
}

impl<'t, M: Module> Sample<'t> for ParamModule<M> {
    type Out = M::With<Var<'t>>;

    fn draw(self, ctx: Ctx<'t>, site: Site<'_>) -> Res<Self::Out> {
        ctx.submodel(site, |ctx| {
            self.module.map_parameters(&Path::root(), &mut |parameter| {
                let site = Site {
                    name: parameter.name(),
                    ..site
                };
                ctx.free_param(site, parameter.shape(), |key| parameter.initial_values(key))
            })
        })
    }
}
