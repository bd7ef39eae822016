//! The laws of handlers, on models with plates, loops, discrete latents and masks.

use ndarray::{Array1, ArrayD, arr0, array};
use ppl_core::distributions::{Bernoulli, HalfNormal, Normal};
use ppl_core::runtime::handlers::{ModelExt, Trace, trace};
use ppl_core::runtime::state::SiteKind;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfNormal(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
        theta
    };
    let is_high = sample(Bernoulli::logits(mu));
    for t in markov(3) {
        let step = sample(Normal(mu, 1));
    }
    track(spread, theta.max() - theta.min());
}

const SEEDS: std::ops::Range<u64> = 0..20;

fn data() -> (Array1<f64>, Array1<f64>) {
    (array![15.0, 10.0, 16.0, 11.0], array![28.0, 8.0, -3.0, 7.0])
}

fn value<'a>(run: &'a Trace, site: &str) -> &'a ArrayD<f64> {
    &run.get(site)
        .unwrap_or_else(|| panic!("no site {site} in {run:?}"))
        .value
}

fn log_prob(run: &Trace, site: &str) -> f64 {
    run.get(site).map_or(0.0, |s| s.log_prob)
}

/// ln of the normal density, written out.
fn ln_normal(x: f64, loc: f64, scale: f64) -> f64 {
    -0.5 * ((x - loc) / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln()
}

fn assert_close(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
        "{got} for {expected}"
    );
}

#[test]
fn the_log_joint_is_the_sum_of_the_densities_of_the_sites() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let run = trace(&schools(&sigma, &y), seed).unwrap();
        let (mu, tau) = (value(&run, "mu")[[]], value(&run, "tau")[[]]);
        let theta = value(&run, "theta");
        let is_high = value(&run, "is_high")[[]];
        let by_hand = [
            ("mu", ln_normal(mu, 0.0, 5.0)),
            ("tau", ln_normal(tau, 0.0, 5.0) + 2.0_f64.ln()),
            ("theta", theta.iter().map(|&t| ln_normal(t, mu, tau)).sum()),
            ("y", (0..4).map(|j| ln_normal(y[j], theta[[j]], sigma[j])).sum()),
            ("is_high", is_high * mu - mu.exp().ln_1p()),
            ("step[0]", ln_normal(value(&run, "step[0]")[[]], mu, 1.0)),
            ("step[1]", ln_normal(value(&run, "step[1]")[[]], mu, 1.0)),
            ("step[2]", ln_normal(value(&run, "step[2]")[[]], mu, 1.0)),
        ];
        by_hand
            .iter()
            .for_each(|&(site, expected)| assert_close(log_prob(&run, site), expected));
        assert_close(run.log_joint(), by_hand.iter().map(|site| site.1).sum());
        assert_eq!(run.get("spread").unwrap().kind, SiteKind::Tracked);
    }
}

#[test]
fn conditioning_gives_the_value_and_keeps_the_density() {
    let (sigma, y) = data();
    let theta = array![1.0, 2.0, 3.0, 4.0];
    for seed in SEEDS {
        let model = schools(&sigma, &y).condition(|s| s.mu(4.0).theta(&theta));
        let run = trace(&model, seed).unwrap();
        assert_eq!(value(&run, "mu"), &arr0(4.0).into_dyn());
        assert_eq!(value(&run, "theta"), &theta.clone().into_dyn());
        assert_eq!(run.get("theta").unwrap().kind, SiteKind::Observed);
        assert_close(log_prob(&run, "mu"), ln_normal(4.0, 0.0, 5.0));
        let tau = value(&run, "tau")[[]];
        assert_close(
            log_prob(&run, "theta"),
            theta.iter().map(|&t| ln_normal(t, 4.0, tau)).sum(),
        );
        assert_close(run.log_joint(), run.sites().iter().map(|s| s.log_prob).sum());
    }
}

#[test]
fn a_value_for_a_loop_is_given_row_by_row() {
    let (sigma, y) = data();
    let model = schools(&sigma, &y).condition(|s| s.step(&array![0.5, -1.0, 2.5]));
    let run = trace(&model, 3).unwrap();
    let mu = value(&run, "mu")[[]];
    for (k, x) in [0.5, -1.0, 2.5].into_iter().enumerate() {
        assert_close(log_prob(&run, &format!("step[{k}]")), ln_normal(x, mu, 1.0));
    }
}

#[test]
fn an_intervention_has_the_value_and_no_density() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let run = trace(&schools(&sigma, &y).do_(|s| s.mu(4.0)), seed).unwrap();
        let given = trace(&schools(&sigma, &y).condition(|s| s.mu(4.0)), seed).unwrap();
        assert_eq!(value(&run, "mu")[[]], 4.0);
        assert_eq!(run.get("mu").unwrap().kind, SiteKind::Intervened);
        assert_eq!(log_prob(&run, "mu"), 0.0);
        assert_close(run.log_joint(), given.log_joint() - ln_normal(4.0, 0.0, 5.0));
    }
}

#[test]
fn a_blocked_site_is_drawn_and_has_no_density() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let run = trace(&schools(&sigma, &y).block(|s| s.mu()), seed).unwrap();
        let open = trace(&schools(&sigma, &y), seed).unwrap();
        assert_eq!(run.get("mu"), None);
        assert_eq!(value(&run, "theta"), value(&open, "theta"));
        assert_close(run.log_joint(), open.log_joint() - log_prob(&open, "mu"));
        let unseen = trace(&schools(&sigma, &y).block(|_| "y"), seed).unwrap();
        assert_eq!(unseen.get("y"), None);
        assert_close(unseen.log_joint(), open.log_joint() - log_prob(&open, "y"));
    }
}

#[test]
fn a_replayed_run_is_the_run() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let run = trace(&schools(&sigma, &y), seed).unwrap();
        let again = trace(&schools(&sigma, &y).replay(&run), seed + 1000).unwrap();
        assert_eq!(again, run);
    }
}

#[test]
fn masked_rows_do_not_count() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let open = trace(&schools(&sigma, &y), seed).unwrap();
        let none = trace(&schools(&sigma, &y).mask(|_| "y", array![0.0, 0.0, 0.0, 0.0]), seed).unwrap();
        assert_eq!(log_prob(&none, "y"), 0.0);
        assert_close(none.log_joint(), open.log_joint() - log_prob(&open, "y"));
        let some = trace(
            &schools(&sigma, &y).mask(|s| s.theta(), array![1.0, 0.0, 1.0, 0.0]),
            seed,
        )
        .unwrap();
        let (mu, tau, theta) = (value(&some, "mu")[[]], value(&some, "tau")[[]], value(&some, "theta"));
        let counted = ln_normal(theta[[0]], mu, tau) + ln_normal(theta[[2]], mu, tau);
        assert_close(log_prob(&some, "theta"), counted);
        let both = schools(&sigma, &y)
            .mask(|_| "y", array![1.0, 1.0, 0.0, 0.0])
            .mask(|_| "y", array![0.0, 1.0, 1.0, 0.0]);
        let both = trace(&both, seed).unwrap();
        assert_close(
            log_prob(&both, "y"),
            ln_normal(y[1], value(&both, "theta")[[1]], sigma[1]),
        );
    }
}

#[test]
fn each_mask_of_several_is_checked_against_the_rows() {
    let (sigma, y) = data();
    let model = || schools(&sigma, &y).mask(|_| "y", array![1.0, 0.0, 1.0, 1.0]);
    for (wrong, shape) in [
        (array![1.0, 0.0].into_dyn(), "[2]"),
        (array![[1.0], [0.0], [1.0], [1.0]].into_dyn(), "[4, 1]"),
        (array![1.0, 0.0, 1.0, 1.0, 0.0].into_dyn(), "[5]"),
    ] {
        let error = trace(&model().mask(|_| "y", wrong.clone()), 1).unwrap_err().to_string();
        let expected = format!("a mask of shape {shape} was given, the rows of the site have shape [4]");
        assert!(error.starts_with("site y (") && error.ends_with(&expected), "{error}");
        let inside = schools(&sigma, &y).mask(|_| "y", wrong).mask(|_| "y", 0.0);
        assert!(trace(&inside, 1).unwrap_err().to_string().ends_with(&expected));
    }
    let error = trace(&model().mask(|s| s.mu(), array![1.0, 0.0]), 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("site mu (")
            && error.contains("a mask of shape [2] was given, the rows of the site have shape []"),
        "{error}"
    );
    // A single number stands for all rows, beside a number for each.
    let run = trace(
        &model().mask(|_| "y", true).mask(|_| "y", array![0.0, 1.0, 0.0, 1.0]),
        1,
    )
    .unwrap();
    assert_close(
        log_prob(&run, "y"),
        ln_normal(y[3], value(&run, "theta")[[3]], sigma[3]),
    );
    assert_eq!(log_prob(&trace(&model().mask(|_| "y", 0.0), 1).unwrap(), "y"), 0.0);
}

#[test]
fn scales_multiply() {
    let (sigma, y) = data();
    for seed in SEEDS {
        let open = trace(&schools(&sigma, &y), seed).unwrap();
        let model = schools(&sigma, &y)
            .scale(|_| "y", 0.5)
            .scale(|s| s.mu().step(), 3.0)
            .scale(|_| "y", 0.5);
        let run = trace(&model, seed).unwrap();
        assert_close(log_prob(&run, "y"), 0.25 * log_prob(&open, "y"));
        assert_close(log_prob(&run, "mu"), 3.0 * log_prob(&open, "mu"));
        assert_close(log_prob(&run, "step[2]"), 3.0 * log_prob(&open, "step[2]"));
        assert_close(log_prob(&run, "theta"), log_prob(&open, "theta"));
    }
}

#[test]
fn the_handler_nearest_to_the_model_decides() {
    let (sigma, y) = data();
    let run = trace(&schools(&sigma, &y).condition(|s| s.mu(1.0)).do_(|s| s.mu(2.0)), 1).unwrap();
    assert_eq!(
        (value(&run, "mu")[[]], run.get("mu").unwrap().kind),
        (1.0, SiteKind::Observed)
    );
    let run = trace(&schools(&sigma, &y).condition(|s| s.mu(1.0)).block(|s| s.mu()), 1).unwrap();
    assert_eq!((value(&run, "mu")[[]], log_prob(&run, "mu")), (1.0, 0.0));
}

#[test]
fn wrong_names_and_shapes_are_errors() {
    let (sigma, y) = data();
    let error = trace(&schools(&sigma, &y).mask(|_| "z", 0.0), 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the model has no site `z`; it has mu, tau, theta, y"),
        "{error}"
    );
    let error = trace(&schools(&sigma, &y).condition(|s| s.theta(&array![1.0, 2.0])), 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("site theta (") && error.contains("shape [2] was given, the site has shape [4]"),
        "{error}"
    );
}
