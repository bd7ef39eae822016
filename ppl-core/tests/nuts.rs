//! Hamiltonian samplers against posteriors that are known exactly, and what they refuse.

use ndarray::{Array1, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::distributions::{Bernoulli, Beta, DistExt, Gamma, Normal, Poisson};
use ppl_core::draws::Draws;
use ppl_core::inference::hamiltonian::warmup::MetricKind;
use ppl_core::inference::nuts::{Hmc, Nuts};
use ppl_core::inference::progress::Progress;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn normal_mean(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(1, 2));
    for i in plate(y) {
        observe(y[i], Normal(mu, 0.5));
    }
}

#[model(crate = ppl_core)]
fn rate(y: Obs<Array1<u32>>) {
    let lambda = sample(Gamma(3, 2));
    for i in plate(y) {
        observe(y[i], Poisson(lambda));
    }
}

#[model(crate = ppl_core)]
fn coin(y: Obs<Array1<bool>>) {
    let p = sample(Beta(2, 3));
    for i in plate(y) {
        observe(y[i], Bernoulli::probs(p));
    }
}

/// Coordinates whose standard deviations lie six orders apart.
#[model(crate = ppl_core)]
fn scales(sd: &Array1<f64>) {
    for i in plate(sd) {
        let x = sample(Normal(0, sd[i]));
    }
}

fn nuts() -> Nuts {
    Nuts::default()
        .chains(4)
        .draws(1000)
        .seed(42)
        .progress(Progress::Hidden)
}

/// Checks mean and standard deviation of a scalar within four Monte Carlo standard errors.
fn check_moments(draws: &Draws, label: &str, mean: f64, sd: f64) {
    let component = draws.all_components().find(|c| c.label == label).expect(label);
    let (got, z) = {
        let got = component.values.mean().unwrap();
        (got, (got - mean) / mcse_mean(component.values))
    };
    assert!(z.abs() < 4.0, "{label}: mean {got} for {mean}, {z} standard errors");
    let got = component.values.std(1.0);
    let z = (got - sd) / mcse_sd(component.values);
    assert!(z.abs() < 4.0, "{label}: sd {got} for {sd}, {z} standard errors");
}

const METRICS: [MetricKind; 4] = [
    MetricKind::Fisher,
    MetricKind::FisherDiagonal,
    MetricKind::Diagonal,
    MetricKind::Dense,
];

#[test]
fn conjugate_posteriors_are_recovered_with_every_metric() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8];
    let precision: f64 = 1.0 / 4.0 + 5.0 / 0.25;
    let mean = (1.0 / 4.0 + y.sum() / 0.25) / precision;
    let counts = array![1_u32, 4, 2, 0, 3];
    let heads = Array1::from_iter((0..20).map(|i| i % 4 != 1));
    for metric in METRICS {
        let fit = nuts().metric(metric).run(&normal_mean(&y)).unwrap();
        check_moments(fit.draws(), "mu", mean, precision.powf(-0.5));
        let hmc = Hmc::default().metric(metric).seed(7).progress(Progress::Hidden);
        let fit = hmc.run(&normal_mean(&y)).unwrap();
        check_moments(fit.draws(), "mu", mean, precision.powf(-0.5));
        let fit = nuts().metric(metric).run(&rate(&counts)).unwrap();
        check_moments(fit.draws(), "lambda", 13.0 / 7.0, 13.0_f64.sqrt() / 7.0);
        let fit = nuts().metric(metric).run(&coin(&heads)).unwrap();
        let (a, b) = (17.0_f64, 8.0);
        let sd = (a * b / (a + b).powi(2) / (a + b + 1.0)).sqrt();
        check_moments(fit.draws(), "p", a / (a + b), sd);
    }
}

#[test]
fn scales_that_lie_far_apart_are_learnt() {
    let sd = array![1e-3, 1.0, 1e3];
    for metric in METRICS {
        let fit = nuts().metric(metric).run(&scales(&sd)).unwrap();
        for (i, &sd) in sd.iter().enumerate() {
            check_moments(fit.draws(), &format!("x[{i}]"), 0.0, sd);
        }
        let depth = fit.statistics().mean("tree_depth").unwrap()[[]];
        assert!(depth < 3.5, "{metric:?}: a mean depth of {depth}");
    }
}

#[model(crate = ppl_core)]
fn counted(y: Obs<f64>) {
    let n = sample(Poisson(4));
    observe(y, Normal(n, 1));
}

#[model(crate = ppl_core)]
fn many(n: usize) {
    let x = sample(Normal(0, 1).expand([n]));
}

#[test]
fn what_cannot_be_run_is_refused_before_the_first_step_with_the_remedy() {
    let y = array![0.3, 0.9];
    let model = normal_mean(&y);
    let hmc = || Hmc::default().progress(Progress::Hidden);
    let text = |error: Option<ppl_core::error::Error>| error.map_or("no error".to_string(), |e| e.to_string());
    let cases = [
        (
            text(nuts().run(&counted(&3.0)).err()),
            "site n (",
            "`Gibbs::auto(&model)`",
        ),
        (
            text(hmc().run(&counted(&3.0)).err()),
            "site n (",
            "`Gibbs::auto(&model)`",
        ),
        (
            text(nuts().step_size(Some(-0.1)).run(&model).err()),
            "step_size = -0.1",
            "positive and finite",
        ),
        (
            text(nuts().step_size(Some(0.0)).run(&model).err()),
            "step_size = 0",
            "positive and finite",
        ),
        (
            text(nuts().step_size(Some(f64::NAN)).run(&model).err()),
            "step_size = NaN",
            "positive and finite",
        ),
        (
            text(nuts().target_acceptance(1.0).run(&model).err()),
            "target_acceptance = 1",
            "between zero and one",
        ),
        (
            text(nuts().max_depth(0).run(&model).err()),
            "max_depth = 0",
            "once at least",
        ),
        (text(hmc().steps(0).run(&model).err()), "steps = 0", "one step at least"),
        (text(nuts().chains(0).run(&model).err()), "chains = 0", "at least 1"),
        (text(nuts().draws(0).run(&model).err()), "draws = 0", "at least 1"),
        (
            text(nuts().metric(MetricKind::Dense).run(&many(1_000_000)).err()),
            "a dense metric of 1000000 coordinates",
            "`MetricKind::Fisher`",
        ),
    ];
    for (text, what, remedy) in cases {
        assert!(text.contains(what) && text.contains(remedy), "{what}, {remedy}: {text}");
    }
}
