//! Priors without a finite integral, and priors of vectors in standardised coordinates.

use posterior::core::inference::potential::Potential;
use posterior::core::log_density::LogDensity;
use posterior::core::rng::Key;
use posterior::prelude::*;

/// Returns the log density on the unconstrained space.
fn density<M: Model + Sync>(model: &M, z: &[f64]) -> f64 {
    let potential = Potential::new(model, Key::new(1)).unwrap();
    potential.evaluator().value(z).unwrap()
}

fn assert_close(got: f64, expected: f64) {
    let bound = 1e-12 * (1.0 + expected.abs());
    assert!((got - expected).abs() <= bound, "{got} for {expected}");
}

#[model]
fn lifetimes(y: Obs<Array1<f64>>) {
    let shift = sample(Flat());
    let rate = sample(HalfFlat()); // of lifetimes
    for i in plate(y) {
        observe(y[i], Exponential(rate));
    }
    factor(-(shift - 2.0).square());
}

#[model]
fn flat_by_rows(y: Obs<Array1<f64>>) {
    for i in plate(y) {
        let mu = sample(Flat());
        let tau = sample(HalfFlat().expand([2]));
        observe(y[i], Normal(mu, tau[0] + tau[1]));
    }
}

#[test]
fn an_improper_prior_adds_nothing_but_the_jacobian_of_its_coordinates() {
    let y = array![0.5, 1.5, 0.25];
    for (shift, z) in [(0.0_f64, 0.0_f64), (-3.0, 1.2), (1e3, -2.0)] {
        let rate = z.exp();
        let expected = 3.0 * z - rate * 2.25 + z - (shift - 2.0).powi(2);
        assert_close(density(&lifetimes(&y), &[shift, z]), expected);
    }
    // Inputs are those of one site after the other, rows first.
    let (mu, z) = ([0.5, -1.0, 2.0], [0.1_f64, 0.2, -0.3, 0.4, 0.5, -0.6]);
    let rows = (0..3).map(|i| {
        let [a, b] = [z[2 * i], z[2 * i + 1]];
        let s = a.exp() + b.exp();
        -0.5 * ((y[i] - mu[i]) / s).powi(2) - s.ln() - 0.5 * std::f64::consts::TAU.ln() + a + b
    });
    assert_close(density(&flat_by_rows(&y), &[&mu[..], &z[..]].concat()), rows.sum());
}

#[model]
fn mean_of(y: Obs<Array1<f64>>) {
    let mu = sample(Flat()); // mean of
    for i in plate(y) {
        observe(y[i], Normal(mu, 2));
    }
}

#[test]
fn an_improper_prior_leaves_the_posterior_to_the_data() {
    let y = array![10.0, 12.0, 11.0, 15.0];
    // Normal(12, 1). Ten thousand draws of an effective thousand or more: four standard errors are 0.13.
    let fit = Mh::default()
        .draws(5000)
        .warmup(1000)
        .chains(2)
        .seed(3)
        .run(&mean_of(&y))
        .unwrap();
    assert!((fit.mu().mean().unwrap() - 12.0).abs() < 0.15);
    assert!((fit.mu().std(1.0) - 1.0).abs() < 0.15);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.05))
        .steps(3000)
        .particles(8)
        .run(&mean_of(&y))
        .unwrap();
    let params = svi.params();
    assert!((params[0].1.sum() - 12.0).abs() < 0.2, "{params:?}");
    let predicted = fit.predict(&mean_of(Obs::missing_like(&[4]))).unwrap();
    let y = predicted.get("y").unwrap();
    assert!((y.mean().unwrap() - 12.0).abs() < 0.2);
}

#[test]
fn a_draw_of_an_improper_prior_is_an_error_that_names_the_site() {
    let y = array![1.0];
    let errors = [
        Prior::default().draws(3).run(&mean_of(&y)).err(),
        trace(&mean_of(&y), 1).err(),
        trace(&mean_of(&y).block(|s| s.mu()), 1).err(),
    ];
    for error in errors {
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("site mu (tests/priors.rs:"), "{error}");
        assert!(
            error.contains("`Flat` is improper and cannot be drawn from: give the site a proper prior"),
            "{error}"
        );
    }
    let at_two = trace(&mean_of(&y).condition(|s| s.mu(2.0)), 1).unwrap();
    assert_eq!(at_two.get("mu").unwrap().log_prob, 0.0);
    let set = trace(&lifetimes(&y).do_(|s| s.rate(2.0).shift(0.0)), 1).unwrap();
    assert_eq!(set.get("rate").unwrap().value.sum(), 2.0);
}

/// Vectors around `shift`, once for each of two rows, twice in each.
#[model]
fn vectors(is_noncentered: bool, shift: &Array1<f64>) {
    let tril = array![[1.5, 0.0], [-0.4, 0.7]];
    let one = MultivariateNormal::scale_tril([0.5, -1.0], tril.clone());
    let one = if is_noncentered {
        sample(one.noncentered())
    } else {
        sample(one)
    };
    for i in plate(shift) {
        let loc = one * shift[i];
        let rows = MultivariateNormal::scale_tril(loc, tril.clone()).expand([2]);
        let rows = if is_noncentered {
            sample(rows.noncentered())
        } else {
            sample(rows)
        };
        factor(-rows.square().sum());
    }
}

#[test]
fn a_noncentered_vector_has_the_density_of_the_centered_one_in_other_coordinates() {
    let shift = array![2.0, -0.5];
    let affine = |loc: [f64; 2], z: &[f64]| [loc[0] + 1.5 * z[0], loc[1] - 0.4 * z[0] + 0.7 * z[1]];
    let z = [0.3, -1.1, 0.8, 0.2, -0.6, 1.4, 0.1, -0.9, 2.0, 0.5];
    let one = affine([0.5, -1.0], &z[..2]);
    let mut x = one.to_vec();
    for (k, z) in z[2..].chunks(2).enumerate() {
        let shift = shift[k / 2];
        x.extend(affine([one[0] * shift, one[1] * shift], z));
    }
    let log_det = 5.0 * (1.5_f64 * 0.7).ln();
    assert_close(
        density(&vectors(true, &shift), &z),
        density(&vectors(false, &shift), &x) + log_det,
    );
}
