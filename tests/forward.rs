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
    let start = at("y", "// masked") + " in row 1 of plate `i`, row 2 of plate `j`: Normal scale[1, 2] = -";
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

/// Parameters of the lengths two and three, and other shapes that do not go together.
#[model]
fn clashing(kind: usize, a: &Array1<f64>, b: &Array1<f64>) {
    match kind {
        0 => sample("x0", Normal(a, b)),
        1 => sample("x1", LogNormal(a, b)),
        2 => sample("x2", Uniform(a, b)),
        3 => sample("x3", Gamma(a, b)),
        4 => sample("x4", Beta(a, b)),
        5 => sample("x5", StudentT(3, a, b)),
        6 => sample("x6", Cauchy(a, b)),
        7 => sample("x7", Laplace(a, b)),
        8 => sample("x8", InverseGamma(a, b)),
        9 => sample("x9", Binomial::probs(a, 1.0 / b)),
        10 => sample("x10", MultivariateNormal::scale_tril(b, array![[1.0, 0.0], [0.0, 1.0]])),
        11 => sample("x11", MultivariateNormal::scale_tril(a, b)),
        12 => sample("x12", Normal(a, 1).truncate(b, 9)),
        13 => sample("x13", Normal(a, b).noncentered()),
        _ => sample("x14", Normal(a, 1).mask(b)),
    };
}

#[test]
fn shapes_that_clash_are_errors_of_every_run() {
    let (a, b) = (array![1.5, 2.0], array![2.0, 3.0, 4.0]);
    for kind in 0..15 {
        let model = clashing(kind, &a, &b);
        let quiet = Mh::default().draws(2).warmup(2).progress(Progress::Hidden);
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
            .steps(2)
            .progress(Progress::Hidden);
        let errors = [
            ("Prior", Prior::default().draws(2).run(&model).err()),
            ("trace", posterior::core::runtime::handlers::trace(&model, 1).err()),
            ("Mh", quiet.run(&model).err()),
            ("Svi", svi.run(&model).err()),
        ];
        for (run, error) in errors {
            let error = error.map_or("no error".to_string(), |error| error.to_string());
            assert!(
                error.contains('[') || (kind == 9 && error.contains("Binomial is discrete")),
                "kind {kind} by {run}: {error}"
            );
        }
    }
}

#[test]
fn a_trace_whose_density_is_nan_is_an_error_and_one_of_density_zero_is_not() {
    let run = |scale: f64, y: f64| {
        posterior::core::runtime::handlers::trace(&growing(&array![1.0, scale], &array![0.5, y]), 1)
    };
    let error = text(run(-1.0, 0.1));
    assert!(
        error.starts_with("site y (tests/forward.rs:") && error.contains("log_prob is NaN: Normal scale[1] = -"),
        "{error}"
    );
    let outside = posterior::core::runtime::handlers::trace(&zoo(9), 1);
    assert!(text(outside).contains("scale[1] = NaN"));
    let zero = posterior::core::runtime::handlers::trace(&positive(&array![-1.0]), 1).unwrap();
    assert_eq!(zero.log_joint(), f64::NEG_INFINITY);
    let below = posterior::core::runtime::handlers::trace(&centred(-9.0), 1).unwrap();
    let replayed = posterior::core::runtime::handlers::trace(&upwards().replay(&below), 1).unwrap();
    assert_eq!(replayed.log_joint(), f64::NEG_INFINITY);
}

#[model]
fn centred(mean: f64) {
    let x = sample(Normal(mean, 1));
}

#[model]
fn upwards() {
    let x = sample(Normal(0, 1).truncate(0, f64::INFINITY));
}

#[model]
fn positive(y: Obs<Array1<f64>>) {
    let rate = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Exponential(1));
    }
    track(twice, 2.0 * rate);
}

#[test]
fn results_print_their_sites_shapes_and_values() {
    let y = array![0.5, 1.5, 2.5, 0.25, 1.0];
    let run = posterior::core::runtime::handlers::trace(&positive(&y).condition(|s| s.rate(0.5)), 1).unwrap();
    let want = "log joint density -6.794\n\
                \x20 rate   []   Normal observed 0.5000; log density -1.044\n\
                \x20 y      [5]  Exponential observed 0.5000, 1.500, 2.500, 0.2500, and 1 more; log density -5.750\n\
                \x20 twice  []   tracked 1.000\n";
    assert_eq!(run.to_string(), want);
    let fit = mh(&positive(&y)).to_string();
    let lines: Vec<&str> = fit.lines().collect();
    assert!(lines[0].starts_with("4 chains of 50 draws, acceptance 0."), "{fit}");
    assert!(
        lines[1].starts_with("  rate   []  mean ") && lines[2].starts_with("  twice  []  mean "),
        "{fit}"
    );
    assert!(fit.contains("warning: "), "fifty draws are few: {fit}");
    let fit = svi(&positive(&y), Precision::F64).to_string();
    assert!(
        fit.starts_with("a guide after 20 steps, ELBO -") && fit.contains("\n  rate  []  mean "),
        "{fit}"
    );
}
