//! Leave-one-out estimates of a model whose predictive distributions are known: a normal mean with a normal prior.

use ndarray::{Array3, ArrayD, arr1};
use ppl_core::diagnostics::{loo, loo_pit, waic};
use ppl_core::rng::Key;
use rand::Rng;
use rand_distr::StandardNormal;
use statrs::distribution::{ContinuousCDF, Normal};

/// Observations with a standard deviation of one about a mean whose prior is standard normal.
const OBSERVED: [f64; 8] = [-0.3, 0.9, 1.4, 0.2, -1.1, 2.3, 0.6, 0.4];

/// Returns mean and variance of the posterior of the mean, given the sum of `n` observations.
fn posterior(sum: f64, n: f64) -> (f64, f64) {
    (sum / (1.0 + n), 1.0 / (1.0 + n))
}

fn ln_normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((2.0 * std::f64::consts::PI * variance).ln() + (x - mean) * (x - mean) / variance)
}

/// Returns exact draws of the log likelihood and of predictions: `[chain, draw, observation]`.
fn draws(n_draws: usize) -> (ArrayD<f64>, ArrayD<f64>) {
    let (mean, variance) = posterior(OBSERVED.iter().sum(), 8.0);
    let mut generator = Key::new(7).generator();
    let mut normal = || generator.sample::<f64, _>(StandardNormal);
    let means: Vec<f64> = (0..2 * n_draws).map(|_| mean + variance.sqrt() * normal()).collect();
    let at = |chain: usize, draw: usize| means[chain * n_draws + draw];
    let shape = (2, n_draws, 8);
    let likelihood = Array3::from_shape_fn(shape, |(c, d, i)| ln_normal(OBSERVED[i], at(c, d), 1.0));
    let predictions = Array3::from_shape_fn(shape, |(c, d, _)| at(c, d) + normal());
    (likelihood.into_dyn(), predictions.into_dyn())
}

#[test]
fn densities_and_transforms_are_those_of_the_exact_predictive_distributions() {
    let (likelihood, predictions) = draws(20_000);
    let estimates = loo(likelihood.view(), 1.0).unwrap();
    assert_eq!(estimates.warnings(), []);
    let observed = arr1(&OBSERVED).into_dyn();
    let pit = loo_pit(observed.view(), predictions.view(), likelihood.view(), 1.0).unwrap();
    let (mut elpd, mut density) = (0.0, 0.0);
    let (all_mean, all_variance) = posterior(OBSERVED.iter().sum(), 8.0);
    for (i, &y) in OBSERVED.iter().enumerate() {
        let (mean, variance) = posterior(OBSERVED.iter().sum::<f64>() - y, 7.0);
        let exact = ln_normal(y, mean, variance + 1.0);
        // Five standard deviations or more of either estimate: right code fails with a probability below 1e-5.
        assert!(
            (estimates.elpd_i[[i]] - exact).abs() < 0.015,
            "{i}: {} for {exact}",
            estimates.elpd_i[[i]]
        );
        let transform = Normal::new(mean, (variance + 1.0).sqrt()).unwrap().cdf(y);
        assert!(
            (pit.below[[i]] - transform).abs() < 0.015,
            "{i}: {} for {transform}",
            pit.below[[i]]
        );
        elpd += exact;
        density += ln_normal(y, all_mean, all_variance + 1.0);
    }
    assert!((estimates.elpd - elpd).abs() < 0.05, "{} for {elpd}", estimates.elpd);
    assert!(
        (estimates.p - (density - elpd)).abs() < 0.05,
        "{} for {}",
        estimates.p,
        density - elpd
    );
    let criterion = waic(likelihood.view()).unwrap();
    // The variance of the log likelihood is that of (y − μ)² / 2: exact for normal μ.
    let penalty = |y: &f64| all_variance * (y - all_mean).powi(2) + all_variance * all_variance / 2.0;
    let exact: f64 = OBSERVED.iter().map(penalty).sum();
    assert!((criterion.p - exact).abs() < 0.03, "{} for {exact}", criterion.p);
    assert!(
        (criterion.elpd - (density - exact)).abs() < 0.05,
        "{} for {}",
        criterion.elpd,
        density - exact
    );
}
