//! The log densities of observations and latents, row by row, against closed forms.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, ArrayViewD, Dimension, array};
use ppl_core::distributions::{Bernoulli, DistExt, HalfNormal, MultivariateNormal, Normal, Poisson};
use ppl_core::draws::Draws;
use ppl_core::inference::mh::Mh;
use ppl_core::inference::nuts::Nuts;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::results::Group;
use ppl_core::runtime::argument::Obs;
use ppl_core::runtime::handlers::ModelExt;
use ppl_macros::model;

fn nuts() -> Nuts {
    Nuts::default()
        .chains(2)
        .draws(25)
        .warmup(50)
        .progress(Progress::Hidden)
}

/// ln N(y; mu, sigma²)
fn ln_normal(y: f64, mu: f64, sigma: f64) -> f64 {
    let z = (y - mu) / sigma;
    -0.5 * z * z - sigma.ln() - 0.5 * TAU.ln()
}

/// Asserts that `own` holds what `expected` gives for each chain, draw and row: its index without the first two is the row.
fn assert_rows(own: ArrayViewD<'_, f64>, shape: &[usize], expected: impl Fn(usize, usize, &[usize]) -> f64) {
    assert_eq!(own.shape(), [&[2, 25], shape].concat());
    for (idx, &x) in own.indexed_iter() {
        let expected = expected(idx[0], idx[1], &idx.slice()[2..]);
        let is_same = (x - expected).abs() <= 1e-12 * (1.0 + expected.abs()) || (x.is_nan() && expected.is_nan());
        assert!(is_same, "{x} at {idx:?}, expected {expected}");
    }
}

fn at(draws: &Draws, name: &str, idx: &[usize]) -> f64 {
    draws.get(name).unwrap()[idx]
}

#[model(crate = ppl_core)]
fn school_years(y: Obs<Array2<f64>>, n: Obs<Array1<u32>>) {
    let mu = sample(Normal(0, 1));
    for school in plate(y) {
        let theta = sample(Normal(mu, 2));
        for year in plate(2) {
            observe(y[school][year], Normal(theta, 1.5));
        }
        observe(n[school], Poisson(theta.exp()));
    }
}

#[test]
fn each_row_of_nested_plates_and_of_several_sites_has_its_own() {
    let (y, n) = (array![[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], array![2_u32, 0, 4]);
    let mut fit = nuts().run(&school_years(&y, &n)).unwrap();
    fit.add_log_densities(&school_years(&y, &n)).unwrap();
    let own = fit.results().group(Group::LogLikelihood).unwrap();
    assert_eq!(own.names().collect::<Vec<_>>(), ["y", "n"]);
    assert_eq!(
        (own.dims("y").unwrap().join(" "), own.dims("n").unwrap().join(" ")),
        ("school year".into(), "school".into())
    );
    let draws = fit.draws();
    assert_rows(own.get("y").unwrap(), &[3, 2], |c, d, row| {
        ln_normal(y[[row[0], row[1]]], at(draws, "theta", &[c, d, row[0]]), 1.5)
    });
    let factorials = [2.0_f64.ln(), 0.0, 24.0_f64.ln()];
    assert_rows(own.get("n").unwrap(), &[3], |c, d, row| {
        let ln_rate = at(draws, "theta", &[c, d, row[0]]);
        f64::from(n[row[0]]) * ln_rate - ln_rate.exp() - factorials[row[0]]
    });
    let prior = fit.results().group(Group::LogPrior).unwrap();
    assert_rows(prior.get("mu").unwrap(), &[], |c, d, _| {
        ln_normal(at(draws, "mu", &[c, d]), 0.0, 1.0)
    });
    assert_rows(prior.get("theta").unwrap(), &[3], |c, d, row| {
        ln_normal(at(draws, "theta", &[c, d, row[0]]), at(draws, "mu", &[c, d]), 2.0)
    });
    // All latents are real, so that nothing else is in the density that the sampler saw.
    let total = |draws: &Draws, c: usize, d: usize| -> f64 {
        let of_site = |name: &str| draws.chain(name, c).unwrap().index_axis_move(ndarray::Axis(0), d).sum();
        draws.names().map(of_site).sum()
    };
    assert_rows(fit.statistics().get("lp").unwrap(), &[], |c, d, _| {
        total(own, c, d) + total(prior, c, d)
    });
}

#[model(crate = ppl_core)]
fn vectors(y: Obs<Array2<f64>>, z: Obs<Array1<f64>>) {
    let m = sample(Normal(0, 1));
    let tril = array![[2.0, 0.0], [1.0, 0.5]];
    for row in plate(y) {
        observe(y[row], MultivariateNormal::scale_tril(array![1.0, 0.0] * m, tril));
    }
    observe(z, Normal(m, 2));
}

#[test]
fn events_are_summed_and_a_site_without_plates_is_one_number() {
    let (y, z) = (array![[1.0, 2.0], [0.5, -1.0]], array![0.5, 1.5, -2.0]);
    let model = vectors(&y, &z);
    let fit = nuts().run(&model).unwrap();
    let own = fit.log_likelihood(&model).unwrap();
    let m = |c: usize, d: usize| at(fit.draws(), "m", &[c, d]);
    assert_rows(own.get("y").unwrap(), &[2], |c, d, row| {
        // Forward substitution by the factor [[2, 0], [1, 0.5]].
        let first = (y[[row[0], 0]] - m(c, d)) / 2.0;
        let second = (y[[row[0], 1]] - first) / 0.5;
        -0.5 * (first * first + second * second) - (2.0 * 0.5_f64).ln() - TAU.ln()
    });
    assert_rows(own.get("z").unwrap(), &[], |c, d, _| {
        z.iter().map(|&z| ln_normal(z, m(c, d), 2.0)).sum()
    });
}

#[model(crate = ppl_core)]
fn weighted(is_on: &Array1<bool>, y: Obs<Array1<f64>>, w: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y, batch = 2) {
        observe(y[i], Normal(mu, 1).mask(is_on[i]).scale(3));
        observe(w[i], Normal(mu, 2));
    }
}

#[test]
fn scales_and_batches_do_not_count_and_masked_rows_are_no_observations() {
    let (is_on, y) = (array![true, false, true, true], array![1.0, 2.0, 3.0, 4.0]);
    let w = array![0.0, 1.0, 2.0, 3.0];
    let model = weighted(&is_on, &y, &w).mask(|s| s.w(), array![1.0, 1.0, 0.0, 1.0]);
    let fit = nuts().run(&model).unwrap();
    let own = fit.log_likelihood(&model).unwrap();
    let mu = |c: usize, d: usize| at(fit.draws(), "mu", &[c, d]);
    let shown = |is_shown: bool, x: f64| if is_shown { x } else { f64::NAN };
    assert_rows(own.get("y").unwrap(), &[4], |c, d, row| {
        shown(is_on[row[0]], ln_normal(y[row[0]], mu(c, d), 1.0))
    });
    assert_rows(own.get("w").unwrap(), &[4], |c, d, row| {
        shown(row[0] != 2, ln_normal(w[row[0]], mu(c, d), 2.0))
    });
}

#[model(crate = ppl_core)]
fn gaps(y: Obs<Array2<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, array![1.0, 2.0]));
    }
}

#[test]
fn missing_elements_do_not_count_and_a_row_without_any_is_nan() {
    let data = array![[1.0, 2.0], [f64::NAN, 3.0], [f64::NAN, f64::NAN]];
    let model = gaps(Obs::partly(&data));
    let fit = nuts().run(&model).unwrap();
    let own = fit.log_likelihood(&model).unwrap();
    assert_rows(own.get("y").unwrap(), &[3], |c, d, row| {
        let mu = at(fit.draws(), "mu", &[c, d]);
        match row[0] {
            0 => ln_normal(1.0, mu, 1.0) + ln_normal(2.0, mu, 2.0),
            1 => ln_normal(3.0, mu, 2.0),
            _ => f64::NAN,
        }
    });
}

#[model(crate = ppl_core)]
fn autoregression(y: Obs<Array1<f64>>) {
    let phi = sample(Normal(0, 0.5));
    observe("first", y[0], Normal(0, 1));
    for t in markov(3) {
        observe("next", y[t + 1], Normal(phi * y[t], 1));
    }
}

#[test]
fn an_observation_that_follows_on_a_missing_one_has_its_density_given_the_draw() {
    let y = array![0.5, f64::NAN, 1.5, 2.0];
    let model = autoregression(Obs::partly(&y));
    let fit = nuts().run(&model).unwrap();
    let own = fit.log_likelihood(&model).unwrap();
    let (phi, drawn) = (fit.phi(), fit.draws().get("next[0]").unwrap());
    assert_rows(own.get("first").unwrap(), &[], |_, _, _| ln_normal(0.5, 0.0, 1.0));
    assert_rows(own.get("next[0]").unwrap(), &[], |_, _, _| f64::NAN);
    assert_rows(own.get("next[1]").unwrap(), &[], |c, d, _| {
        ln_normal(1.5, phi[[c, d]] * drawn[[c, d]], 1.0)
    });
    assert_rows(own.get("next[2]").unwrap(), &[], |c, d, _| {
        ln_normal(2.0, phi[[c, d]] * 1.5, 1.0)
    });
}

#[model(crate = ppl_core)]
fn covariate(x: Obs<Array1<f64>>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        observe(x[i], Normal(mu, 1));
        observe(y[i], Normal(x[i], 2));
    }
}

#[test]
fn missing_rows_that_the_model_reads_are_nan_and_what_reads_them_is_given_the_draw() {
    let (x, y) = (array![0.5, f64::NAN, 1.5], array![2.0, 3.0, 4.0]);
    let model = covariate(Obs::partly(&x), &y);
    let mut fit = nuts().run(&model).unwrap();
    fit.add_log_densities(&model).unwrap();
    let own = fit.results().group(Group::LogLikelihood).unwrap();
    assert_eq!(own.dims("x").unwrap(), ["i"]);
    let draws = fit.draws();
    assert_rows(own.get("x").unwrap(), &[3], |c, d, row| {
        ln_normal(x[row[0]], at(draws, "mu", &[c, d]), 1.0)
    });
    assert_rows(own.get("y").unwrap(), &[3], |c, d, row| {
        ln_normal(y[row[0]], at(draws, "x", &[c, d, row[0]]), 2.0)
    });
    let observed = fit.results().group(Group::ObservedData).unwrap().get("x").unwrap();
    assert_eq!(
        (observed[[0, 0, 0]], observed[[0, 0, 1]].is_nan(), observed[[0, 0, 2]]),
        (0.5, true, 1.5)
    );
}

/// Its body reads a drawn value, so that it is recorded anew at each draw.
#[model(crate = ppl_core)]
fn branches(y: Obs<Array1<f64>>) {
    let is_wide = sample(Bernoulli::probs(0.5));
    let mu = sample(Normal(0, 1));
    let sigma = if is_wide.is_true() { 5.0 } else { 1.0 };
    for i in plate(y) {
        observe(y[i], Normal(mu, sigma));
    }
}

#[test]
fn a_model_that_is_recorded_anew_gives_the_densities_of_its_branches() {
    let y = array![2.0, -3.0];
    let fit = Mh::default()
        .chains(2)
        .draws(25)
        .warmup(50)
        .progress(Progress::Hidden)
        .run(&branches(&y))
        .unwrap();
    let own = fit.log_likelihood(&branches(&y)).unwrap();
    let is_wide = |c: usize, d: usize| at(fit.draws(), "is_wide", &[c, d]) == 1.0;
    let n_wide: usize = (0..50).filter(|k| is_wide(k / 25, k % 25)).count();
    assert!(
        n_wide > 0,
        "both branches are to be met, or the first is a test of nothing"
    );
    assert_rows(own.get("y").unwrap(), &[2], |c, d, row| {
        ln_normal(
            y[row[0]],
            at(fit.draws(), "mu", &[c, d]),
            if is_wide(c, d) { 5.0 } else { 1.0 },
        )
    });
}

#[model(crate = ppl_core)]
fn noncentered(y: Obs<Array1<f64>>) {
    let tau = sample(HalfNormal(2));
    for i in plate(y) {
        let theta = sample(Normal(1, tau).noncentered());
        observe(y[i], Normal(theta, 1));
    }
    factor(-tau);
}

#[test]
fn priors_are_those_of_the_values_in_whatever_coordinates_the_sampler_walks() {
    let y = array![2.0, -3.0];
    let fit = nuts().run(&noncentered(&y)).unwrap();
    let prior = fit.log_prior(&noncentered(&y)).unwrap();
    assert_eq!(prior.names().collect::<Vec<_>>(), ["tau", "theta"]);
    let tau = |c: usize, d: usize| at(fit.draws(), "tau", &[c, d]);
    assert_rows(prior.get("tau").unwrap(), &[], |c, d, _| {
        2.0_f64.ln() + ln_normal(tau(c, d), 0.0, 2.0)
    });
    assert_rows(prior.get("theta").unwrap(), &[2], |c, d, row| {
        ln_normal(at(fit.draws(), "theta", &[c, d, row[0]]), 1.0, tau(c, d))
    });
}

#[test]
fn other_data_are_scored_at_the_same_latents() {
    let (y, n) = (array![[1.0, 2.0], [0.5, -1.0]], array![2_u32, 0]);
    let fit = nuts().run(&school_years(&y, &n)).unwrap();
    let other = array![[0.0, 0.0], [7.0, -7.0]];
    let own = fit.log_likelihood(&school_years(&other, &n)).unwrap();
    assert_rows(own.get("y").unwrap(), &[2, 2], |c, d, row| {
        ln_normal(other[[row[0], row[1]]], at(fit.draws(), "theta", &[c, d, row[0]]), 1.5)
    });
}

#[model(crate = ppl_core)]
fn with_more(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let extra = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu + extra, 1));
    }
}

#[model(crate = ppl_core)]
fn plain(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[test]
fn what_cannot_be_scored_is_an_error_that_says_why() {
    let y = array![2.0, -3.0];
    let fit = nuts().run(&plain(&y)).unwrap();
    let error = fit.log_likelihood(&with_more(&y)).unwrap_err().to_string();
    assert!(
        error.starts_with("site y (ppl-core/tests/pointwise.rs:")
            && error.ends_with("its log density depends on `extra`, of which the fit has no draws"),
        "{error}"
    );
    let error = fit
        .log_likelihood(&plain(Obs::missing_like(&[2])))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the model `plain` observes nothing, so that there are no log densities"
    );
}
