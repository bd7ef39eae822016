//! Metropolis–Hastings against posteriors that are known exactly.

use ndarray::{Array1, Array2, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::distributions::{Bernoulli, Beta, Binomial, Categorical, Dirichlet, DistExt, Gamma, Normal, Poisson};
use ppl_core::draws::Draws;
use ppl_core::inference::fit::compare;
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::potential::Potential;
use ppl_core::inference::predictive::Prior;
use ppl_core::inference::progress::Progress;
use ppl_core::rng::Key;
use ppl_core::runtime::argument::Obs;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::model::Model;
use ppl_core::tape::var::Var;
use ppl_macros::model;
use rand::{Rng, RngCore};

#[model(crate = ppl_core)]
fn normal_mean(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(1, 2));
    for i in plate(y) {
        observe(y[i], Normal(mu, 0.5));
    }
}

#[model(crate = ppl_core)]
fn coin(y: Obs<Array1<bool>>) {
    let p = sample(Beta(2, 3));
    for i in plate(y) {
        observe(y[i], Bernoulli::probs(p));
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
fn regression(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 2).expand([x.ncols()]));
    for i in plate(x) {
        observe(y[i], Normal(x[i].dot(w), 0.7));
    }
}

#[model(crate = ppl_core)]
fn shares(y: Obs<Array1<usize>>) {
    let w = sample(Dirichlet(array![1.0, 2.0, 3.0]));
    for i in plate(y) {
        observe(y[i], Categorical::probs(w));
    }
}

/// Two groups with known means and a common shift; the groups of the data are latent.
#[model(crate = ppl_core)]
fn groups(y: Obs<Array1<f64>>) {
    let shift = sample(Normal(0, 1));
    let z = for i in plate(y) {
        let z = sample(Categorical::probs(array![0.3, 0.7]));
        let loc = z * 2.5 - 1.0 + shift;
        observe(y[i], Normal(loc, 1));
        z
    };
}

#[model(crate = ppl_core)]
fn thinned_count(y: Obs<u32>) {
    let n = sample(Poisson(6));
    observe(y, Binomial::probs(n, 0.4));
}

#[model(crate = ppl_core)]
fn random_walk(p: f64, y: Obs<f64>) {
    let mut x = Var::from(0.0);
    let mut n = Var::from(0.0);
    while sample("go", Bernoulli::probs(p)).is_true() {
        let step = sample(Normal(0, 1));
        x += step;
        n += 1.0;
    }
    track(end, x);
    track(count, n);
    observe(y, Normal(x, 0.5));
}

fn mh() -> Mh {
    Mh::default().chains(4).draws(2000).seed(42).progress(Progress::Hidden)
}

/// Checks the mean of a function of the draws within four Monte Carlo standard errors.
fn check_mean(draws: &Draws, label: &str, of: impl Fn(f64) -> f64, expected: f64) {
    let component = draws.all_components().find(|c| c.label == label).expect(label);
    let values = component.values.mapv(of);
    let got = values.mean().unwrap();
    let z = (got - expected) / mcse_mean(values.view());
    assert!(z.abs() < 4.0, "{label}: mean {got} for {expected}, {z} standard errors");
}

/// Checks mean and standard deviation of a scalar within four Monte Carlo standard errors.
fn check_moments(draws: &Draws, label: &str, mean: f64, sd: f64) {
    check_mean(draws, label, |x| x, mean);
    let component = draws.all_components().find(|c| c.label == label).expect(label);
    let got = component.values.std(1.0);
    let z = (got - sd) / mcse_sd(component.values);
    assert!(z.abs() < 4.0, "{label}: sd {got} for {sd}, {z} standard errors");
}

fn beta_moments(a: f64, b: f64) -> (f64, f64) {
    (a / (a + b), (a * b / ((a + b).powi(2) * (a + b + 1.0))).sqrt())
}

#[test]
fn the_mean_of_a_normal_is_recovered() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8];
    let precision: f64 = 1.0 / 4.0 + 5.0 / 0.25;
    let mean = (1.0 / 4.0 + y.sum() / 0.25) / precision;
    // An independence proposal: normal with mean 1/2 and standard deviation 1/2.
    let own = |old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]| {
        new[0] = 0.5 + 0.5 * rng.sample::<f64, _>(rand_distr::StandardNormal);
        ((new[0] - 0.5).powi(2) - (old[0] - 0.5).powi(2)) / 0.5
    };
    for proposal in [Proposal::RandomWalk, Proposal::SingleSite, Proposal::custom(own)] {
        let fit = mh().proposal(proposal).run(&normal_mean(&y)).unwrap();
        check_moments(fit.draws(), "mu", mean, precision.powf(-0.5));
        assert_eq!(fit.mu().shape(), [4, 2000]);
    }
}

#[test]
fn a_proposal_of_ones_own_that_gives_no_numbers_is_an_error() {
    let y = array![0.3, 0.9];
    let text = |proposal| {
        let mh = Mh::default().chains(1).warmup(2).draws(2).progress(Progress::Hidden);
        let error = mh.proposal(proposal).run(&normal_mean(&y)).err();
        error.map_or("no error".to_string(), |error| error.to_string())
    };
    for (ln_ratio, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "+∞")] {
        let text = text(Proposal::custom(
            move |_: &[f64], _: &mut dyn RngCore, _: &mut [f64]| ln_ratio,
        ));
        let wanted = format!("returns {shown} for ln q(old | new) − ln q(new | old): return a finite number");
        assert!(text.contains(&wanted), "{text}");
    }
    for (place, shown) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "−∞")] {
        let text = text(Proposal::custom(
            move |_: &[f64], _: &mut dyn RngCore, new: &mut [f64]| {
                new[0] = place;
                0.0
            },
        ));
        let wanted = format!("the proposal of one's own moves element 0 of its unconstrained value to {shown}");
        assert!(text.contains("site mu (") && text.contains(&wanted), "{text}");
    }
    // A way back that is impossible is refused, and no error.
    let never = Proposal::custom(|_: &[f64], rng: &mut dyn RngCore, new: &mut [f64]| {
        new[0] = rng.random();
        f64::NEG_INFINITY
    });
    let fit = mh()
        .chains(1)
        .warmup(0)
        .draws(3)
        .proposal(never)
        .run(&normal_mean(&y))
        .unwrap();
    assert_eq!(fit.mu()[[0, 0]], fit.mu()[[0, 2]]);
}

#[test]
fn the_bias_of_a_coin_is_recovered() {
    let y = Array1::from_iter((0..20).map(|i| i % 4 != 1));
    let fit = mh().run(&coin(&y)).unwrap();
    let (mean, sd) = beta_moments(2.0 + 15.0, 3.0 + 5.0);
    check_moments(fit.draws(), "p", mean, sd);
    fit.chains()
        .iter()
        .for_each(|c| assert!((c.acceptance() - 0.44).abs() < 0.15, "{c:?}"));
}

#[test]
fn the_rate_of_counts_is_recovered() {
    let y = array![1_u32, 4, 2, 0, 3];
    let fit = mh().run(&rate(&y)).unwrap();
    check_moments(fit.draws(), "lambda", 13.0 / 7.0, 13.0_f64.sqrt() / 7.0);
}

#[test]
fn the_coefficients_of_a_regression_are_recovered() {
    let x = Array2::from_shape_fn((12, 2), |(i, j)| if j == 0 { 1.0 } else { 0.4 * i as f64 });
    let y = Array1::from_shape_fn(12, |i| 0.5 - 0.3 * (0.4 * i as f64) + 0.6 * (2.3 * i as f64).sin());
    // The posterior precision XᵀX / 0.49 + I / 4 is inverted by hand.
    let a = x.t().dot(&x) / 0.49 + Array2::<f64>::eye(2) / 4.0;
    let det = a[[0, 0]] * a[[1, 1]] - a[[0, 1]] * a[[1, 0]];
    let cov = array![[a[[1, 1]], -a[[0, 1]]], [-a[[1, 0]], a[[0, 0]]]] / det;
    let mean = cov.dot(&(x.t().dot(&y) / 0.49));
    let fit = mh().draws(4000).run(&regression(&x, &y)).unwrap();
    check_moments(fit.draws(), "w[0]", mean[0], cov[[0, 0]].sqrt());
    check_moments(fit.draws(), "w[1]", mean[1], cov[[1, 1]].sqrt());
}

#[test]
fn shares_on_a_simplex_are_recovered() {
    let y = array![0_usize, 2, 2, 1, 2, 0, 2];
    let fit = mh().draws(4000).run(&shares(&y)).unwrap();
    for (k, count) in [3.0, 3.0, 7.0].into_iter().enumerate() {
        let (mean, sd) = beta_moments(count, 13.0 - count);
        check_moments(fit.draws(), &format!("w[{k}]"), mean, sd);
    }
}

#[test]
fn latent_groups_agree_with_their_enumeration() {
    let y = array![0.9, -0.4, 1.8];
    // Given the groups the shift is normal, and y − loc has the covariance I + 11ᵀ.
    let (mut evidence, mut in_second, mut shift) = (0.0, [0.0; 3], 0.0);
    for config in 0..8_u32 {
        let z = [0, 1, 2].map(|i| (config >> i & 1) as f64);
        let rest: Vec<f64> = (0..3).map(|i| y[i] - (2.5 * z[i] - 1.0)).collect();
        let (sum, squares) = (rest.iter().sum::<f64>(), rest.iter().map(|r| r * r).sum::<f64>());
        let prior: f64 = z.iter().map(|&z| if z == 1.0 { 0.7 } else { 0.3 }).product();
        let weight = prior * (-0.5 * (squares - sum * sum / 4.0)).exp();
        evidence += weight;
        shift += weight * sum / 4.0;
        (0..3).for_each(|i| in_second[i] += weight * z[i]);
    }
    for proposal in [Proposal::Auto, Proposal::SingleSite] {
        let fit = mh().draws(4000).proposal(proposal).run(&groups(&y)).unwrap();
        check_mean(fit.draws(), "shift", |x| x, shift / evidence);
        for (i, weight) in in_second.iter().enumerate() {
            check_mean(fit.draws(), &format!("z[{i}]"), |x| x, weight / evidence);
        }
    }
}

#[test]
fn a_latent_count_is_recovered() {
    // What was not counted is Poisson with rate 6 · 0.6.
    let fit = mh().draws(4000).run(&thinned_count(&2)).unwrap();
    check_moments(fit.draws(), "n", 2.0 + 3.6, 3.6_f64.sqrt());
}

#[test]
fn a_model_that_changes_its_sites_agrees_with_brute_force() {
    let (p, y) = (0.6_f64, 1.7);
    // After n steps x is normal with variance n, and y with variance n + 1/4.
    let weight = |n: i32| {
        let variance = n as f64 + 0.25;
        p.powi(n) * (-0.5 * y * y / variance).exp() / variance.sqrt()
    };
    let evidence: f64 = (0..200).map(weight).sum();
    let model = random_walk(p, &y);
    let fit = mh().draws(1000).warmup(200).run(&model).unwrap();
    for n in 0..5 {
        check_mean(
            fit.draws(),
            "count",
            |c| (c == n as f64) as u8 as f64,
            weight(n) / evidence,
        );
    }
    let end: f64 = (0..200).map(|n| weight(n) * y * n as f64 / (n as f64 + 0.25)).sum();
    check_mean(fit.draws(), "end", |x| x, end / evidence);
    // Steps that a draw does not make are NaN in the family.
    let (step, count) = (fit.step(), fit.draws().get("count").unwrap());
    let made = step.iter().filter(|x| !x.is_nan()).count() as f64;
    assert_eq!(made, count.sum());
    let error = mh()
        .proposal(Proposal::RandomWalk)
        .run(&model)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("Proposal::SingleSite"), "{error}");
}

#[test]
fn draws_do_not_depend_on_the_number_of_threads() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8];
    let (short, walk) = (mh().draws(50).warmup(100), random_walk(0.6, &1.7));
    let runs = [1, 2, 8].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let vector = short.run(&groups(&y)).unwrap();
            let traces = short.clone().chains(2).run(&walk).unwrap();
            let predicted = vector.predict(&groups(Obs::missing_like(&[5]))).unwrap();
            let prior = Prior::default().draws(20).seed(1).run(&groups(&y)).unwrap();
            let sets = [vector.draws(), traces.draws(), predicted.draws(), prior.draws()];
            let bits = sets
                .into_iter()
                .flat_map(|d| d.all_components().flat_map(|c| c.values.to_owned()));
            bits.map(f64::to_bits).collect::<Vec<_>>()
        })
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
    assert!(runs[0].len() > 3000);
}

#[test]
fn chains_and_seeds_differ_and_a_seed_repeats() {
    let y = array![0.3, 0.9];
    let draw = |seed| {
        mh().draws(5)
            .warmup(5)
            .seed(seed)
            .run(&normal_mean(&y))
            .unwrap()
            .mu()
            .to_owned()
    };
    let (first, again, other) = (draw(1), draw(1), draw(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_ne!(
        first.index_axis(ndarray::Axis(0), 0),
        first.index_axis(ndarray::Axis(0), 1)
    );
}

#[test]
fn predictions_have_the_moments_of_the_posterior_predictive() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8];
    let precision: f64 = 1.0 / 4.0 + 5.0 / 0.25;
    let mean = (1.0 / 4.0 + y.sum() / 0.25) / precision;
    let fit = mh().run(&normal_mean(&y)).unwrap();
    let predicted = fit.predict(&normal_mean(Obs::missing_like(&[2]))).unwrap();
    assert_eq!(predicted.get("y").unwrap().shape(), [4, 2000, 2]);
    assert_eq!(predicted.get("mu"), None);
    check_moments(predicted.draws(), "y[1]", mean, (1.0 / precision + 0.25).sqrt());
    let comparison = compare(&[("posterior", &fit), ("predicted", predicted.draws())]);
    assert_eq!(comparison.rows.len(), 1);
    let error = fit.predict(&coin(Obs::missing_like(&[2]))).err().unwrap().to_string();
    assert_eq!(
        error,
        "model coin has none of the latents that were drawn, which are mu"
    );
}

#[test]
fn a_site_that_no_draw_has_met_is_read_without_a_panic() {
    let y = 1.0;
    let fit = mh().chains(2).draws(5).run(&random_walk(0.0, &y)).unwrap();
    assert_eq!((fit.go().shape(), fit.step().shape()), (&[2, 5, 1][..], &[2, 5, 0][..]));
}

#[test]
fn prior_draws_have_the_moments_of_the_prior() {
    let prior = Prior::default()
        .draws(4000)
        .seed(3)
        .run(&normal_mean(Obs::missing_like(&[3])))
        .unwrap();
    check_moments(prior.draws(), "mu", 1.0, 2.0);
    check_moments(prior.draws(), "y[2]", 1.0, 4.25_f64.sqrt());
    assert_eq!(prior.mu().shape(), [1, 4000]);
}

#[test]
fn handlers_change_what_is_sampled() {
    let y = array![0.9, -0.4, 1.8];
    let z = array![1.0, 0.0, 1.0];
    let model = groups(&y).condition(|s| s.z(&z));
    let fit = mh().run(&model).unwrap();
    // The residuals after the group means.
    let sum = (0.9 - 1.5) + (-0.4 + 1.0) + (1.8 - 1.5);
    check_moments(fit.draws(), "shift", sum / 4.0, 0.5);
    assert_eq!(fit.draws().names().collect::<Vec<_>>(), ["shift"]);
    let error = mh().run(&groups(&y).block(|s| s.shift())).err().unwrap().to_string();
    assert!(error.contains("it depends on a fresh random draw"), "{error}");
}

#[test]
fn bad_data_and_settings_are_errors_that_say_where() {
    let error = |fit: Result<_, ppl_core::error::Error>| fit.map(|_: ()| ()).unwrap_err().to_string();
    let run = |y: Array1<f64>| mh().run(&normal_mean(&y)).map(drop);
    let text = error(run(array![0.3, f64::NAN]));
    assert!(
        text.starts_with("site y (") && text.contains("value[1] = NaN"),
        "{text}"
    );
    let text = error(run(array![]));
    assert!(text.contains("there are no rows"), "{text}");
    assert_eq!(
        error(mh().draws(0).run(&normal_mean(&array![1.0])).map(drop)),
        "draws = 0: at least 1 is needed"
    );
}

#[test]
fn only_a_model_that_reads_no_drawn_value_is_replayed() {
    let y = array![0.9, -0.4];
    let model = normal_mean(&y);
    assert_eq!(model.name(), "normal_mean");
    assert!(Potential::new(&model, Key::new(1)).unwrap().is_replayed());
    let walk = random_walk(0.5, &1.0);
    assert!(!Potential::new(&walk, Key::new(1)).unwrap().is_replayed());
}
