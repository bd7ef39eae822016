//! Runs forward, from the prior or from draws, check the parameters of what they draw from.

use posterior::core::inference::fit::Fit;
use posterior::core::inference::predictive::Prior;
use posterior::core::inference::svi::Approximation;
use posterior::prelude::*;

#[model]
fn zoo(kind: usize) {
    match kind {
        0 => sample("x0", Normal(0, -1)),
        1 => sample("x1", Uniform(0, -1)),
        2 => sample("x2", Gamma(-1, 1)),
        3 => sample("x3", Poisson(-3)),
        4 => sample("x4", Bernoulli::probs(1.5)),
        5 => sample("x5", Categorical::probs([0.5, -0.2])),
        6 => sample("x6", Dirichlet([0.5, -1.0])),
        _ => sample("x7", Normal([1.0, 2.0], [1.0, f64::NAN])),
    };
}

/// Each distribution far out: tiny and huge parameters, draws that underflow or overflow.
#[model]
fn wide() {
    let a = sample(Normal(0, 1e300));
    let b = sample(LogNormal(0, 2000));
    let c = sample(Gamma(1e-3, 1e-3));
    let d = sample(Beta(1e-3, 1e-3));
    let e = sample(Dirichlet([1e-3, 1e-3, 1e-3]));
    let f = sample(Cauchy(0, 1e300));
    let g = sample(HalfCauchy(1e300));
    let h = sample(InverseGamma(1e-3, 1));
    let i = sample(StudentT(0.01, 0, 1));
    let j = sample(Exponential(1e-300));
    let k = sample(Poisson(1e-300));
    let l = sample(Bernoulli::logits(1000));
    let m = sample(Bernoulli::probs([0.0, 1.0]));
    let n = sample(Categorical::probs([0.0, 1.0]));
    let o = sample(Binomial::probs(10, 1.0));
    let p = sample(Beta(1, 1e-3));
    let q = sample(Laplace(0, 1e300));
    let r = sample(Normal(0, 1e-320));
    let s = sample(Uniform(-1e300, 1e300));
    let t = sample(Gamma(1, 1e300));
    let u = sample(OneHotCategorical::probs([0.0, 1.0]));
}

/// The scale is positive where it is fitted, and need not be where it is predicted.
#[model]
fn growing(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let a = sample(LogNormal(0, 1));
    for i in plate(x) {
        observe(y[i], Normal(0, a * x[i])); // growing
    }
}

/// As `growing`, but its course depends on the latent.
#[model]
fn growing_by_value(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let a = sample(LogNormal(0, 1));
    let sign = if a.value() > 0.0 { 1.0 } else { -1.0 };
    for i in plate(x) {
        observe(y[i], Normal(0, a * x[i] * sign)); // by value
    }
}

/// Rows and columns, of which some may be masked.
#[model]
fn masked(x: &Array2<f64>, keep: &Array2<f64>, y: Obs<Array2<f64>>) {
    let a = sample(LogNormal(0, 1));
    for i in plate(x) {
        for j in plate(&x[i]) {
            observe(y[i][j], Normal(0, a * x[i][j]).mask(keep[i][j])); // masked
        }
    }
}

#[model]
fn in_batches(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    for i in plate(x, batch = 2) {
        observe(y[i], Normal(0, x[i])); // in batches
    }
}

fn at(site: &str, code: &str) -> String {
    let lines = include_str!("forward.rs").lines();
    let line = lines.clone().position(|l| l.contains(code)).unwrap() + 1;
    format!("site {site} (tests/forward.rs:{line}): log_prob is NaN at its own draw")
}

fn mh<M: Model + Sync>(model: &M) -> Fit<M::Accessors> {
    Mh::default()
        .draws(50)
        .seed(1)
        .progress(Progress::Hidden)
        .run(model)
        .unwrap()
}

fn svi<M: Model + Sync>(model: &M, precision: Precision) -> Approximation<M::Accessors> {
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01)).steps(20).draws(50);
    svi.precision(precision).progress(Progress::Hidden).run(model).unwrap()
}

fn text<T>(result: Result<T, posterior::core::error::Error>) -> String {
    result.err().expect("a parameter is not allowed").to_string()
}

#[test]
fn the_prior_refuses_parameters_that_are_not_allowed() {
    let cases = [
        ("Normal(0, -1)", "Normal scale = -1"),
        ("Uniform(0, -1)", "Uniform value = "),
        ("Gamma(-1, 1)", "Gamma value = NaN, concentration = -1"),
        ("Poisson(-3)", "Poisson value = NaN, rate = -3"),
        ("Bernoulli::probs(1.5)", "Bernoulli value = NaN, probs = 1.5"),
        (
            "Categorical::probs([0.5, -0.2])",
            "Categorical value = NaN, probs[1] = -0.2",
        ),
        (
            "Dirichlet([0.5, -1.0])",
            "Dirichlet value[0] = NaN, concentration[1] = -1",
        ),
        ("Normal([1.0, 2.0]", "Normal value[1] = NaN, scale[1] = NaN"),
    ];
    for (kind, (code, what)) in cases.into_iter().enumerate() {
        let error = text(Prior::default().draws(3).run(&zoo(kind)));
        let start = format!("{}: {what}", at(&format!("x{kind}"), code));
        assert!(error.starts_with(&start), "{error}\n  does not begin with\n{start}");
    }
    let error = text(
        Prior::default()
            .draws(3)
            .run(&growing(&array![1.0, -1.0], Obs::missing())),
    );
    let start = at("y", "// growing") + " in row 1 of plate `i`: Normal scale[1] = -";
    assert!(error.starts_with(&start), "{error}");
}

#[test]
fn legitimate_parameters_are_never_refused_however_extreme() {
    let prior = Prior::default().draws(500).run(&wide()).unwrap();
    for site in prior.draws().names() {
        assert!(prior.get(site).unwrap().iter().all(|x| !x.is_nan()), "{site}");
    }
}

#[test]
fn predictions_name_the_row_whose_parameters_are_not_allowed() {
    let (x, y) = (array![1.0, 2.0, 3.0], array![0.5, -1.0, 2.0]);
    let bad = array![1.0, -1.0];
    let fitted = growing(&x, &y);
    let new = growing(&bad, Obs::missing());
    let errors = [
        text(mh(&fitted).predict(&new)),
        text(svi(&fitted, Precision::F64).predict(&new, 20)),
        text(svi(&fitted, Precision::F32).predict(&new, 20)),
    ];
    let start = at("y", "// growing") + " in row 1 of plate `i`: Normal scale[1] = -";
    errors.iter().for_each(|e| assert!(e.starts_with(&start), "{e}"));

    let fitted = growing_by_value(&x, &y);
    let new = growing_by_value(&bad, Obs::missing());
    let errors = [
        text(mh(&fitted).predict(&new)),
        text(svi(&fitted, Precision::F64).predict(&new, 20)),
    ];
    let start = at("y", "// by value") + " in row 1 of plate `i`: Normal scale[1] = -";
    errors.iter().for_each(|e| assert!(e.starts_with(&start), "{e}"));
}

#[test]
fn masked_elements_are_not_checked_and_others_are() {
    let x = array![[1.0, -1.0, 2.0], [1.0, 2.0, -3.0]];
    let mask = |x: &Array2<f64>| x.mapv(|x| f64::from(x > 0.0));
    let all_good = mask(&x);
    let mut one_bad = all_good.clone();
    one_bad[[1, 2]] = 1.0;
    let prior = Prior::default().draws(10);
    prior.run(&masked(&x, &all_good, Obs::missing())).unwrap();
    let start = at("y", "// masked") + " in row 1 of plate `i`, row 2 of plate `j`: Normal scale[5] = -";
    let error = text(prior.run(&masked(&x, &one_bad, Obs::missing())));
    assert!(error.starts_with(&start), "{error}");

    let good = x.mapv(f64::abs);
    let y = array![[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]];
    let ones = mask(&good);
    let fit = svi(&masked(&good, &ones, &y), Precision::F64);
    let predicted = fit.predict(&masked(&x, &all_good, Obs::missing()), 10).unwrap();
    assert_eq!(predicted.get("y").unwrap().shape(), [1, 10, 2, 3]);
    let error = text(fit.predict(&masked(&x, &one_bad, Obs::missing()), 10));
    assert!(error.starts_with(&start), "{error}");
}

#[test]
fn all_rows_of_a_subsampled_plate_are_checked() {
    let x = array![1.0, 1.0, 1.0, -7.0, 1.0];
    let error = text(Prior::default().draws(1).run(&in_batches(&x, Obs::missing())));
    let start = at("y", "// in batches") + " in row 3 of plate `i`: Normal scale[3] = -7";
    assert_eq!(error, start);
}
