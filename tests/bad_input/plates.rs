//! Plates, loops, masks, names, parameters and values that are read where there are none.

use posterior::prelude::*;

use crate::table::{ALL, SCORED, Table};

const NAN: f64 = f64::NAN;

#[model]
fn two_plates(n: usize, m: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate("p", n) {
        let a = sample(Normal(mu, 1));
    }
    for j in plate("p", m) {
        let b = sample(Normal(mu, 1));
    }
}

#[model]
fn batches(x: &Array1<f64>, size: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(x, batch = size) {
        observe("y", x[i], Normal(mu, 1));
    }
}

#[model]
fn totals(x: &Array1<f64>, n: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(x, total = n) {
        observe("y", x[i], Normal(mu, 1));
    }
}

#[model]
fn counted(n: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n) {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn each(n: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n).each() {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn steps(n: usize) {
    let mu = sample(Normal(0, 1));
    for t in markov(n) {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn over_missing(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model]
fn reads_missing(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let x = sample(Normal(y[0] + mu, 1));
}

#[model]
fn over_a_number(x: f64) {
    let mu = sample(Normal(0, x));
    for i in plate(mu) {
        let z = sample(Normal(mu, 1));
    }
}

#[model]
fn masked(m: &Array1<f64>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe("y", y[i], Normal(mu, 1).mask(m[i]));
    }
}

#[model]
fn scaled(w: f64, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe("y", y[i], Normal(mu, 1).scale(w));
    }
}

#[model]
fn noncentered() {
    let s = sample(HalfNormal(1));
    let g = sample(Gamma(s, 1).noncentered());
}

#[model]
fn factors(value: f64) {
    let mu = sample(Normal(0, 1));
    factor(mu * 0.0 + value);
}

#[model]
fn parses(text: String) {
    let mu = sample(Normal(0, 1));
    let shift: f64 = text.parse()?;
    factor(mu * shift);
}

#[test]
fn plates_name_themselves_and_their_lengths() {
    let mut t = Table::default();
    let three = array![1.0, 2.0, 3.0];
    let words = [
        "plate p (tests/bad_input/plates.rs:",
        "4 rows here",
        "3 at tests/bad_input/plates.rs:",
    ];
    t.model("one name and two lengths", ALL, &words, &two_plates(3, 4));
    for size in [0, 4, usize::MAX] {
        let words = [
            "plate i (tests/bad_input/plates.rs:",
            "from 1 to 3",
            &format!("batch = {size}"),
        ];
        t.model("a batch", ALL, &words, &batches(&three, size));
    }
    for n in [0, 2] {
        let words = ["plate i (tests/bad_input/plates.rs:", &format!("total = {n}"), "3 rows"];
        t.model("a total", ALL, &words, &totals(&three, n));
    }
    let words = ["plate i (tests/bad_input/plates.rs:", "there are no rows"];
    t.model("a plate of none", ALL, &words, &counted(0));
    t.model("a loop of none", ALL, &words, &each(0));
    t.model("a batch of none", ALL, &words, &batches(&array![], 1));
    t.model(
        "a chain of none",
        ALL,
        &["plate t (tests/bad_input/plates.rs:", "there are no rows"],
        &steps(0),
    );
    t.model(
        "a plate over a number",
        ALL,
        &["plate i (", "a single number, which has no rows"],
        &over_a_number(1.0),
    );
    let words = ["plate i (", "missing observation", "Obs::missing_like"];
    t.model(
        "a plate over what is missing",
        ALL,
        &words,
        &over_missing(Obs::missing()),
    );
    t.model(
        "a plate over missing rows of none",
        ALL,
        &["plate i (", "no rows"],
        &over_missing(Obs::missing_like(&[0])),
    );
    t.model(
        "what is missing and read",
        ALL,
        &["`y` is missing, and it is read before `observe` has drawn it"],
        &reads_missing(Obs::missing()),
    );
    t.finish();
}

#[test]
fn masks_scales_and_factors_that_are_nan_are_refused() {
    let mut t = Table::default();
    let three = array![1.0, 2.0, 3.0];
    let words = [
        "site y (tests/bad_input/plates.rs:",
        "element 1 of its mask of 3 is NaN",
    ];
    t.model("a mask of NaN", ALL, &words, &masked(&array![1.0, NAN, 0.0], &three));
    for (bad, text) in [(NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "inf")] {
        let words = ["site y (tests/bad_input/plates.rs:", "scale", text];
        t.model("a scale", ALL, &words, &scaled(bad, &three));
    }
    for (bad, text) in [(NAN, "NaN"), (f64::INFINITY, "+∞"), (f64::NEG_INFINITY, "−∞")] {
        let words = ["site factor.1#", "tests/bad_input/plates.rs:", "the factor is", text];
        t.model("a factor", SCORED, &words, &factors(bad));
    }
    t.model(
        "a text that is no number",
        ALL,
        &["invalid float literal"],
        &parses("none".to_string()),
    );
    t.model(
        "a family that has no noncentered form",
        SCORED,
        &["site g (", "noncentered", "Gamma"],
        &noncentered(),
    );
    t.finish();
}

#[model]
fn start_real(a: f64) {
    let s = param(a);
    factor(-s);
}

#[model]
fn start_positive(a: f64) {
    let s = param(a, Positive);
    factor(-s);
}

#[model]
fn start_unit(a: f64) {
    let s = param(a, UnitInterval);
    factor(-s);
}

#[model]
fn start_interval(a: f64, low: f64, high: f64) {
    let s = param(a, Interval(low, high));
    factor(-s);
}

#[model]
fn start_simplex(a: Vec<f64>) {
    let s = param(a, Simplex);
    factor(-s.sum());
}

#[model]
fn start_ordered(a: Vec<f64>) {
    let s = param(a, Ordered);
    factor(-s.sum());
}

#[model]
fn start_triangle(a: Array2<f64>) {
    let s = param(a, LowerCholesky);
    factor(-s.sum());
}

#[rustfmt::skip]
#[test]
fn parameters_that_start_outside_of_their_domain_name_site_and_value() {
    use crate::table::Way::Svi as Fit;
    const AT: &str = "site s (tests/bad_input/plates.rs:";
    let ways = &[Fit];
    let mut t = Table::default();
    for bad in [NAN, f64::INFINITY] {
        t.model("a start that is not finite", ways, &[AT, "starting value"], &start_real(bad));
    }
    for bad in [-1.0, 0.0, NAN] {
        t.model("a positive start", ways, &[AT, "starting value", "positive numbers"], &start_positive(bad));
    }
    for bad in [-0.1, 0.0, 1.0, 2.0] {
        t.model("a start between zero and one", ways, &[AT, "starting value", "interval from 0 to 1"], &start_unit(bad));
    }
    t.model("a start outside of an interval", ways, &[AT, "starting value 5"], &start_interval(5.0, 0.0, 1.0));
    t.model("a start in an interval from behind", ways, &[AT, "starting value"], &start_interval(0.5, 1.0, 0.0));
    t.model("a start that sums to more than one", ways, &[AT], &start_simplex(vec![0.5, 0.6]));
    t.model("a simplex with a negative part to start from", ways, &[AT, "starting value"], &start_simplex(vec![-0.5, 1.5]));
    t.model("a start out of order", ways, &[AT, "starting value", "ascending vector"], &start_ordered(vec![1.0, 0.0]));
    t.model("a start with ties", ways, &[AT, "starting value", "ascending vector"], &start_ordered(vec![1.0, 1.0]));
    let bad = array![[1.0, 0.0], [0.5, -1.0]];
    t.model("a triangle with a negative diagonal to start from", ways, &[AT, "starting value"], &start_triangle(bad));
    let words = ["site s (tests/bad_input/plates.rs:", "no prior", "Svi"];
    t.model("a parameter under Metropolis–Hastings", &[crate::table::Way::Mh], &words, &start_real(1.0));
    t.finish();
}
