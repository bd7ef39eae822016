//! Handlers around models, predictions, and values from outside.

use ndarray::array as nd;
use posterior::prelude::*;

use crate::table::{ALL, Table, mh, svi};

#[model]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfNormal(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[model]
fn series(y: Obs<Array1<f64>>) {
    let mut z = sample(Normal(0, 1));
    for t in markov(y) {
        z = sample(Normal(z, 1));
        observe(y[t], Normal(z, 1));
    }
}

#[model]
fn other() {
    let unlike = sample(Normal(0, 1));
}

const NAN: f64 = f64::NAN;

#[test]
fn values_from_outside_name_the_site_and_both_shapes() {
    let mut t = Table::default();
    let (sigma, y) = (array![1.0, 2.0, 3.0], array![0.1, 0.2, 0.3]);
    let s = || schools(&sigma, &y);
    let words = ["site theta (tests/bad_input/handlers.rs:", "shape [2]", "shape [3]"];
    t.model(
        "a value of another length",
        ALL,
        &words,
        &s().condition(|s| s.theta(nd![1.0, 2.0])),
    );
    let words = ["site mu (tests/bad_input/handlers.rs:", "shape [2]", "shape []"];
    t.model(
        "an array for a number",
        ALL,
        &words,
        &s().condition(|s| s.mu(nd![1.0, 2.0])),
    );
    let words = ["site theta (tests/bad_input/handlers.rs:", "shape []", "shape [3]"];
    t.model("a number for an array", ALL, &words, &s().condition(|s| s.theta(1.0)));
    let words = ["site theta (tests/bad_input/handlers.rs:", "shape [3, 1]", "shape [3]"];
    t.model(
        "a value of more axes",
        ALL,
        &words,
        &s().do_(|s| s.theta(Array2::<f64>::zeros((3, 1)))),
    );
    let words = ["(tests/bad_input/handlers.rs:", "NaN"];
    t.model("a value of NaN", ALL, &words, &s().condition(|s| s.mu(NAN)));
    let words = ["site tau (tests/bad_input/handlers.rs:", "-1", "Positive"];
    t.model(
        "a value outside of the support",
        &[crate::table::Way::Mh, crate::table::Way::Svi],
        &words,
        &s().condition(|s| s.tau(-1.0)),
    );
    let words = ["`nu`", "no such site", "mu, tau, theta"];
    t.model(
        "a value for no site",
        ALL,
        &words,
        &s().condition(|s| SiteValues::from(s).with("nu", 1.0).into()),
    );
    t.model(
        "too many values for a loop",
        ALL,
        &["site z (", "shape [9]", "shape []"],
        &series(&y).condition(|s| s.z(Array1::<f64>::zeros(9))),
    );
    t.model(
        "too few values for a loop",
        ALL,
        &["`z`", "shape [1]"],
        &series(&y).condition(|s| s.z(Array1::<f64>::zeros(1))),
    );
    t.finish();
}

#[test]
fn masks_and_scales_of_handlers_name_the_site() {
    let mut t = Table::default();
    let (sigma, y) = (array![1.0, 2.0, 3.0], array![0.1, 0.2, 0.3]);
    let s = || schools(&sigma, &y);
    let words = ["site y (tests/bad_input/handlers.rs:", "mask of shape [2]", "shape [3]"];
    t.model("a mask of other rows", ALL, &words, &s().mask(|_| "y", nd![1.0, 0.0]));
    let words = [
        "site y (tests/bad_input/handlers.rs:",
        "element 2 of its mask of 3 is NaN",
    ];
    t.model(
        "a handler's mask of NaN",
        ALL,
        &words,
        &s().mask(|_| "y", nd![1.0, 0.0, NAN]),
    );
    let words = ["site mu (tests/bad_input/handlers.rs:", "mask", "NaN"];
    t.model("a mask of NaN for a number", ALL, &words, &s().mask(|s| s.mu(), NAN));
    t.model(
        "a mask of no site",
        ALL,
        &["no site `nu`", "mu"],
        &s().mask(|_| "nu", 1.0),
    );
    t.model(
        "a scale of no site",
        ALL,
        &["no site `nu`", "mu"],
        &s().scale(|_| "nu", 1.0),
    );
    t.model("a block of no site", ALL, &["no site `nu`", "mu"], &s().block(|_| "nu"));
    for bad in [NAN, f64::INFINITY] {
        t.model(
            "a handler's scale",
            ALL,
            &["site mu (", "scale"],
            &s().scale(|s| s.mu(), bad),
        );
    }
    t.finish();
}

#[test]
fn predictions_name_what_does_not_go_together() {
    let mut t = Table::default();
    let (sigma, y) = (array![1.0, 2.0, 3.0], array![0.1, 0.2, 0.3]);
    let fit = mh().run(&schools(&sigma, &y)).unwrap();
    let approximation = svi().run(&schools(&sigma, &y)).unwrap();
    t.call(
        "a prediction of another model",
        &["other", "none of the latents", "mu, tau, theta"],
        || fit.predict(&other()),
    );
    t.call(
        "a prediction of another model, from an approximation",
        &["other", "mu"],
        || approximation.predict(&other(), 5),
    );
    let none = Array1::<f64>::zeros(0);
    t.call("a prediction of no rows", &["plate j", "no rows"], || {
        fit.predict(&schools(&none, Obs::missing()))
    });
    t.call(
        "a prediction of no rows, from an approximation",
        &["plate j", "no rows"],
        || approximation.predict(&schools(&none, Obs::missing()), 5),
    );
    let bad = array![1.0, -2.0, 3.0];
    t.call(
        "a prediction with a negative scale",
        &["site y (", "scale[1] = -2"],
        || fit.predict(&schools(&bad, Obs::missing())),
    );
    let short = array![1.0, 2.0];
    t.call(
        "a prediction with observations of another length",
        &["`y` has 2 rows", "plate `j` has 3"],
        || fit.predict(&schools(&sigma, &short)),
    );
    t.finish();
}
