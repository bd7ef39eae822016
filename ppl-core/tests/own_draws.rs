//! The entropy of a guide is that of its noise: guides whose scales get small or badly conditioned stay where they are.

use std::rc::Rc;

use ndarray::{Array1, Array2, array};
use ppl_core::constraints::{LowerCholesky, Positive};
use ppl_core::distributions::{Cauchy, DistExt, Gamma, Laplace, MultivariateNormal, Normal, StudentT};
use ppl_core::inference::svi::sources::FromGuide;
use ppl_core::inference::svi::{AutoNormal, GuideFor, Initial, ScaleLink, Svi};
use ppl_core::optim::{Adam, Sgd};
use ppl_core::rng::Key;
use ppl_core::runtime::context::Ctx;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::model::{Body, Model};
use ppl_core::runtime::recording::Recorder;
use ppl_core::runtime::source::{Latent, LatentSite, Source};
use ppl_core::runtime::stop::Res;
use ppl_core::tape::gradient::gradient;
use ppl_core::tape::store::Precision;
use ppl_macros::{guide, model};

/// A network of one input, ten hidden units and one output, its 31 weights in one vector.
#[model(crate = ppl_core)]
fn network(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 1).expand([31]));
    for i in plate(x) {
        let hidden = (w.slice(0..10) * x[i] + w.slice(10..20)).tanh();
        let mean = (hidden * w.slice(20..30)).sum() + w[30];
        observe(y[i], Normal(mean, 0.01));
    }
}

#[guide(network, crate = ppl_core)]
fn full_covariance() {
    let loc = param(Array1::from_iter((0..31).map(|k| (k as f64).sin())));
    let scale = param(Array2::<f64>::eye(31) * 0.1, LowerCholesky);
    let w = sample(MultivariateNormal::scale_tril(loc, scale));
}

fn data() -> (Array1<f64>, Array1<f64>) {
    let x = Array1::linspace(-1.0, 1.0, 20);
    let y = x.mapv(|x: f64| (3.0 * x).sin() + 0.1 * (17.0 * x).cos());
    (x, y)
}

/// At the values of its draws this guide diverges within 60 steps for each of these seeds, to losses below −1e9 on the way
/// to −1e157.
fn assert_stable(precision: Precision) {
    let (x, y) = data();
    let model = network(&x, &y);
    for seed in 0..12 {
        let svi = Svi::new(full_covariance(), Adam::new(0.1)).steps(100).draws(1);
        let fit = svi.precision(precision).seed(seed).run(&model).unwrap();
        // Each of the 20 densities is at most 1 / (0.01 √(2π)): the loss is at least −73.7, but for the noise of a step.
        let least = fit.losses().iter().copied().fold(f64::INFINITY, f64::min);
        assert!(least > -200.0, "seed {seed}: loss {least:e}");
    }
}

#[test]
fn a_full_covariance_guide_of_a_network_is_stable_for_every_seed() {
    assert_stable(Precision::F64);
}

#[test]
fn a_full_covariance_guide_is_stable_in_single_precision() {
    assert_stable(Precision::F32);
}

/// Two numbers of which the prior says next to nothing, so that the bound is the entropy of the guide.
#[model(crate = ppl_core)]
fn anywhere() {
    let x = sample(Normal(0, 1e15).expand([2]));
}

macro_rules! guides {
    ($($name:ident: |$loc:ident, $scale:ident| $dist:expr;)*) => {$(
        mod $name {
            use super::*;

            #[guide(anywhere, crate = ppl_core)]
            fn narrow(width: f64, eye: &Array2<f64>) {
                let $loc = param(array![1.0, -2.0]);
                let $scale = param("raw", array![width.ln(), width.ln()]).exp() * eye;
                let x = sample($dist);
            }

            /// One step of length 0.1 has to move the logarithms of the scales by 0.1, and nothing else.
            #[test]
            fn the_entropy_of_a_narrow_guide_has_its_exact_derivative() {
                for (precision, width, tolerance) in [(Precision::F64, 1e-13, 1e-12), (Precision::F32, 1e-5, 2e-6)] {
                    let (model, eye) = (anywhere(), Array2::eye(2));
                    let svi = Svi::new(narrow(width, &eye), Sgd::new(0.1)).precision(precision);
                    let mut state = svi.start(&model).unwrap();
                    let before = state.params();
                    state.step().unwrap();
                    for ((name, after), (_, before)) in state.params().iter().zip(&before) {
                        let moved = if name == "raw" { 0.1 } else { 0.0 };
                        for (after, before) in after.iter().zip(before) {
                            let off = after - before - moved;
                            assert!(off.abs() < tolerance, "{name}: {off:e} off in {precision:?}");
                        }
                    }
                }
            }
        }
    )*};
}

guides! {
    normal: |loc, scale| Normal(loc, scale.diag());
    cauchy: |loc, scale| Cauchy(loc, scale.diag());
    laplace: |loc, scale| Laplace(loc, scale.diag());
    student_t: |loc, scale| StudentT(5, loc, scale.diag());
    multivariate: |loc, scale| MultivariateNormal::scale_tril(loc, scale);
}

/// Takes the log density of a guide's draws at their values.
struct AtValues;

impl Source for AtValues {
    fn latent<'t>(&self, _: Ctx<'t>, _: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        Ok(Latent::Fresh(-1.0))
    }
}

#[model(crate = ppl_core)]
fn three_sites(data: &Array1<f64>) {
    let w = sample(MultivariateNormal::scale_tril([0.0, 0.0], Array2::<f64>::eye(2)));
    for i in plate(data) {
        let x = sample(Normal(0, 2));
        let g = sample(Gamma(2, 1));
    }
}

/// A site scaled by a value, one masked and scaled by a number, one masked.
#[guide(three_sites, crate = ppl_core)]
fn weighted(data: &Array1<f64>) {
    let raw = param(0.4);
    let scale_tril = param(Array2::<f64>::eye(2) * 0.3, LowerCholesky);
    let w = sample(MultivariateNormal::scale_tril(param([1.0, -2.0]), scale_tril).scale(raw.exp()));
    let loc = param([0.5, -1.0, 0.3]);
    let sd = param([0.1, 1.5, 0.7], Positive);
    for i in plate(data) {
        let x = sample(Normal(loc[i], sd[i]).mask(data[i]).scale(3));
        let g = sample(Gamma(sd[i] * 2, sd[i]).mask(data[i]));
    }
}

fn entropy_and_gradient(source: Rc<dyn Source>, body: &dyn Body) -> (f64, Vec<f64>) {
    let recorder = Recorder {
        source,
        ..Recorder::density(Precision::F64, Key::new(3))
    };
    let run = recorder.record(body).unwrap();
    (run.tape.log_density(), gradient(&run.tape))
}

fn assert_close(got: &[f64], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len());
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(
            (got - wanted).abs() < 1e-10 * (1.0 + wanted.abs()),
            "{got} for {wanted}"
        );
    }
}

#[test]
fn masks_and_scales_act_on_the_density_by_the_noise_as_on_that_at_the_value() {
    let data = array![1.0, 0.0, 1.0];
    let by_handlers = || {
        weighted(&data)
            .scale(|s| s.w(), 0.25)
            .mask(|s| s.x(), array![0.0, 1.0, 1.0])
    };
    let by_more = || by_handlers().mask(|s| s.g(), array![1.0, 1.0, 0.0]);
    let bodies: [&dyn Body; 3] = [&weighted(&data), &by_handlers(), &by_more()];
    let mut entropies = Vec::new();
    for body in bodies {
        let by_noise = entropy_and_gradient(Rc::new(FromGuide::default()), body);
        let at_value = entropy_and_gradient(Rc::new(AtValues), body);
        assert_close(&[by_noise.0], &[at_value.0]);
        assert_close(&by_noise.1, &at_value.1);
        entropies.push(by_noise.0);
    }
    assert!(
        entropies[0] != entropies[1] && entropies[1] != entropies[2],
        "{entropies:?}"
    );
}

#[model(crate = ppl_core)]
fn numbers(data: Obs<Array1<f64>>) {
    for i in plate(data) {
        let x = sample(Normal(0, 2).mask(data[i]).scale(3));
        observe(data[i], Normal(x, 1));
    }
}

#[guide(numbers, crate = ppl_core)]
fn by_hand(data: &Array1<f64>) {
    let loc = param("x.loc", [0.2; 3]);
    let raw = param("x.raw_scale", [-1.0; 3]);
    for i in plate(data) {
        let x = sample(Normal(loc[i], raw[i].exp()));
    }
}

#[test]
fn masks_and_scales_of_a_model_leave_an_automatic_guide_the_entropy_of_that_by_hand() {
    let data = array![1.0, 0.0, 1.0];
    let automatic = AutoNormal {
        loc: Initial::Value(0.2),
        raw_scale: Initial::Value(-1.0),
        link: ScaleLink::Exp,
    };
    let own = numbers(&data);
    let handled = numbers(&data)
        .scale(|s| s.x(), 0.5)
        .mask(|s| s.x(), array![0.0, 1.0, 1.0]);
    let by_noise = entropy_and_gradient(Rc::new(FromGuide::default()), &by_hand(&data));
    let at_values = entropy_and_gradient(Rc::new(AtValues), &by_hand(&data));
    assert_close(&by_noise.1, &at_values.1);
    assert_close(&after_a_step(automatic, &own), &after_a_step(by_hand(&data), &own));
    assert_close(
        &after_a_step(automatic, &handled),
        &after_a_step(by_hand(&data), &handled),
    );
    assert_ne!(
        after_a_step(by_hand(&data), &own),
        after_a_step(by_hand(&data), &handled)
    );
}

/// Returns the estimate of the bound in a step and the parameters after it.
fn after_a_step<M: Model + Sync, G: GuideFor<M>>(guide: G, model: &M) -> Vec<f64> {
    let svi = Svi::new(guide, Sgd::new(0.1)).particles(3);
    let mut state = svi.start(model).unwrap();
    let bound = state.step().unwrap();
    let params = state.params();
    let values = params.iter().flat_map(|(_, x)| x.iter().copied());
    std::iter::once(bound).chain(values).collect()
}
