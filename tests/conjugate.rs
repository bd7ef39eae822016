//! Sampling and SVI against posteriors that are known exactly.

use posterior::core::diagnostics::{mcse_mean, mcse_sd};
use posterior::core::inference::svi::GuideFor;
use posterior::core::math::gamma::ln_gamma;
use posterior::prelude::*;

#[model]
fn normal_mean(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(1, 2));
    for i in plate(y) {
        observe(y[i], Normal(mu, 0.5));
    }
}

#[guide(normal_mean)]
fn normal_guide(loc: f64, scale: f64) {
    let mu = sample(Normal(param(loc), param(scale, Positive)));
}

#[model]
fn coin(heads: Obs<Array1<bool>>) {
    let p = sample(Beta(2, 3));
    for i in plate(heads) {
        observe(heads[i], Bernoulli::probs(p));
    }
}

#[guide(coin)]
fn beta_guide(one: f64, zero: f64) {
    let p = sample(Beta(param(one, Positive), param(zero, Positive)));
}

#[model]
fn events(y: Obs<Array1<usize>>) {
    let rate = sample(Gamma(2, 0.5));
    for i in plate(y) {
        observe(y[i], Poisson(rate));
    }
}

#[guide(events)]
fn gamma_guide(concentration: f64, rate: f64) {
    let rate = sample(Gamma(param(concentration, Positive), param(rate, Positive)));
}

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let a = sample(Normal(0, 3));
    let b = sample(Normal(0, 2));
    for i in plate(x) {
        observe(y[i], Normal(a + b * x[i], 0.7));
    }
}

/// The mean and the standard deviation of one number under a posterior.
#[derive(Clone, Copy, Debug)]
struct Moments {
    mean: f64,
    sd: f64,
}

/// N(1, 2²) prior, noise 0.5: the posterior is normal.
fn normal_posterior(y: &Array1<f64>) -> Moments {
    let precision = 0.25 + y.len() as f64 / 0.25;
    Moments {
        mean: (0.25 + y.sum() / 0.25) / precision,
        sd: precision.powf(-0.5),
    }
}

/// Beta(2, 3) prior: the posterior is Beta(2 + heads, 3 + tails).
fn coin_posterior(heads: &Array1<bool>) -> [f64; 2] {
    let n_heads = heads.iter().filter(|&&h| h).count() as f64;
    [2.0 + n_heads, 3.0 + heads.len() as f64 - n_heads]
}

fn beta_moments([a, b]: [f64; 2]) -> Moments {
    let n = a + b;
    Moments {
        mean: a / n,
        sd: (a * b / (n + 1.0)).sqrt() / n,
    }
}

/// Gamma(2, 0.5) prior: the posterior is Gamma(2 + Σ y, 0.5 + n).
fn events_posterior(y: &Array1<usize>) -> [f64; 2] {
    [2.0 + y.sum() as f64, 0.5 + y.len() as f64]
}

/// The posterior of intercept and slope, of precision diag(1/9, 1/4) + XᵀX / 0.49.
fn line_posterior(x: &Array1<f64>, y: &Array1<f64>) -> [Moments; 2] {
    let w = 1.0 / 0.49;
    let (p, q, r) = (1.0 / 9.0 + x.len() as f64 * w, x.sum() * w, 0.25 + x.dot(x) * w);
    let det = p * r - q * q;
    let (u, v) = (y.sum() * w, x.dot(y) * w);
    [
        Moments {
            mean: (r * u - q * v) / det,
            sd: (r / det).sqrt(),
        },
        Moments {
            mean: (p * v - q * u) / det,
            sd: (p / det).sqrt(),
        },
    ]
}

fn normal_data() -> Array1<f64> {
    array![0.3, 0.9, 1.4, -0.2, 0.8]
}

fn coin_data() -> Array1<bool> {
    array![true, true, false, true, true, false, true, true, true, false]
}

fn events_data() -> Array1<usize> {
    array![3, 5, 2, 4, 7, 1]
}

fn line_data() -> (Array1<f64>, Array1<f64>) {
    let x = array![-1.5, -0.4, 0.2, 0.9, 1.3, 2.6];
    let y = array![-2.1, 0.3, 0.8, 2.9, 3.4, 5.2];
    (x, y)
}

/// Checks means and standard deviations of Metropolis–Hastings within four Monte Carlo standard errors.
fn check_mh<M: Model + Sync>(model: &M, expected: &[(&str, Moments)]) {
    for proposal in [Proposal::RandomWalk, Proposal::SingleSite] {
        let mh = Mh::default().chains(4).draws(4000).seed(7).progress(Progress::Hidden);
        let fit = mh.proposal(proposal.clone()).run(model).unwrap();
        for &(site, exact) in expected {
            let component = fit.draws().components(site).unwrap().next().unwrap();
            let mean = component.values.mean().unwrap();
            let sd = component.values.std(1.0);
            let (mean_error, sd_error) = (mcse_mean(component.values), mcse_sd(component.values));
            assert!(
                mean_error < 0.1 * exact.sd,
                "{site}: standard error {mean_error} says nothing"
            );
            let z = [(mean - exact.mean) / mean_error, (sd - exact.sd) / sd_error];
            println!("{proposal:?} {site}: {mean} ± {sd}, exact {exact:?}, {z:?} standard errors");
            assert!(
                z[0].abs() < 4.0 && z[1].abs() < 4.0,
                "{proposal:?} {site}: {mean} ± {sd}, exact {exact:?}, z {z:?}"
            );
        }
    }
}

#[test]
fn mh_recovers_a_normal_mean() {
    let y = normal_data();
    check_mh(&normal_mean(&y), &[("mu", normal_posterior(&y))]);
}

#[test]
fn mh_recovers_a_beta_posterior() {
    let heads = coin_data();
    check_mh(&coin(&heads), &[("p", beta_moments(coin_posterior(&heads)))]);
}

#[test]
fn mh_recovers_a_gamma_posterior() {
    let y = events_data();
    let [a, b] = events_posterior(&y);
    let exact = Moments {
        mean: a / b,
        sd: a.sqrt() / b,
    };
    check_mh(&events(&y), &[("rate", exact)]);
}

#[test]
fn mh_recovers_a_regression_line() {
    let (x, y) = line_data();
    let [a, b] = line_posterior(&x, &y);
    check_mh(&line(&x, &y), &[("a", a), ("b", b)]);
}

/// Independent runs, whose spread is the Monte Carlo error of their mean.
const RUNS: u64 = 8;

/// Returns the parameters that runs of SVI end with, unconstrained: `[run, parameter]`.
fn run_svi<M: Model + Sync, G: GuideFor<M>>(model: &M, guide: G) -> Vec<Vec<f64>> {
    let schedule = Schedule::Cosine {
        initial: 0.1,
        last: 0.0,
        n_steps: 1000,
    };
    let svi = Svi::new(guide, Adam::new(schedule)).steps(1000).particles(4);
    let mut svi = svi.progress(Progress::Hidden);
    let run = |seed| {
        svi.seed = seed;
        let fit = svi.run(model).unwrap();
        let values = fit.params().iter().flat_map(|(_, values)| values.iter().copied());
        values.collect()
    };
    (0..RUNS).map(run).collect()
}

/// Checks that the mean over runs of each parameter is `exact` within four of its standard errors.
fn check_params(runs: &[Vec<f64>], names: &[&str], exact: &[f64]) {
    for (k, (name, &exact)) in names.iter().zip(exact).enumerate() {
        let n = runs.len() as f64;
        let mean = runs.iter().map(|run| run[k]).sum::<f64>() / n;
        let variance = runs.iter().map(|run| (run[k] - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let error = (variance / n).sqrt();
        println!("{name}: {mean} ± {error}, exact {exact}");
        assert!(error < 0.02, "{name}: standard error {error} of {n} runs");
        assert!(
            (mean - exact).abs() < 4.0 * error,
            "{name}: {mean} ± {error}, exact {exact}"
        );
    }
}

#[test]
fn svi_reaches_a_normal_posterior_in_its_family() {
    let y = normal_data();
    let exact = normal_posterior(&y);
    let exact = [exact.mean, exact.sd.ln()];
    let model = normal_mean(&y);
    check_params(&run_svi(&model, normal_guide(0.0, 1.0)), &["loc", "ln scale"], &exact);
    check_params(
        &run_svi(&model, AutoNormal::default()),
        &["mu.loc", "mu.raw_scale"],
        &exact,
    );
}

#[test]
fn svi_reaches_a_beta_posterior_in_its_family() {
    let heads = coin_data();
    let exact = coin_posterior(&heads).map(f64::ln);
    check_params(&run_svi(&coin(&heads), beta_guide(5.0, 5.0)), &["ln a", "ln b"], &exact);
}

#[test]
fn svi_reaches_a_gamma_posterior_in_its_family() {
    let y = events_data();
    let exact = events_posterior(&y).map(f64::ln);
    check_params(&run_svi(&events(&y), gamma_guide(15.0, 5.0)), &["ln a", "ln b"], &exact);
}

/// A mean-field guide in place of a normal posterior of precision Λ has its means, and the variances 1 / Λᵢᵢ.
#[test]
fn svi_reaches_the_best_mean_field_guide_of_a_regression_line() {
    let (x, y) = line_data();
    let [a, b] = line_posterior(&x, &y);
    let precisions = [1.0 / 9.0 + x.len() as f64 / 0.49, 0.25 + x.dot(&x) / 0.49];
    let [a_scale, b_scale] = precisions.map(|p| -0.5 * p.ln());
    let runs = run_svi(&line(&x, &y), AutoNormal::default());
    check_params(
        &runs,
        &["a", "ln a scale", "b", "ln b scale"],
        &[a.mean, a_scale, b.mean, b_scale],
    );
}

/// Returns the estimate of the bound at the first parameters, by one draw.
fn elbo<M: Model + Sync, G: GuideFor<M>>(model: &M, guide: G) -> f64 {
    Svi::new(guide, Adam::new(0.0)).start(model).unwrap().step().unwrap()
}

/// At the exact posterior log p(x, z) − log q(z) is log p(x) whatever z is.
#[test]
fn the_bound_at_the_posterior_is_the_log_evidence() {
    let y = normal_data();
    let (n, Moments { mean, sd }) = (y.len() as f64, normal_posterior(&y));
    let tau = std::f64::consts::TAU.ln();
    let squares = y.mapv(|y| (y / 0.5).powi(2)).sum() + 0.25 - (mean / sd).powi(2);
    let evidence = -0.5 * (n * (tau + 2.0 * 0.5f64.ln()) + 2.0 * 2f64.ln() - 2.0 * sd.ln() + squares);
    let bound = elbo(&normal_mean(&y), normal_guide(mean, sd));
    assert!(
        (bound - evidence).abs() < 1e-9,
        "normal mean: {bound}, log evidence {evidence}"
    );

    let heads = coin_data();
    let [a, b] = coin_posterior(&heads);
    let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let evidence = ln_beta(a, b) - ln_beta(2.0, 3.0);
    let bound = elbo(&coin(&heads), beta_guide(a, b));
    assert!(
        (bound - evidence).abs() < 1e-9,
        "coin: {bound}, log evidence {evidence}"
    );
}
