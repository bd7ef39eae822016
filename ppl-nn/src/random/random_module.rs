//! Random modules: a prior over the parameters of a network.

use ppl_core::error::Error;
use ppl_core::runtime::context::Ctx;
use ppl_core::runtime::model::Sample;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::stop::{Res, Stop};
use ppl_core::tape::var::Var;

use crate::module::Module;
use crate::path::Path;
use crate::random::priors::{IntoPriors, Priors};

/// A network with priors over its parameters; [`random_module`] makes one.
pub struct RandomModule<'t, M> {
    module: M,
    priors: Priors<'t>,
}

/// Returns a network whose parameters are random: `let net = sample(random_module(net, Normal(0, 1)));`.
///
/// Each parameter is a site, named by the binding and the parameter: `net.0.weight`. The draw is the network with values
/// for parameters. The prior is a distribution for all, a function of the [`Parameter`](crate::Parameter), or
/// [`Priors`] by name.
pub fn random_module<'t, M: Module, K>(module: M, prior: impl IntoPriors<'t, K>) -> RandomModule<'t, M> {
    RandomModule {
        module,
        priors: prior.into_priors(),
    }
}

impl<'t, M: Module> Sample<'t> for RandomModule<'t, M> {
    type Out = M::With<Var<'t>>;

    fn draw(self, ctx: Ctx<'t>, site: Site<'_>) -> Res<Self::Out> {
        let parameters = self.module.parameters();
        if let Some(pattern) = self.priors.unused(&parameters) {
            let names: Vec<_> = parameters.iter().map(|p| p.name()).collect();
            let message = format!(
                "no parameter matches the prior's name `{pattern}`; the parameters are {}",
                names.join(", ")
            );
            return Err(Stop(Error::at_site(ctx.address(site.name), site.place(), message)));
        }
        ctx.submodel(site, |ctx| {
            self.module.map_parameters(&Path::root(), &mut |parameter| {
                let name = parameter.name();
                self.priors.draw(ctx, Site { name, ..site }, parameter)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use ppl_core::distributions::{Cauchy, Normal};
    use ppl_core::error::Result;
    use ppl_core::runtime::recording::Recording;

    use super::*;
    use crate::layers::{Activation, Mlp};
    use crate::parameter::Parameter;
    use crate::testing::{record, site};

    fn net() -> Mlp {
        Mlp::new(&[2, 3, 1], Activation::Relu)
    }

    fn with_rule(pattern: &str, loc: &[f64]) -> Result<Recording> {
        record(|ctx| {
            let priors = Priors::new(Normal(0, 1)).with(pattern, Normal(loc, 1));
            ctx.sample(site("net"), random_module(net(), priors)).map(drop)
        })
    }

    /// Returns Σ ln Normal(x; 0, scale).
    fn normal(x: &[f64], scale: f64) -> f64 {
        x.iter()
            .map(|x| -0.5 * (x / scale).powi(2) - (scale * (2.0 * PI).sqrt()).ln())
            .sum()
    }

    fn values(recording: &Recording, name: &str) -> Vec<f64> {
        recording.values_of(recording.site(name).unwrap()).0
    }

    #[test]
    fn sites_have_the_names_and_shapes_of_the_parameters() {
        let recording = record(|ctx| ctx.sample(site("net"), random_module(net(), Normal(0, 1))).map(drop)).unwrap();
        let sites: Vec<_> = recording
            .sites
            .iter()
            .map(|s| (s.address.as_str(), s.event.to_vec()))
            .collect();
        let expected = [
            ("net.0.weight", vec![2, 3]),
            ("net.0.bias", vec![3]),
            ("net.1.weight", vec![3, 1]),
            ("net.1.bias", vec![1]),
        ];
        assert_eq!(sites, expected);
    }

    #[test]
    fn the_log_density_is_the_sum_of_the_priors_terms() {
        let one = record(|ctx| ctx.sample(site("net"), random_module(net(), Normal(0, 2))).map(drop)).unwrap();
        let expected = normal(&one.initial, 2.0);
        assert!((one.tape.log_density() - expected).abs() < 1e-12 * expected.abs());

        let many = record(|ctx| {
            let scaled = |p: &Parameter| Normal(0, 1.0 / (p.fan_in() as f64).sqrt());
            let priors = Priors::new(Normal(0, 1))
                .with("*.weight", scaled)
                .with("1", Cauchy(0, 3));
            ctx.sample(site("net"), random_module(net(), priors)).map(drop)
        })
        .unwrap();
        let cauchy = |x: &[f64]| {
            x.iter()
                .map(|x| -(3.0 * PI * (1.0 + (x / 3.0).powi(2))).ln())
                .sum::<f64>()
        };
        let expected = normal(&values(&many, "net.0.weight"), 0.5f64.sqrt())
            + normal(&values(&many, "net.0.bias"), 1.0)
            + cauchy(&values(&many, "net.1.weight"))
            + cauchy(&values(&many, "net.1.bias"));
        assert!((many.tape.log_density() - expected).abs() < 1e-12 * expected.abs());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_parameters() {
        let outcome = with_rule("2.weight", &[0.0]);
        let text = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.starts_with("site net ("), "{text}");
        assert!(
            text.ends_with(
                "no parameter matches the prior's name `2.weight`; the parameters are 0.weight, 0.bias, 1.weight, 1.bias"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_prior_over_arrays_covers_the_last_axes() {
        let fitting = with_rule("0", &[0.0; 3]);
        let shape = fitting.unwrap().site("net.0.weight").unwrap().event.to_vec();
        assert_eq!(shape, [2, 3]);
        let clashing = with_rule("0.weight", &[0.0; 2]);
        let text = clashing.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            text.starts_with("site net.0.weight (") && text.contains("[2], the parameter [2, 3]"),
            "{text}"
        );
    }
}
