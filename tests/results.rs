//! What a run returns: draws and programs, which outlive the model and the data that it borrows.

use ndarray::ArrayViewD;
use posterior::core::inference::fit::Fit;
use posterior::core::inference::predictive::Predictive;
use posterior::core::inference::svi::Approximation;
use posterior::prelude::*;

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let slope = sample(Normal(0, 10));
    let mean = for i in plate(x) {
        let mean = slope * x[i];
        observe(y[i], Normal(mean, 1));
        mean
    };
    track(total, mean.sum());
}

/// Both functions own their data: (1, 2) and (2, 4). The posterior of the slope is N(10/5.01, 1/5.01).
fn sampled() -> Fit<line::Accessors> {
    let (x, y) = (array![1.0, 2.0], array![2.0, 4.0]);
    let mh = Mh::default().draws(500).warmup(500).seed(1).progress(Progress::Hidden);
    mh.run(&line(&x, &y)).unwrap()
}

fn fitted() -> Approximation<line::Accessors> {
    let (x, y) = (array![1.0, 2.0], array![2.0, 4.0]);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.05)).steps(600).particles(4);
    svi.seed(1).progress(Progress::Hidden).run(&line(&x, &y)).unwrap()
}

fn prior() -> Predictive<line::Accessors> {
    let x = array![2.0, 3.0];
    Prior::default()
        .draws(100)
        .seed(1)
        .run(&line(&x, Obs::missing()))
        .unwrap()
}

/// Asserts that each value is that of the slope times a factor.
fn assert_times(values: ArrayViewD<f64>, factor: f64, slope: ArrayViewD<f64>) {
    assert_eq!(values.shape(), slope.shape());
    for (value, slope) in values.iter().zip(slope) {
        assert!(
            (value - factor * slope).abs() < 1e-5,
            "{value} is not {factor} · {slope}"
        );
    }
}

#[test]
fn draws_outlive_the_data() {
    let fit = sampled();
    let mean = fit.slope().mean().unwrap();
    assert!((mean - 10.0 / 5.01).abs() < 0.1, "{mean}");
    assert_times(fit.total(), 3.0, fit.slope());
}

#[test]
fn a_fitted_guide_outlives_the_data() {
    let fit = fitted();
    let mean = fit.slope().mean().unwrap();
    assert!((mean - 10.0 / 5.01).abs() < 0.2, "{mean}");
    assert_eq!(fit.draws(7).n_draws(), 7);
}

#[test]
fn prior_draws_outlive_the_data() {
    let prior = prior();
    assert_eq!(prior.get("y").unwrap().shape(), [1, 100, 2]);
    assert_times(prior.total(), 5.0, prior.slope());
}

#[test]
fn predictions_outlive_the_model_that_made_them() {
    let fit = sampled();
    let next = fit.predict(&line(&array![3.0], Obs::missing())).unwrap();
    assert_eq!(next.get("y").unwrap().shape(), [4, 500, 1]);
    assert_times(next.total(), 3.0, fit.slope());
    let fit = fitted();
    let next = fit.predict(&line(&array![4.0, 1.0], Obs::missing()), 20).unwrap();
    assert_eq!(next.get("y").unwrap().shape(), [1, 20, 2]);
    assert_times(next.total(), 5.0, fit.draws(20).get("slope").unwrap());
}

#[test]
fn a_fit_of_a_handled_model_outlives_the_data() {
    let fit: Fit<line::Accessors> = {
        let (x, y) = (array![1.0, 2.0], array![2.0, 4.0]);
        let model = line(&x, &y).scale(|s| s.y(), 0.5);
        let mh = Mh::default().draws(20).warmup(20).progress(Progress::Hidden);
        mh.run(&model).unwrap()
    };
    assert_times(fit.total(), 3.0, fit.slope());
}

#[test]
fn an_approximation_outlives_its_settings() {
    let fit = {
        let (x, y) = (array![1.0, 2.0], array![2.0, 4.0]);
        let model = line(&x, &y);
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.05));
        let mut state = svi.start(&model).unwrap();
        state.step().unwrap();
        state.finish().unwrap()
    };
    assert_eq!(fit.losses().len(), 1);
    assert_eq!(fit.draws(5).n_draws(), 5);
}

#[model]
fn branches(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let scale = if mu > 0.0 { 1.0 } else { 2.0 }; // branches
    for i in plate(y) {
        observe(y[i], Normal(mu, scale));
    }
}

#[model]
fn switches(y: Obs<Array1<f64>>) {
    let k = sample(Categorical::probs([0.5, 0.5]));
    let scale = match k.index() {
        // switches
        0 => 1.0,
        _ => 2.0,
    };
    for i in plate(y) {
        observe(y[i], Normal(0, scale));
    }
}

#[test]
fn a_summary_names_the_line_that_keeps_a_model_from_being_replayed() {
    let y = array![0.5, -0.3];
    let mh = Mh::default()
        .draws(100)
        .warmup(100)
        .chains(1)
        .progress(Progress::Hidden);
    let line = |code: &str, above| {
        let lines = include_str!("results.rs").lines();
        lines.take_while(|line| !line.ends_with(code)).count() + 1 - above
    };
    let text = mh.run(&branches(&y)).unwrap().summary().to_string();
    let place = format!("read at tests/results.rs:{};", line("// branches", 0));
    assert!(text.contains(&place) && text.contains("recorded anew"), "{text}");
    let text = mh.run(&switches(&y)).unwrap().summary().to_string();
    let place = format!("read at tests/results.rs:{};", line("// switches", 1));
    assert!(text.contains(&place), "{text}");

    let x = array![1.0, 2.0];
    let text = mh.run(&self::line(&x, &y)).unwrap().summary().to_string();
    assert!(!text.contains("recorded anew"), "{text}");
}
