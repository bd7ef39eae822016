//! Particles, loops, plates and draws of SVI: what belongs to different things has different random numbers.

use ndarray::{Array1, Axis, array};
use ppl_core::distributions::Normal;
use ppl_core::inference::predictive::Prior;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoDelta, AutoNormal, Initial, Svi};
use ppl_core::optim::Sgd;
use ppl_macros::{guide, model};

#[model(crate = ppl_core)]
fn level(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

/// The same density; the value that is read makes each step record it anew.
#[model(crate = ppl_core)]
fn level_that_is_read(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let _ = mu.value();
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

/// Returns the losses of steps that move nothing.
macro_rules! losses {
    ($guide:expr, $model:expr, $steps:expr, $particles:expr) => {{
        let svi = Svi::new($guide, Sgd::new(0.0)).seed(3).progress(Progress::Hidden);
        svi.steps($steps)
            .particles($particles)
            .run($model)
            .unwrap()
            .losses()
            .to_vec()
    }};
}

fn variance(x: &[f64]) -> f64 {
    Array1::from(x.to_vec()).var(1.0)
}

#[test]
fn particles_and_steps_have_random_numbers_of_their_own() {
    let y = array![0.5, 3.0];
    let guide = || AutoNormal {
        raw_scale: Initial::Value(0.0),
        ..AutoNormal::default()
    };
    for one in [
        losses!(guide(), &level(&y), 400, 1),
        losses!(guide(), &level_that_is_read(&y), 400, 1),
    ] {
        assert!(one.windows(2).all(|w| w[0] != w[1]), "steps repeat each other");
    }
    let one = variance(&losses!(guide(), &level(&y), 400, 1));
    for four in [
        losses!(guide(), &level(&y), 400, 4),
        losses!(guide(), &level_that_is_read(&y), 400, 4),
    ] {
        // The mean of four has a quarter of the variance; the quotient of two variances of 400 numbers is within a factor
        // of 1.9 with all but a probability of 10⁻⁶, were they normal.
        let quotient = one / variance(&four);
        assert!((2.1..7.6).contains(&quotient), "{quotient}");
    }
}

#[test]
fn a_recording_made_anew_is_the_program() {
    let y = array![0.5, 3.0];
    for particles in [1, 3] {
        let replayed = losses!(AutoNormal::default(), &level(&y), 20, particles);
        let recorded = losses!(AutoNormal::default(), &level_that_is_read(&y), 20, particles);
        for (a, b) in replayed.iter().zip(&recorded) {
            assert!((a - b).abs() < 1e-12 * b.abs(), "{a} for {b}");
        }
    }
}

#[model(crate = ppl_core)]
fn two_batches(x: &Array1<f64>, y: &Array1<f64>) {
    let a = param(0.0);
    for i in plate(x, batch = 1) {
        factor(a + x[i]);
    }
    for j in plate(y, batch = 1) {
        factor(a + y[j]);
    }
}

#[test]
fn two_plates_draw_their_rows_independently() {
    // The loss tells both rows: one counts by units, one by tens.
    let (x, y) = (
        Array1::from_iter((0..8).map(f64::from)),
        Array1::from_iter((0..8).map(|k| 10.0 * f64::from(k))),
    );
    let losses = losses!(AutoDelta::default(), &two_batches(&x, &y), 80, 1);
    let is_same = |loss: &f64| (-loss / 8.0).rem_euclid(11.0).abs() < 1e-9;
    let n_same = losses.iter().filter(|loss| is_same(loss)).count();
    // Of 80 pairs ten are the same row on average; more than thirty have a probability of 10⁻⁸.
    assert!(n_same < 30, "{n_same} of 80 steps have the same row of both plates");
}

#[model(crate = ppl_core)]
fn rows(y: Obs<Array1<f64>>) {
    for i in plate(y, total = 30) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[model(crate = ppl_core)]
fn steps(y: Obs<Array1<f64>>) {
    for i in plate(y, total = 30).each() {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[model(crate = ppl_core)]
fn batched(y: Obs<Array1<f64>>) {
    for i in plate(y, batch = 1) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[test]
fn the_entropy_of_rows_counts_as_the_rows_do() {
    // Scales of e⁻⁴⁰ make the entropy, −40 for each row, outweigh all else; the guide of a plate in batches has all rows in
    // memory.
    let y = array![0.0, 0.0, 0.0];
    let guide = || AutoNormal {
        loc: Initial::Value(0.0),
        raw_scale: Initial::Value(-40.0),
        ..AutoNormal::default()
    };
    let half = 0.5 * std::f64::consts::TAU.ln();
    let rest = |loss: f64, n_rows: f64| loss / n_rows - (40.0 + half - 0.5);
    for loss in losses!(guide(), &rows(&y), 20, 1)
        .into_iter()
        .chain(losses!(guide(), &steps(&y), 20, 1))
    {
        // Half the mean of three squares of normal numbers, less a half, is above 4 with a probability of 10⁻⁵.
        assert!(rest(loss, 30.0).abs() < 4.0, "{loss}");
    }
    for loss in losses!(guide(), &batched(&y), 20, 1) {
        assert!(rest(loss, 3.0).abs() < 4.0, "{loss}");
    }
}

#[model(crate = ppl_core)]
fn slope(start: f64, y: Obs<Array1<f64>>) {
    let _ = start;
    for i in plate(y) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[guide(slope, crate = ppl_core)]
fn reads(weight: f64, y: &Array1<f64>) {
    let s = param(0.1);
    for i in plate(y) {
        let z = sample(Normal(s + weight * y[i], 1));
    }
}

#[test]
fn a_guide_bound_with_the_model_is_another_program_than_one_that_stays() {
    let (a, b) = (array![0.5, 1.0], array![5.0, -4.0]);
    let svi = Svi::new(reads(1.0, &a), Sgd::new(0.0))
        .seed(3)
        .progress(Progress::Hidden);
    let first = slope(0.0, &a);
    // Steps with the guide's own data, with other data, and with another weight, by programs that are kept.
    let (mut kept, mut anew) = (svi.start(&first).unwrap(), svi.start(&first).unwrap());
    for step in 0..12 {
        let tag = f64::from(step);
        let (own, want) = match step % 4 {
            0 => (kept.step_on(&slope(0.0, &b)), anew.step_on(&slope(tag, &b))),
            1 => (
                kept.step_with(&slope(0.0, &b), &reads(1.0, &b)),
                anew.step_with(&slope(tag, &b), &reads(1.0, &b)),
            ),
            2 => (
                kept.step_with(&slope(0.0, &b), &reads(2.0, &b)),
                anew.step_with(&slope(tag, &b), &reads(2.0, &b)),
            ),
            _ => (
                kept.step_with(&slope(0.0, &b), &reads(1.0, &a)),
                anew.step_with(&slope(tag, &b), &reads(1.0, &a)),
            ),
        };
        assert_eq!(own.unwrap(), want.unwrap(), "step {step}");
    }
}

#[test]
fn draws_are_all_different() {
    let y = array![0.5, 3.0];
    let svi = Svi::new(AutoNormal::default(), Sgd::new(0.0))
        .steps(1)
        .draws(200)
        .progress(Progress::Hidden);
    let fit = svi.run(&level(&y)).unwrap();
    let prior = Prior::default().draws(200).seed(1).run(&level(&y)).unwrap();
    for draws in [fit.mu(), prior.mu()] {
        let mut all: Vec<u64> = draws.index_axis(Axis(0), 0).iter().map(|x| x.to_bits()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
}
