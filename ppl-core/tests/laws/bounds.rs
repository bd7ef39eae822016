//! What the evidence lower bound counts: batches and priors, closed and sampled divergences, loops and epochs.

use ndarray::{Array1, array, s};
use ppl_core::distributions::{Dirichlet, Normal};
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoDelta, AutoNormal, ElboEstimator, GuideFor, Initial, Svi};
use ppl_core::optim::{Adam, Schedule, Sgd};
use ppl_core::runtime::model::Model;
use ppl_macros::{guide, model};

#[model(crate = ppl_core)]
fn strong_prior(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 0.2));
    for i in plate(y, batch = 8) {
        observe(y[i], Normal(mu, 1));
    }
}

/// The same density; the value that is read makes each step record it anew.
#[model(crate = ppl_core)]
fn strong_prior_that_is_read(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 0.2));
    let _ = mu.value();
    for i in plate(y, batch = 8) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model(crate = ppl_core)]
fn strong_prior_of_a_stream(n_rows: usize, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 0.2));
    for i in plate(y, total = n_rows) {
        observe(y[i], Normal(mu, 1));
    }
}

const N_ROWS: usize = 40;

fn forty() -> Array1<f64> {
    Array1::from_iter((0..N_ROWS).map(|i| 1.0 + 0.3 * ((i * 7 % 5) as f64 - 2.0)))
}

#[test]
fn the_batches_of_an_epoch_have_the_loss_of_all_rows_on_average() {
    let (y, mu) = (forty(), 0.5);
    let point = AutoDelta {
        point: Initial::Value(mu),
    };
    let svi = Svi::new(point, Sgd::new(0.0)).steps(5).progress(Progress::Hidden);
    let ln = |x: f64, scale: f64| -0.5 * (x / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln();
    let want = -ln(mu, 0.2) - y.iter().map(|y| ln(y - mu, 1.0)).sum::<f64>();
    let replayed = svi.run(&strong_prior(&y)).unwrap().losses().to_vec();
    let recorded = svi.run(&strong_prior_that_is_read(&y)).unwrap().losses().to_vec();
    let first = strong_prior_of_a_stream(N_ROWS, y.slice(s![..8]));
    let mut state = svi.start(&first).unwrap();
    let of_batch = |k: usize| strong_prior_of_a_stream(N_ROWS, y.slice(s![8 * k..8 * k + 8]));
    let streamed: Vec<f64> = (0..5).map(|k| -state.step_on(&of_batch(k)).unwrap()).collect();
    for losses in [replayed, recorded, streamed] {
        let mean = losses.iter().sum::<f64>() / 5.0;
        assert!((mean - want).abs() < 1e-12 * want, "{mean} for {want}");
    }
}

#[test]
fn a_batch_leads_to_the_posterior_of_all_rows() {
    let y = forty();
    let exact = y.sum() / (25.0 + N_ROWS as f64);
    let rate = Schedule::ExponentialDecay {
        initial: 0.05,
        rate: 0.1,
        every: 500.0,
    };
    let svi = Svi::new(AutoNormal::default(), Adam::new(rate)).progress(Progress::Hidden);
    let mean = svi.steps(1500).run(&strong_prior(&y)).unwrap().mu().mean().unwrap();
    assert!((mean - exact).abs() < 0.04, "{mean} for {exact}");
}

#[model(crate = ppl_core)]
fn local(y: Obs<Array1<f64>>) {
    for i in plate(y, total = 50) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[model(crate = ppl_core)]
fn shares(y: Obs<Array1<f64>>) {
    let w = sample(Dirichlet(array![1.0, 2.0, 3.0]));
    for i in plate(y) {
        observe(y[i], Normal(w[0], 1));
    }
}

#[guide(shares, crate = ppl_core)]
fn shares_guide() {
    let w = sample(Dirichlet(array![8.0, 1.0, 1.0]));
}

fn mean_loss<M: Model + Sync, G: GuideFor<M>>(guide: G, model: &M, estimator: ElboEstimator) -> f64 {
    let svi = Svi::new(guide, Sgd::new(0.0)).progress(Progress::Hidden);
    let fit = svi.steps(2000).estimator(estimator).run(model).unwrap();
    fit.losses().iter().sum::<f64>() / 2000.0
}

/// The means of 2000 losses are within 1 % of their expectations but for a probability below 10⁻⁴. A divergence of the rows
/// in memory alone, or of each element of the vector, is off by tens of percent.
#[test]
fn the_closed_divergence_is_the_mean_of_the_sampled_one() {
    let y = array![0.5, -1.0];
    let at_one = || AutoNormal {
        loc: Initial::Value(1.0),
        ..AutoNormal::default()
    };
    let both = [ElboEstimator::AnalyticKl, ElboEstimator::Sampled];
    let of_rows = both.map(|estimator| mean_loss(at_one(), &local(&y), estimator));
    let of_a_vector = both.map(|estimator| mean_loss(shares_guide(), &shares(&y), estimator));
    for [closed, sampled] in [of_rows, of_a_vector] {
        assert!((closed / sampled - 1.0).abs() < 0.03, "{closed} and {sampled}");
    }
}

#[model(crate = ppl_core)]
fn numbered(n: usize) {
    for k in markov(n) {
        let z = sample(Normal(0, 1));
    }
}

#[test]
fn an_automatic_guide_draws_the_sites_of_a_loop_independently() {
    const N: usize = 2000;
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.02)).progress(Progress::Hidden);
    let fit = svi.steps(10).draws(N).run(&numbered(2)).unwrap();
    let z = fit.z();
    let [a, b] = [0, 1].map(|k| {
        let x = z.slice(s![0, .., k]).to_owned();
        let mean = x.mean().unwrap();
        x - mean
    });
    // |r| of independent columns exceeds 0.1 with a probability of 10⁻⁵.
    let r = (&a * &b).sum() / ((&a * &a).sum() * (&b * &b).sum()).sqrt();
    assert!(r.abs() < 0.1, "the correlation is {r}");
}

#[model(crate = ppl_core)]
fn one_by_one(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y, batch = 1) {
        observe(y[i], Normal(mu, 1));
    }
}

#[test]
fn each_epoch_visits_all_rows_in_an_order_of_its_own() {
    let y = array![0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let svi = Svi::new(AutoDelta::default(), Sgd::new(0.0)).progress(Progress::Hidden);
    let fit = svi.steps(24).run(&one_by_one(&y)).unwrap();
    let bits = |losses: &[f64]| losses.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let mut epochs: Vec<Vec<u64>> = fit.losses().chunks(6).map(bits).collect();
    assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]), "an order is repeated");
    epochs.iter_mut().for_each(|epoch| epoch.sort_unstable());
    assert!(epochs.windows(2).all(|pair| pair[0] == pair[1]), "{epochs:?}");
    epochs[0].dedup();
    assert_eq!(epochs[0].len(), 6);
}
