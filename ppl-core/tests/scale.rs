//! The one rule of scales and masks: they act on log p(x) of a site and never on the Jacobian of its coordinates.

use ndarray::{Array1, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::distributions::{Bernoulli, Beta, DistExt, HalfNormal, LogNormal, Normal};
use ppl_core::inference::fit::HasDraws;
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::potential::Potential;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoNormal, Svi};
use ppl_core::log_density::LogDensity;
use ppl_core::optim::Adam;
use ppl_core::rng::Key;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::model::Model;
use ppl_core::runtime::recording::Recorder;
use ppl_core::tape::store::Precision;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn spread() {
    let tau = sample(HalfNormal(1));
}

#[model(crate = ppl_core)]
fn scaled_spread() {
    let tau = sample(HalfNormal(1).scale(2));
}

/// The same law in a model whose sites change.
#[model(crate = ppl_core)]
fn spread_and_more() {
    let tau = sample(HalfNormal(1));
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        let x = sample(Normal(0, 1));
    }
}

#[model(crate = ppl_core)]
fn effect() {
    let tau = sample(HalfNormal(1));
    let x = sample(Normal(3, tau).noncentered());
}

/// The scale is a number in the first, and depends on a site in the second.
#[model(crate = ppl_core)]
fn scaled_effect() {
    let tau = sample(HalfNormal(1));
    let x = sample(Normal(3, tau).noncentered().scale(4));
}

#[model(crate = ppl_core)]
fn effect_scaled_by_a_site() {
    let tau = sample(HalfNormal(1));
    let x = sample(Normal(3, tau).scale(tau * 2).noncentered());
}

#[model(crate = ppl_core)]
fn positive_effect() {
    let x = sample(LogNormal(0.3, 1.5).noncentered().scale(4));
}

#[model(crate = ppl_core)]
fn scaled_normal() {
    let x = sample(Normal(0, 1).noncentered().scale(4));
}

#[model(crate = ppl_core)]
fn shares(counts: &Array1<f64>) {
    for i in plate(counts) {
        let p = sample(Beta(2, 3));
    }
}

#[model(crate = ppl_core)]
fn masked_shares(counts: &Array1<f64>) {
    for i in plate(counts) {
        let p = sample(Beta(2, 3).mask(counts[i]));
    }
}

#[model(crate = ppl_core)]
fn batch_of_spreads(y: &Array1<f64>) {
    for i in plate(y, batch = 2) {
        let tau = sample(HalfNormal(1));
    }
}

const LN_TAU_HALF: f64 = 0.918_938_533_204_672_8;

/// ln of the standard normal density.
fn ln_standard(z: f64) -> f64 {
    -0.5 * z * z - LN_TAU_HALF
}

/// ln of the half-normal density with scale one.
fn ln_half(x: f64) -> f64 {
    ln_standard(x) + 2.0_f64.ln()
}

/// Returns the log density on the unconstrained space.
fn density<M: Model + Sync>(model: &M, z: &[f64]) -> f64 {
    let potential = Potential::new(model, Key::new(1)).unwrap();
    potential.evaluator().value(z).unwrap()
}

fn assert_close(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
        "{got} for {expected}"
    );
}

#[test]
fn a_scale_multiplies_the_density_at_the_value_and_not_the_jacobian() {
    for z in [-1.5, 0.2, 0.9_f64] {
        let expected = 2.0 * ln_half(z.exp()) + z;
        assert_close(density(&spread().scale(|s| s.tau(), 2.0), &[z]), expected);
        assert_close(density(&scaled_spread(), &[z]), expected);
        let both = scaled_spread().scale(|s| s.tau(), 0.5).scale(|s| s.tau(), 3.0);
        assert_close(density(&both, &[z]), 3.0 * ln_half(z.exp()) + z);
    }
}

#[test]
fn a_scale_of_a_noncentered_site_leaves_the_jacobian_of_its_standardised_form() {
    for (z_tau, z) in [(-1.5, 0.7), (0.4, -2.0_f64)] {
        let tau = f64::exp(z_tau);
        let prior = ln_half(tau) + z_tau;
        let of_scale = |s: f64| prior + s * (ln_standard(z) - z_tau) + z_tau;
        assert_close(density(&effect(), &[z_tau, z]), of_scale(1.0));
        assert_close(density(&scaled_effect(), &[z_tau, z]), of_scale(4.0));
        assert_close(density(&effect().scale(|s| s.x(), 4.0), &[z_tau, z]), of_scale(4.0));
        assert_close(density(&effect_scaled_by_a_site(), &[z_tau, z]), of_scale(2.0 * tau));
        let both = effect_scaled_by_a_site().scale(|s| s.x(), 0.25);
        assert_close(density(&both, &[z_tau, z]), of_scale(0.5 * tau));
        // x = exp(0.3 + 1.5 z), so that ln dx/dz = ln 1.5 + ln x.
        let log_det = 1.5_f64.ln() + 0.3 + 1.5 * z;
        assert_close(
            density(&positive_effect(), &[z]),
            4.0 * (ln_standard(z) - log_det) + log_det,
        );
    }
}

#[test]
fn a_mask_leaves_the_jacobian() {
    let counts = array![1.0, 0.0];
    // Beta(2, 3) has density 12 x (1 − x)².
    let z = [0.4, -1.1_f64];
    let x = z.map(|z| 1.0 / (1.0 + (-z).exp()));
    let jacobians: f64 = x.iter().map(|x| (x * (1.0 - x)).ln()).sum();
    let first = (12.0 * x[0] * (1.0 - x[0]).powi(2)).ln();
    assert_close(density(&masked_shares(&counts), &z), first + jacobians);
    let handled = shares(&counts).mask(|s| s.p(), &counts);
    assert_close(density(&handled, &z), first + jacobians);
    let none = shares(&counts).mask(|s| s.p(), 0.0);
    assert_close(density(&none, &z), jacobians);
}

#[test]
fn the_factor_of_a_subsampled_plate_multiplies_density_and_jacobian() {
    let y = Array1::zeros(6);
    let z = 0.3_f64;
    for s in [1.0, 2.0] {
        let model = batch_of_spreads(&y).scale(|s| s.tau(), s);
        let recorder = Recorder::density(Precision::F64, Key::new(1));
        let slots = recorder.record(&model).unwrap().slots;
        let run = recorder.with_values(&slots, vec![z; 6]).record(&model).unwrap();
        assert_close(run.tape.log_density(), 6.0 * (s * ln_half(z.exp()) + z));
    }
}

fn mh(proposal: Proposal) -> Mh {
    Mh::default()
        .chains(2)
        .draws(2000)
        .seed(5)
        .proposal(proposal)
        .progress(Progress::Hidden)
}

/// Returns by how many Monte Carlo standard errors the mean of a site differs from `expected`.
fn errors_of_mean(fit: &impl HasDraws, site: &str, expected: f64) -> f64 {
    let component = fit.draws().all_components().find(|c| c.label == site).unwrap();
    (component.values.mean().unwrap() - expected) / mcse_mean(component.values.view())
}

#[test]
fn chains_on_vectors_and_on_traces_have_one_posterior_of_a_scaled_site() {
    // The density is proportional to e^−τ², whose mean is 1 / √π.
    let mean = std::f64::consts::PI.sqrt().recip();
    let vector = mh(Proposal::RandomWalk).run(&spread().scale(|s| s.tau(), 2.0)).unwrap();
    let method = mh(Proposal::RandomWalk).run(&scaled_spread()).unwrap();
    let trace = mh(Proposal::SingleSite)
        .run(&spread_and_more().scale(|s| s.tau(), 2.0))
        .unwrap();
    let z = [
        errors_of_mean(&vector, "tau", mean),
        errors_of_mean(&method, "tau", mean),
        errors_of_mean(&trace, "tau", mean),
    ];
    assert!(z.iter().all(|z| z.abs() < 4.0), "{z:?} standard errors");
}

#[test]
fn a_scaled_noncentered_site_has_the_spread_of_its_power() {
    let fit = mh(Proposal::RandomWalk).run(&scaled_normal()).unwrap();
    let x = fit.draws().all_components().find(|c| c.label == "x").unwrap();
    let z = (x.values.std(1.0) - 0.5) / mcse_sd(x.values);
    assert!(z.abs() < 4.0, "{z} standard errors");
}

#[test]
fn the_normal_guide_fits_the_density_of_the_chains() {
    // In z = ln τ the density is proportional to exp(z − e^2z). The best normal distribution has variance 1/2 and mean
    // −(1 + ln 2) / 2: the derivatives of E(z − e^2z) + ln σ = m − exp(2m + 2σ²) + ln σ vanish there.
    let fit = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(2000)
        .particles(16)
        .seed(3)
        .progress(Progress::Hidden)
        .run(&spread().scale(|s| s.tau(), 2.0))
        .unwrap();
    let z = fit.tau().mapv(f64::ln);
    let expected = -0.5 * (1.0 + 2.0_f64.ln());
    let mean = z.mean().unwrap();
    // The mean of 1000 draws has the standard error 0.022; the parameters fluctuate by less.
    assert!((mean - expected).abs() < 0.1, "{mean} for {expected}");
}
