//! Twelve mistakes and wishes that people bring from elsewhere, and what the library says to each.

use std::error::Error;

use posterior::core::rng::Key;
use posterior::core::runtime::recording::Recorder;
use posterior::core::tape::store::Precision;
use posterior::prelude::*;

fn mh() -> Mh {
    Mh::default().chains(2).draws(200).warmup(200).seed(1)
}

/// Returns what an error says, with its causes.
fn words<T>(result: Result<T, posterior::core::error::Error>) -> String {
    let error = result.err().expect("this is a mistake");
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

/// Returns the log density of a model at zero, unconstrained.
fn density(model: &impl Model) -> f64 {
    let recorder = Recorder::density(Precision::F64, Key::new(1));
    let slots = recorder.record(model).unwrap();
    let at_zero = recorder.with_values(&slots.slots, vec![0.0; slots.n_inputs()]);
    at_zero.record(model).unwrap().tape.log_density()
}

#[model]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[test]
fn eight_new_schools_are_not_the_old_ones() {
    let (sigma, y) = (array![15.0, 10.0, 16.0], array![28.0, 8.0, -3.0]);
    let fit = mh().run(&schools(&sigma, &y)).unwrap();
    let others = array![9.0, 11.0, 10.0];
    let new = fit
        .new_rows(|s| s.theta())
        .predict(&schools(&others, Obs::missing()))
        .unwrap();
    assert_eq!(new.drawn_anew().collect::<Vec<_>>(), ["theta"]);
    let four = array![15.0, 10.0, 16.0, 11.0];
    let text = words(fit.predict(&schools(&four, Obs::missing())));
    assert_says(&text, &["theta", "`j`", "3", "4", "new_rows", "more_rows"]);
    let more = fit
        .more_rows(|s| s.theta())
        .predict(&schools(&four, Obs::missing()))
        .unwrap();
    assert_eq!(more.theta()[[1, 7, 2]], fit.theta()[[1, 7, 2]]);
}

#[model]
fn vector(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 1).expand([x.ncols()]));
    for i in plate(x) {
        observe(y[i], Normal(x[i].dot(w), 0.01));
    }
}

#[guide(vector)]
fn correlated(k: usize) {
    let w = sample(MultivariateNormal::scale_tril(
        param("loc", Array1::<f64>::zeros(k)),
        param("scale", Array2::<f64>::eye(k), LowerCholesky),
    ));
}

#[test]
fn a_guide_with_a_full_covariance_does_not_run_away_where_the_posterior_is_narrow() {
    let x = Array2::from_shape_fn((30, 4), |(i, j)| ((i * (j + 1)) as f64 * 0.4).sin());
    let truth = array![1.0, -0.5, 0.25, 2.0];
    let y = x.dot(&truth);
    let rate = Schedule::ExponentialDecay {
        initial: 0.05,
        rate: 0.1,
        every: 1000.0,
    };
    let fit = Svi::new(correlated(4), Adam::new(rate))
        .steps(3000)
        .seed(1)
        .run(&vector(&x, &y))
        .unwrap();
    let (w, loss) = (fit.draws(200).mean("w").unwrap(), fit.losses()[2999]);
    assert!(w.iter().zip(&truth).all(|(w, truth)| (w - truth).abs() < 0.02), "{w}");
    assert!(loss.abs() < 1e5, "{loss}");
}

#[model]
fn spike() {
    let x = sample(Gamma(0.01, 1));
}

#[test]
fn small_draws_are_small() {
    let draws = Prior::default().draws(4000).seed(2).run(&spike()).unwrap();
    let below = draws.x().iter().filter(|&&x| x < 1e-38).count() as f64 / 4000.0;
    // P(x < 1e-38) = 1e-38^0.01 / Γ(1.01) = 0.4193; right code fails once in 10⁷ runs.
    assert!(
        (below - 0.4193).abs() < 5.3 * (0.4193_f64 * 0.5807 / 4000.0).sqrt(),
        "{below}"
    );
}

#[test]
fn a_size_is_checked_before_memory_is_asked_for() {
    let text = words(Prior::default().draws(1_000_000_000_000).run(&spike()));
    assert_says(&text, &["1000000000000", "memory"]);
}

#[model]
fn branching(y: Obs<f64>) {
    let x = sample(Normal(0, 1));
    let scale = if x > 0.0 { 1.0 } else { 2.0 };
    observe(y, Normal(x, scale));
}

#[test]
fn a_model_that_is_recorded_anew_names_the_line_of_its_branch() {
    let line = line!() - 6; // That of the `if`.
    let fit = mh().run(&branching(0.5)).unwrap();
    assert_says(&fit.summary().to_string(), &[&format!("twelve_promises.rs:{line}")]);
}

#[test]
fn a_learning_rate_below_zero_is_refused_with_its_step() {
    let result = Svi::new(AutoNormal::default(), Adam::new(-1.0))
        .steps(10)
        .run(&branching(0.5));
    assert_says(&words(result), &["step 1 of Adam", "-1"]);
}

#[model]
fn two_plates() {
    for i in plate("rows", 2) {
        let a = sample(Normal(0, 1));
    }
    for i in plate("rows", 3) {
        let b = sample(Normal(0, 1));
    }
}

#[test]
fn plates_of_one_name_have_one_length() {
    assert_says(&words(mh().run(&two_plates())), &["rows", "2", "3"]);
}

#[model]
fn ambiguous(x: &Array2<f64>) {
    let b = sample(Normal(0, 1));
    factor((x * b).log_sum_exp());
}

#[test]
fn a_sum_over_a_table_asks_over_which_axis() {
    let text = words(mh().run(&ambiguous(&Array2::ones((2, 3)))));
    assert_says(&text, &["log_sum_exp_axis"]);
}

#[model]
fn level(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    for i in plate(3) {
        observe(y[i], Normal(mu, 1));
    }
}

#[test]
fn a_fit_that_has_not_converged_says_so() {
    let run = |steps| {
        let fit = Svi::new(AutoNormal::default(), Adam::new(0.02))
            .steps(steps)
            .particles(4);
        fit.run(&level(&array![50.0, 51.0, 52.0]))
            .unwrap()
            .summary()
            .to_string()
    };
    assert_says(&run(300), &["warning: the ELBO still rises", "steps"]);
    let long = run(8000);
    assert!(!long.contains("warning"), "{long}");
}

#[test]
fn a_missing_number_is_an_error_until_it_is_called_missing() {
    let y = array![1.0, f64::NAN, 3.0];
    assert_says(&words(mh().run(&level(&y))), &["site y", "Obs::partly"]);
    assert!(mh().run(&level(Obs::partly(&y))).is_ok());
    let normal = |y: f64, scale: f64| -0.5 * (y / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln();
    let want = normal(0.0, 10.0) + normal(1.0, 1.0) + normal(3.0, 1.0);
    assert!((density(&level(Obs::partly(&y))) - want).abs() < 1e-12);
}

#[model]
fn as_on_paper(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let sigma = sample(HalfNormal(1));
    let b = sample(Normal(0, 1).expand([2]));
    let cov = sigma * Array2::eye(2);
    for i in plate(x) {
        let mut mu = 0.5 + b[0] * x[(i, 0)];
        mu += b[1] * x[(i, 1)];
        observe(y[i], Normal(mu, cov[[0, 0]]));
    }
}

#[model]
fn as_in_the_reference(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let sigma = sample(HalfNormal(1));
    let b = sample(Normal(0, 1).expand([2]));
    for i in plate(x) {
        observe(y[i], Normal(x[i].dot(b) + 0.5, sigma));
    }
}

#[test]
fn a_model_is_written_as_on_paper() {
    let (x, y) = (array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![1.0, 2.0, 3.0]);
    let (ours, want) = (density(&as_on_paper(&x, &y)), density(&as_in_the_reference(&x, &y)));
    assert!((ours - want).abs() < 1e-12, "{ours} against {want}");
}

#[derive(Data)]
struct Schools {
    sigma: Array1<f64>,
    effect: Obs<Array1<f64>>,
}

#[model]
fn schools_of_columns(d: &Schools) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(d.sigma) {
        let theta = sample(Normal(mu, tau));
        observe(d.effect[j], Normal(theta, d.sigma[j]));
    }
}

#[test]
fn columns_travel_together() {
    let (sigma, y) = (array![15.0, 10.0, 16.0], array![28.0, 8.0, -3.0]);
    let table = Schools {
        sigma: sigma.clone(),
        effect: y.clone().into(),
    };
    assert_eq!(density(&schools_of_columns(&table)), density(&schools(&sigma, &y)));
}
