//! Chains on traces: latents whose bounds differ from row to row, in models whose sites change.

use ndarray::{Array1, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::distributions::{Bernoulli, DistExt, Normal, Uniform};
use ppl_core::inference::fit::Fit;
use ppl_core::inference::mh::Mh;
use ppl_core::inference::progress::Progress;
use ppl_core::runtime::model::Model;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn pairs(low: &Array1<f64>, high: &Array1<f64>) {
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        let extra = sample(Normal(0, 1));
    }
    for i in plate(low) {
        let x = sample(Uniform(low[i], high[i]).expand([2]));
    }
}

/// Bounds of the outer plate, of both plates, and of the inner one below a common number.
#[model(crate = ppl_core)]
fn tables(low: &Array1<f64>, width: &Array1<f64>) {
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        let extra = sample(Normal(0, 1));
    }
    for i in plate(low) {
        for j in plate(width) {
            let x = sample(Uniform(low[i], low[i] + 1));
            let y = sample(Uniform(low[i], low[i] + width[j]));
            let z = sample(Uniform(-width[j], 50));
        }
    }
}

fn fit<M: Model + Sync>(model: &M) -> Fit<M::Accessors> {
    Mh::default()
        .chains(2)
        .draws(400)
        .warmup(300)
        .seed(11)
        .progress(Progress::Hidden)
        .run(model)
        .unwrap()
}

/// Checks the moments of a uniform distribution within four Monte Carlo standard errors.
fn check_uniform<A>(fit: &Fit<A>, label: &str, low: f64, high: f64) {
    let component = fit.draws().all_components().find(|c| c.label == label).expect(label);
    let mean = component.values.mean().unwrap();
    let z_mean = (mean - 0.5 * (low + high)) / mcse_mean(component.values.view());
    let sd = component.values.std(1.0);
    let z_sd = (sd - (high - low) / 12.0_f64.sqrt()) / mcse_sd(component.values);
    assert!(
        z_mean.abs() < 4.0 && z_sd.abs() < 4.0,
        "{label}: {mean} ± {sd} for a uniform draw from {low} to {high}, off by {z_mean} and {z_sd} standard errors"
    );
}

#[test]
fn each_element_of_an_expanded_site_moves_between_the_bounds_of_its_row() {
    let (low, high) = (array![0.0, 10.0], array![1.0, 11.0]);
    let fit = fit(&pairs(&low, &high));
    for (label, row) in [("x[0, 0]", 0), ("x[0, 1]", 0), ("x[1, 0]", 1), ("x[1, 1]", 1)] {
        check_uniform(&fit, label, low[row], high[row]);
    }
}

#[test]
fn bounds_of_one_of_two_plates_hold_for_each_row_of_the_other() {
    let (low, width) = (array![0.0, 10.0], array![1.0, 4.0]);
    let fit = fit(&tables(&low, &width));
    for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        check_uniform(&fit, &format!("x[{i}, {j}]"), low[i], low[i] + 1.0);
        check_uniform(&fit, &format!("y[{i}, {j}]"), low[i], low[i] + width[j]);
        check_uniform(&fit, &format!("z[{i}, {j}]"), -width[j], 50.0);
    }
}

/// A site that comes and goes, whose density counts as `kind` says.
#[model(crate = ppl_core)]
fn weighted(kind: usize) {
    let w = sample(Uniform(0.5, 2));
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        match kind {
            0 => sample("z", Normal(0, 1).scale(2.0)),
            1 => sample("z", Normal(0, 1).scale(w)),
            2 => sample("z", Normal(0, 1).mask(0.0)),
            _ => sample("z", Normal(0, 1).mask(w.gt(1))),
        };
    }
}

#[test]
fn a_site_that_comes_and_goes_is_neither_scaled_nor_masked() {
    for kind in 0..4 {
        let run = Mh::default()
            .chains(1)
            .draws(200)
            .progress(Progress::Hidden)
            .run(&weighted(kind));
        let error = run.err().unwrap_or_else(|| panic!("kind {kind} runs")).to_string();
        assert!(
            error.contains("site z (") && error.contains("neither scaled nor masked"),
            "kind {kind}: {error}"
        );
    }
}
