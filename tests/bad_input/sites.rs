//! Errors of models name site, place in the source and values, word for word.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use posterior::core::error::{Error, NamedArrays};
use posterior::core::rng::Key;
use posterior::core::runtime::recording::Recorder;
use posterior::prelude::*;

#[model]
fn regression(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let slope = sample(Normal(0, 1));
    for i in plate(x) {
        observe(y[i], Normal(slope * x[i], 1)); // regression
    }
}

#[model]
fn in_batches(x: &Array1<f64>, size: usize, y: Obs<Array1<f64>>) {
    let slope = sample(Normal(0, 1));
    for row in plate(x, batch = size) {
        observe(y[row], Normal(slope * x[row], 1)); // in batches
    }
}

#[model]
fn vectors(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1).expand([3]));
    observe(y, Normal(mu, 1)); // vectors
}

#[model]
fn products(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 1).expand([3]));
    for i in plate(x) {
        let eta = x[i].dot(w); // products
        observe(y[i], Normal(eta, 1));
    }
}

#[model]
fn free_scale(start: f64, y: Obs<Array1<f64>>) {
    let s = param(start);
    for i in plate(y) {
        observe(y[i], Normal(0, s)); // free scale
    }
}

#[model]
fn labels(y: Obs<Array1<usize>>) {
    let w = sample(Normal(0, 1).expand([3]));
    for i in plate(y) {
        observe(y[i], Categorical::logits(w)); // labels
    }
}

#[model]
fn over_observations(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for row in plate(y) {
        observe(y[row], Normal(mu, 1));
    }
}

#[model]
fn effects(n: usize, y: Obs<Array1<f64>>) {
    let tau = sample(HalfNormal(1));
    let theta = for j in plate(n) {
        sample(Normal(0, tau))
    };
    observe(y, Normal(theta, 1));
}

#[guide(effects)]
fn one_effect() {
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    let theta = sample(Normal(param(0.0), param(1.0, Positive)));
}

#[guide(effects)]
fn sometimes(n: usize, is_complete: bool) {
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive))); // sometimes
    if is_complete {
        for j in plate(n) {
            let theta = sample(Normal(param(0.0), param(1.0, Positive)));
        }
    }
}

#[model]
fn impossible(y: Obs<Array1<f64>>) {
    let low = sample(Uniform(5, 6));
    for i in plate(y) {
        observe(y[i], Uniform(low, 9)); // impossible
    }
}

/// Its bound is −s as long as s is not negative, so that gradient descent takes the same step each time. A value
/// that is read has to be recorded anew at each step.
#[model]
fn cliff(start: f64, is_read: bool) {
    let s = param(start);
    let zero = if is_read { 0.0 * s.value() } else { 0.0 };
    factor(s.sqrt() * zero - s); // cliff
}

/// As `cliff`, but its body ends with an error where s is negative.
#[model]
fn edge(start: f64) {
    let s = param(start);
    let sign: f64 = if s.value() < 0.0 { "none" } else { "1" }.parse()?;
    factor(-sign * s);
}

/// Whether the body of `closing` ends with an error.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// As `cliff`, for a model that changes behind the tape.
#[model]
fn closing(start: f64, is_read: bool) {
    let s = param(start);
    let zero = if is_read { 0.0 * s.value() } else { 0.0 };
    let one: f64 = if IS_CLOSED.load(Relaxed) { "none" } else { "1" }.parse()?;
    factor(s.sqrt() * zero - one * s);
}

/// The value is zero, the derivative by the latent infinite.
#[model]
fn kink() {
    let mu = sample(Normal(0, 1)); // kink
    factor((mu - mu.detach()).sqrt());
}

/// Returns the beginning of an error about a site that stands on the line with this code.
fn at(site: &str, code: &str) -> String {
    let line = include_str!("sites.rs").lines().position(|l| l.contains(code)).unwrap();
    format!("{site} (tests/bad_input/sites.rs:{}): ", line + 1)
}

fn assert_starts(error: &Error, start: &str) {
    let text = error.to_string();
    assert!(text.starts_with(start), "{text}\n  does not begin with\n{start}");
}

/// Returns the error of recording a model's density.
fn refused(model: &impl Model) -> Error {
    Recorder::density(Precision::F64, Key::new(1))
        .record(model)
        .err()
        .expect("the model is refused")
}

fn svi<G>(guide: G, rate: f64) -> Svi<G, Sgd> {
    Svi::new(guide, Sgd::new(rate)).steps(200).progress(Progress::Hidden)
}

fn svi_error<M: Model + Sync>(model: &M) -> Error {
    svi(AutoNormal::default(), 0.01)
        .run(model)
        .err()
        .expect("the run is refused")
}

fn mh_error<M: Model + Sync>(model: &M) -> Error {
    let mh = Mh::default().draws(10).warmup(10).progress(Progress::Hidden);
    mh.run(model).err().expect("the run is refused")
}

fn parts(error: Error) -> (usize, Error, Vec<(String, ArrayD<f64>)>) {
    match error {
        Error::NotFinite {
            step,
            cause,
            params: NamedArrays(params),
        } => (step, *cause, params),
        other => panic!("{other}"),
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (x, y) = (array![1.0, 2.0, 3.0], array![1.0, 2.0]);
    let text = refused(&regression(&x, &y)).to_string();
    let start = at("y", "// regression").replace(['(', ')'], "");
    assert_eq!(format!("y {text}"), start + "`y` has 2 rows, plate `i` has 3");
    let error = refused(&vectors(&y));
    assert_starts(&error, &at("site y", "// vectors"));
    assert!(
        error.to_string().contains("event shape [2], the distribution [3]"),
        "{error}"
    );
    let error = refused(&products(&Array2::zeros((2, 4)), &y));
    assert_starts(&error, &at("dot", "// products"));
    assert!(error.to_string().contains("[4] and [3]"), "{error}");
}

#[test]
fn nan_in_data_is_named_with_its_place() {
    let (x, y) = (array![1.0, 2.0, 3.0], array![1.0, f64::NAN, 0.5]);
    let start = at("site y", "// regression") + "log_prob is NaN: Normal value[1] = NaN";
    assert_starts(&svi_error(&regression(&x, &y)), &start);
    assert_starts(&mh_error(&regression(&x, &y)), &start);
    let x = array![1.0, f64::INFINITY, 3.0];
    let start = at("site y", "// regression") + "log_prob is −∞: Normal loc[1] = ";
    assert_starts(&svi_error(&regression(&x, &x.mapv(|_| 0.0))), &start);
}

#[test]
fn nan_in_a_later_batch_stops_the_run_with_the_parameters_before_it() {
    let x = Array1::from_elem(60, 1.0);
    let mut y = x.clone();
    y[17] = f64::NAN;
    let model = in_batches(&x, 4, &y);
    let fit = svi(AutoNormal::default(), 1e-3);
    let Ok(mut state) = fit.start(&model) else {
        panic!("the first batch has the bad row")
    };
    assert!(state.is_replayed());
    let mut before = vec![state.params()];
    let error = loop {
        match state.step() {
            Ok(_) => before.push(state.params()),
            Err(error) => break error,
        }
    };
    let (step, cause, params) = parts(error);
    assert!(
        (1..15).contains(&step),
        "each row is visited once in 15 steps, not at {step}"
    );
    assert_starts(
        &cause,
        &(at("site y", "// in batches") + "log_prob is NaN: Normal value["),
    );
    assert!(cause.to_string().contains("] = NaN (row 17 of plate `row`)"), "{cause}");
    assert_eq!(params, before[step - 1]);
    assert_eq!(state.params(), before[step - 1]);
}

#[test]
fn a_scale_that_goes_negative_is_named_with_its_value() {
    let y = array![0.1, -0.2, 0.1];
    let start = at("site y", "// free scale") + "log_prob is NaN: Normal scale = -0.5";
    assert_starts(&svi_error(&free_scale(-0.5, &y)), &start);
    assert_starts(
        &refused_by_svi_later(&free_scale(0.5, &y)),
        &(at("site y", "// free scale") + "log_prob is NaN: Normal scale = -"),
    );
}

/// Returns the cause of a bound that is not finite after some steps at a large rate.
fn refused_by_svi_later<M: Model + Sync>(model: &M) -> Error {
    let error = svi(AutoDelta::default(), 0.3)
        .run(model)
        .err()
        .expect("the scale becomes negative");
    let (step, cause, params) = parts(error);
    assert!(step > 0);
    let s = params.iter().find(|(name, _)| name == "s").unwrap().1[[]];
    assert!(s > 0.0, "the last good scale is {s}");
    cause
}

#[test]
fn the_last_good_parameters_are_kept_at_any_step() {
    let (steps, paths) = ([1, 2, 63, 64, 65, 128, 129], [false, true]);
    for (failing, is_read) in steps.into_iter().flat_map(|step| paths.map(|is_read| (step, is_read))) {
        // The parameter is negative first at step `failing`.
        let model = cliff((failing as f64 - 0.25) / 64.0, is_read);
        let fit = svi(AutoNormal::default(), 1.0 / 64.0);
        assert_eq!(fit.start(&model).unwrap().is_replayed(), !is_read);
        let error = fit.run(&model).err().expect("the root of a negative number");
        let start = format!("the ELBO is not finite at step {failing}: site factor.1#1 (tests/bad_input/sites.rs:");
        assert_starts(&error, &start);
        let text = error.to_string();
        assert!(
            text.ends_with(
                "the factor is NaN: value = NaN, which comes from `sqrt`; the last good parameters are kept"
            ),
            "{text}"
        );
        let (_, cause, params) = parts(error);
        assert_starts(&cause, &at("site factor.1#1", "// cliff"));
        let s = params[0].1[[]];
        assert!(
            (s - 0.75 / 64.0).abs() < 1e-12,
            "step {failing}: {} · 1/64 is kept",
            s * 64.0
        );
    }
}

/// Takes apart the error of a run that stopped.
fn stopped(error: Error) -> (usize, Error, Vec<(String, ArrayD<f64>)>) {
    match error {
        Error::Stopped {
            steps,
            cause,
            params: NamedArrays(params),
        } => (steps, *cause, params),
        other => panic!("{other}"),
    }
}

#[test]
fn a_body_that_fails_at_a_later_step_leaves_the_last_good_parameters() {
    for failing in [1, 2, 63, 64, 65, 129] {
        let model = edge((failing as f64 - 0.25) / 64.0);
        let error = svi(AutoNormal::default(), 1.0 / 64.0)
            .run(&model)
            .err()
            .expect("no number");
        let start =
            format!("SVI stopped after {failing} steps: invalid float literal; the last good parameters are kept");
        assert_eq!(error.to_string(), start);
        let (_, cause, params) = stopped(error);
        assert!(matches!(cause, Error::User(_)), "{cause}");
        let s = params[0].1[[]];
        assert!(
            (s - 0.75 / 64.0).abs() < 1e-12,
            "step {failing}: {} · 1/64 is kept",
            s * 64.0
        );
    }
}

#[test]
fn an_error_while_the_cause_is_looked_for_leaves_the_last_good_parameters() {
    let fit = svi(AutoNormal::default(), 1.0 / 64.0);
    let model = closing(2.75 / 64.0, false);
    let mut state = fit.start(&model).unwrap();
    assert!(state.is_replayed());
    for _ in 0..3 {
        state.step().unwrap();
    }
    IS_CLOSED.store(true, Relaxed);
    let (step, cause, params) = parts(state.step().unwrap_err());
    assert_eq!((step, cause.to_string()), (3, "invalid float literal".to_string()));
    assert!((params[0].1[[]] - 0.75 / 64.0).abs() < 1e-12, "{params:?}");
    assert_eq!(state.params(), params);

    // Draws that cannot be made do not lose them either.
    let error = state.finish().err().expect("no number");
    assert_eq!(stopped(error).2, params);
    IS_CLOSED.store(false, Relaxed);
}

#[test]
fn a_parameter_that_becomes_nan_is_named() {
    let fit = svi(AutoDelta::default(), 0.1);
    let model = kink();
    let mut state = fit.start(&model).unwrap();
    let first = state.params();
    state.step().unwrap();
    let (step, cause, params) = parts(state.step().unwrap_err());
    assert_eq!(step, 1);
    let start = at("site mu.point", "// kink");
    assert!(
        ["the parameter became NaN", "the parameter became inf"]
            .iter()
            .any(|text| cause.to_string().starts_with(&(start.clone() + text))),
        "{cause}"
    );
    assert_eq!(params, first);
}

#[test]
fn a_run_whose_last_step_spoils_a_parameter_is_an_error() {
    let error = svi(AutoDelta::default(), 0.1)
        .steps(1)
        .run(&kink())
        .err()
        .expect("a parameter is not finite");
    let (step, cause, params) = parts(error);
    assert_eq!(step, 1);
    assert_starts(&cause, &(at("site mu.point", "// kink") + "the parameter became "));
    assert!(params[0].1.iter().all(|x| x.is_finite()));
}

#[test]
fn a_learning_rate_that_overflows_is_an_error() {
    let x = array![1.0, 2.0];
    let error = svi(AutoNormal::default(), 1e200)
        .run(&regression(&x, &x))
        .err()
        .expect("the bound overflows");
    let (step, cause, params) = parts(error);
    assert!(step > 0);
    assert_starts(&cause, "site ");
    assert!(cause.to_string().contains("tests/bad_input/sites.rs:1"), "{cause}");
    assert!(
        params.iter().all(|(_, values)| values.iter().all(|x| x.is_finite())),
        "{params:?}"
    );
}

#[test]
fn an_empty_data_set_is_an_error() {
    let none = Array1::<f64>::zeros(0);
    let text = at("site plate row", "for row in plate(y) {") + "there are no rows: the data are empty";
    assert_eq!(refused(&over_observations(&none)).to_string(), text);
    assert_eq!(svi_error(&over_observations(&none)).to_string(), text);
    assert_eq!(mh_error(&over_observations(&none)).to_string(), text);
}

#[test]
fn labels_out_of_range_are_named_with_their_value() {
    let start = at("site y", "// labels") + "log_prob is −∞: Categorical value[2] = 3";
    for y in [array![0, 2, 3], array![1, 1, 3, 4]] {
        assert_starts(&svi_error(&labels(&y)), &start);
        assert_starts(&mh_error(&labels(&y)), &start);
    }
}

#[test]
fn a_batch_larger_than_the_data_is_an_error() {
    let x = array![1.0, 2.0, 3.0];
    for size in [4, 0] {
        let text = at("site plate row", "plate(x, batch = size)")
            + &format!("batch = {size} of 3 rows: it must be from 1 to 3");
        assert_eq!(svi_error(&in_batches(&x, size, &x)).to_string(), text);
        assert_eq!(mh_error(&in_batches(&x, size, &x)).to_string(), text);
    }
}

#[test]
fn a_plate_over_missing_data_is_an_error_with_its_remedies() {
    let error = svi_error(&over_observations(Obs::missing()));
    assert_starts(
        &error,
        &(at("site plate row", "for row in plate(y) {") + "it runs over a missing observation, which has no length"),
    );
    assert!(
        error.to_string().ends_with("or pass `Obs::missing_like(shape)`"),
        "{error}"
    );
}

#[test]
fn a_guide_that_does_not_fit_is_an_error() {
    let y = array![0.5, 1.0, 2.0];
    let model = effects(3, &y);
    let start = at("site theta", "let theta = for j in plate(n)");
    let error = svi(one_effect(), 0.01).run(&model).err().expect("a plate is missing");
    assert_eq!(
        error.to_string(),
        start.clone()
            + "the guide draws the shape [], the model needs [3]: give the guide's site the same plates and event"
    );
    let error = svi(sometimes(3, false), 0.01)
        .run(&model)
        .err()
        .expect("a site is missing");
    assert_eq!(
        error.to_string(),
        start.clone() + "the guide draws no such site; it draws tau"
    );
    let error = svi(sometimes(4, true), 0.01)
        .run(&model)
        .err()
        .expect("the plate is longer");
    assert_eq!(
        error.to_string(),
        start + "the guide draws the shape [4], the model needs [3]: give the guide's site the same plates and event"
    );
}

#[test]
fn a_guide_of_a_site_that_is_no_latent_is_an_error() {
    let y = array![0.5, 1.0, 2.0];
    let guide = || svi(sometimes(3, true), 0.01);
    let start = at("site tau", "// sometimes");
    let conditioned = guide().run(&effects(3, &y).condition(|s| s.tau(1.0)));
    let set = guide().run(&effects(3, &y).do_(|s| s.tau(1.0)));
    let cases = [
        (
            conditioned.err(),
            "the guide draws this site, and the model observes it: leave it out of the guide",
        ),
        (
            set.err(),
            "the guide draws this site, and the model has its value set from outside: leave it out of the guide",
        ),
    ];
    for (error, text) in cases {
        let error = error.expect("tau is no latent").to_string();
        assert_eq!(error, start.clone() + text);
    }
}

#[test]
fn an_impossible_start_is_named_with_the_observation() {
    let error = mh_error(&impossible(&array![7.0, 0.0, 8.0]));
    assert_starts(
        &error,
        &(at("site y", "// impossible") + "log_prob is −∞: Uniform value[1] = 0"),
    );
    assert_starts(
        &svi_error(&impossible(&array![7.0, 0.0, 8.0])),
        &(at("site y", "// impossible") + "log_prob is −∞: Uniform value[1] = 0"),
    );
}

#[model]
fn shares(y: Obs<Array1<f64>>) {
    let a = sample(HalfNormal(1));
    for i in plate(y) {
        observe(y[i], Beta(a + 1, 2));
    }
}

#[test]
fn a_value_on_the_edge_of_the_support_is_named_with_its_row() {
    let y = array![0.3, 0.4, 1.0];
    let error = Mh::default().run(&shares(&y)).err().unwrap().to_string();
    assert!(error.contains("value[2] = 1 on the edge of UnitInterval"), "{error}");
}
