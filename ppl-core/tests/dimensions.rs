//! What the axes of draws are called: plates first, then the axes of events; what coordinates do; which kinds sites have.

use ndarray::{Array1, Array2, array};
use ppl_core::distributions::{Bernoulli, Categorical, Dirichlet, HalfNormal, Normal, Poisson};
use ppl_core::draws::{Draws, Kind};
use ppl_core::inference::fit::compare;
use ppl_core::inference::mh::Mh;
use ppl_core::inference::nuts::Nuts;
use ppl_core::inference::predictive::Prior;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoNormal, Svi};
use ppl_core::optim::Adam;
use ppl_core::runtime::argument::Obs;
use ppl_macros::model;

fn mh() -> Mh {
    Mh::default().chains(2).draws(50).warmup(50).progress(Progress::Hidden)
}

/// Returns the dimensions of a variable with their lengths.
fn dims(draws: &Draws, name: &str) -> Vec<(String, usize)> {
    let axes = draws.axes(name).unwrap();
    axes.into_iter().map(|axis| (axis.name, axis.len)).collect()
}

fn named(axes: &[(&str, usize)]) -> Vec<(String, usize)> {
    axes.iter().map(|&(name, len)| (name.to_string(), len)).collect()
}

#[model(crate = ppl_core)]
fn grades(y: Obs<Array2<f64>>) {
    let mu = sample(Normal(array![0.0, 0.0], 1));
    for school in plate(y) {
        let alpha = sample(Normal(0, 1));
        let w = sample(Dirichlet(array![2.0, 2.0, 2.0]));
        for year in plate(2) {
            let z = sample(Normal(alpha + mu[0], 1));
            observe(y[school][year], Normal(z, 1));
        }
        for year in plate(4) {
            let late = sample(Normal(0, 1));
        }
    }
    let total = mu.sum();
    track(total);
}

const GRADES: [(&str, &[(&str, usize)]); 6] = [
    ("mu", &[("mu_dim_0", 2)]),
    ("alpha", &[("school", 3)]),
    ("w", &[("school", 3), ("w_dim_1", 3)]),
    ("z", &[("school", 3), ("year", 2)]),
    ("late", &[("school", 3), ("year_1", 4)]),
    ("total", &[]),
];

#[test]
fn plates_come_first_and_events_behind_in_every_algorithm() {
    let y = array![[1.0, 2.0], [0.0, 1.0], [3.0, 1.0]];
    let model = grades(&y);
    let mh = mh().run(&model).unwrap();
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(5)
        .progress(Progress::Hidden);
    let svi = svi.run(&model).unwrap();
    let prior = Prior::default()
        .draws(20)
        .run(&grades(Obs::missing_like(&[3, 2])))
        .unwrap();
    for (name, expected) in GRADES {
        assert_eq!(dims(mh.draws(), name), named(expected), "{name} by Mh");
        assert_eq!(dims(prior.draws(), name), named(expected), "{name} of the prior");
        if name != "total" {
            assert_eq!(dims(&svi.draws(5), name), named(expected), "{name} by Svi");
        }
    }
    for draws in [
        prior.draws(),
        mh.predict(&grades(Obs::missing_like(&[3, 2]))).unwrap().draws(),
    ] {
        assert_eq!(dims(draws, "y"), named(&[("school", 3), ("year", 2)]));
    }
    let predicted = svi.predict(&grades(Obs::missing_like(&[3, 2])), 7).unwrap();
    assert_eq!(dims(predicted.draws(), "y"), named(&[("school", 3), ("year", 2)]));
}

#[model(crate = ppl_core)]
fn in_loops(n: usize) {
    for t in markov(2) {
        for k in plate(n) {
            let x = sample(Normal(0, 1));
        }
        for p in plate("person", 3) {
            let u = sample(Normal(0, 1));
        }
    }
    for k in plate(n) {
        let other = sample(Normal(0, 1));
    }
    for q in plate("person", 3) {
        let v = sample(Normal(0, 1));
    }
}

#[test]
fn plates_of_one_given_name_are_one_dimension_and_others_are_not() {
    let fit = mh().run(&in_loops(2)).unwrap();
    let expected: [(&str, &[(&str, usize)]); 6] = [
        ("x[0]", &[("k[0]", 2)]),
        ("x[1]", &[("k[1]", 2)]),
        ("u[0]", &[("person", 3)]),
        ("u[1]", &[("person", 3)]),
        ("other", &[("k", 2)]),
        ("v", &[("person", 3)]),
    ];
    for (name, expected) in expected {
        assert_eq!(dims(fit.draws(), name), named(expected), "{name}");
    }
}

/// Its body branches on a drawn value, so that it is recorded anew at each step.
#[model(crate = ppl_core)]
fn branches() {
    let is_long = sample(Bernoulli::probs(0.5));
    if is_long.is_true() {
        for i in plate(3) {
            let long = sample(Normal(0, 1));
        }
    } else {
        for i in plate(2) {
            let short = sample(Normal(0, 1));
        }
    }
}

#[test]
fn a_dimension_has_one_length() {
    let fit = mh().draws(200).run(&branches()).unwrap();
    let lengths = |name: &str| dims(fit.draws(), name)[0].1;
    assert_eq!((lengths("long"), lengths("short")), (3, 2));
    let names = ["long", "short"].map(|name| dims(fit.draws(), name)[0].0.clone());
    assert!(names == ["i", "i:2"] || names == ["i:3", "i"], "{names:?}");
    assert_eq!(fit.draws().kind("is_long"), Ok(Kind::Boolean));
}

#[model(crate = ppl_core)]
fn kinds(y: Obs<Array1<u32>>) {
    let is_on = sample(Bernoulli::probs(0.5));
    let colour = sample(Categorical::probs(array![0.2, 0.3, 0.5]));
    let n = sample(Poisson(3));
    let rate = sample(HalfNormal(2));
    for i in plate(y) {
        observe(y[i], Poisson(rate + n));
    }
}

#[test]
fn discrete_sites_know_whether_they_are_counts_categories_or_truth_values() {
    let y = array![3_u32, 4];
    let mut fit = mh().run(&kinds(&y)).unwrap();
    let predicted = fit.predict(&kinds(Obs::missing_like(&[2]))).unwrap();
    let expected = [
        ("is_on", Kind::Boolean),
        ("colour", Kind::Category),
        ("n", Kind::Integer),
        ("rate", Kind::Real),
    ];
    for (name, kind) in expected {
        assert_eq!(fit.draws().kind(name), Ok(kind), "{name}");
    }
    assert_eq!(predicted.draws().kind("y"), Ok(Kind::Integer));
    let error = fit.set_coords("j", ["a", "b"]).unwrap_err().to_string();
    assert_eq!(error, "no dimension named `j`; similar: `i`");
    // No latent lies in the plate, and the data do.
    fit.set_coords("i", ["a", "b"]).unwrap();
}

#[model(crate = ppl_core)]
fn schools(y: Obs<Array1<f64>>) {
    for school in plate(y) {
        let theta = sample(Normal(0, 5));
        observe(y[school], Normal(theta, 10));
    }
}

#[test]
fn coordinates_name_the_rows_of_summaries_and_change_no_numbers() {
    let y = array![28.0, 8.0, -3.0];
    let nuts = Nuts::default()
        .chains(2)
        .draws(50)
        .warmup(50)
        .progress(Progress::Hidden);
    let (plain, mut fit) = (nuts.run(&schools(&y)).unwrap(), nuts.run(&schools(&y)).unwrap());
    fit.set_coords("school", ["Andover", "Boston", "Chelsea"]).unwrap();
    let labels: Vec<String> = fit.summary().rows.into_iter().map(|row| row.label).collect();
    assert_eq!(labels, ["theta[Andover]", "theta[Boston]", "theta[Chelsea]"]);
    assert_eq!(fit.draws().get("theta"), plain.draws().get("theta"));
    assert_eq!(fit.theta(), plain.theta());
    // Scalars are compared by what they are, not by what they are called.
    let rows = compare(&[("a", &fit), ("b", &plain)]).rows;
    assert_eq!(rows[2].label, "theta[Chelsea]");
    assert_eq!(rows[2].differences[0].unwrap().in_mcse, 0.0);
    let error = fit.set_coords("school", ["A", "B"]).unwrap_err().to_string();
    assert_eq!(error, "dimension `school` has 3 coordinates, got 2");
}
