//! Metropolis–Hastings against posteriors that are known exactly.

use ndarray::{Array1, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::dist::{Bernoulli, Normal};
use ppl_core::draws::Draws;
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::progress::Progress;
use ppl_core::runtime::argument::Obs;
use ppl_core::tape::var::Var;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn normal_mean(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(1, 2));
    for i in plate(y) {
        observe(y[i], Normal(mu, 0.5));
    }
}

fn mh() -> Mh {
    Mh::default().chains(4).draws(4000).seed(42).progress(Progress::Hidden)
}

/// Checks mean and standard deviation of a scalar within four Monte Carlo standard errors.
fn check_moments(draws: &Draws, label: &str, mean: f64, sd: f64) {
    let component = draws.all_components().find(|c| c.label == label).expect(label);
    let n = component.values.len() as f64;
    let got_mean = component.values.sum() / n;
    let got_sd = component.values.std(1.0);
    let (z_mean, z_sd) = (
        (got_mean - mean) / mcse_mean(component.values),
        (got_sd - sd) / mcse_sd(component.values),
    );
    assert!(
        z_mean.abs() < 4.0,
        "{label}: mean {got_mean} for {mean}, {z_mean} standard errors"
    );
    assert!(
        z_sd.abs() < 4.0,
        "{label}: sd {got_sd} for {sd}, {z_sd} standard errors"
    );
}

#[test]
fn normal_mean_is_recovered() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8];
    let precision = 1.0 / 4.0 + 5.0 / 0.25;
    let mean = (1.0 / 4.0 + y.sum() / 0.25) / precision;
    for proposal in [Proposal::RandomWalk, Proposal::SingleSite] {
        let fit = mh().proposal(proposal).run(&normal_mean(&y)).unwrap();
        check_moments(fit.draws(), "mu", mean, precision.powf(-0.5));
        println!("{:?}\n{}", fit.chains(), fit.summary());
    }
}
