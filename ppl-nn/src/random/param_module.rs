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

#[cfg(test)]
mod tests {
    use ppl_core::runtime::state::SiteKind;

    use super::*;
    use crate::initialiser::Initialiser;
    use crate::layers::{Activation, Mlp};
    use crate::testing::{record, site};

    #[test]
    fn parameters_start_as_their_initialisers_say_and_have_no_density() {
        let mut net = Mlp::new(&[2, 3, 1], Activation::Relu);
        net.layers[1] = net.layers[1].clone().with_weight(Initialiser::Uniform(0.1));
        let recording = record(|ctx| ctx.sample(site("net"), param_module(net.clone())).map(drop)).unwrap();
        let sites: Vec<_> = recording.sites.iter().map(|s| (s.address.as_str(), s.kind)).collect();
        let names = ["net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias"];
        assert_eq!(sites, names.map(|name| (name, SiteKind::Param)));
        assert_eq!(recording.tape.log_density(), 0.0);
        let initial = &recording.initial;
        assert!(initial[..6].iter().any(|x| x.abs() > 0.1));
        assert_eq!(initial[6..9], [0.0; 3]);
        assert!(initial[9..12].iter().all(|x| x.abs() < 0.1 && *x != 0.0));
        assert_eq!(initial[12..], [0.0]);
    }
}
