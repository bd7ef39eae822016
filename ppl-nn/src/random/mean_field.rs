//! The mean-field guide of a random module.

use ppl_core::distributions::Normal;
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

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use ppl_core::rng::Key;
    use ppl_core::runtime::recording::{Recorder, Recording};
    use ppl_core::runtime::state::SiteKind;
    use ppl_core::tape::store::Precision;

    use super::*;
    use crate::layers::Linear;
    use crate::testing::site;

    fn record(guide: MeanFieldModule<Linear>) -> Recording {
        let recorder = Recorder::prior(Precision::F64, Key::new(7));
        let draw = |ctx: Ctx<'_>| ctx.sample(site("net"), guide.clone()).map(drop);
        recorder.record_with(draw).unwrap()
    }

    #[test]
    fn draws_are_normal_with_softplus_scales() {
        let recording = record(mean_field_module(Linear::new(3, 2)));
        let sites: Vec<_> = recording.sites.iter().map(|s| (s.address.as_str(), s.kind)).collect();
        let expected = ["weight", "bias"].map(|name| {
            [
                (format!("net.{name}.loc"), SiteKind::Param),
                (format!("net.{name}.raw_scale"), SiteKind::Param),
                (format!("net.{name}"), SiteKind::Latent),
            ]
        });
        assert!(
            sites
                .iter()
                .map(|(name, kind)| (name.to_string(), *kind))
                .eq(expected.concat())
        );
        let log_prob = |name: &str| -> f64 {
            let values = |site: &str| recording.values_of(recording.site(site).unwrap()).0;
            let (loc, raw) = (values(&format!("{name}.loc")), values(&format!("{name}.raw_scale")));
            let scales = raw.iter().map(|r| r.exp().ln_1p());
            let draws = values(name).into_iter().zip(loc).zip(scales);
            draws
                .map(|((z, loc), scale)| -0.5 * ((z - loc) / scale).powi(2) - (scale * (2.0 * PI).sqrt()).ln())
                .sum()
        };
        let (found, expected) = (
            recording.tape.log_density(),
            log_prob("net.weight") + log_prob("net.bias"),
        );
        assert!(
            (found - expected).abs() < 1e-12 * expected.abs(),
            "{found}, by hand {expected}"
        );
    }

    #[test]
    fn starting_values_are_standard_normal_unless_others_are_chosen() {
        const N: usize = 60_000;
        let recording = record(mean_field_module(Linear::new(200, 150)));
        let variance = recording.initial.iter().map(|x| x * x).sum::<f64>() / recording.initial.len() as f64;
        assert_eq!(recording.initial.len(), N + 300);
        assert!(
            (variance - 1.0).abs() < 4.0 * (2.0 / N as f64).sqrt(),
            "the variance is {variance}"
        );
        assert_ne!(recording.initial[0], recording.initial[N / 2]);

        let chosen = mean_field_module(Linear::new(2, 1))
            .loc(Initialiser::Constant(0.5))
            .raw_scale(Initialiser::Constant(-2.0));
        assert_eq!(record(chosen).initial, [0.5, 0.5, -2.0, -2.0, 0.5, -2.0]);
    }
}
