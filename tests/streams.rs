//! SVI on minibatches of a stream: steps that rebind data are those that record anew, and refuse what recording refuses.

use std::sync::atomic::{AtomicUsize, Ordering};

use posterior::core::error::{Error, NamedArrays};
use posterior::core::inference::svi::SviState;
use posterior::prelude::*;

const N_ROWS: usize = 50;
const N_GROUPS: usize = 3;

/// `tag` is not used: another value is another program of the same density.
#[model]
fn grouped(x: &Array1<f64>, group: &Array1<usize>, tag: usize, y: Obs<Array1<usize>>) {
    let _ = tag;
    let level = sample(Normal(0, 2).expand([N_GROUPS]));
    let slope = sample(Normal(0, 1));
    for i in plate(x, total = N_ROWS) {
        observe(y[i], Poisson((level[group[i]] + slope * x[i]).exp())); // grouped
    }
}

#[model]
fn normal(start: f64, weight: f64, y: Obs<Array1<f64>>) {
    let mu = param(start);
    let s = param(1.0, Positive);
    for i in plate(y, total = N_ROWS) {
        observe(y[i], Normal(mu, s).scale(weight)); // normal
    }
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[model]
fn counted(y: Obs<Array1<f64>>) {
    RUNS.fetch_add(1, Ordering::Relaxed);
    let mu = sample(Normal(0, 1));
    for i in plate(y, total = N_ROWS) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model]
fn sorted_by_hand(y: Obs<Array1<f64>>) {
    let mu = param(0.5);
    let s = if y[0].value() > 0.0 { 1.0 } else { 3.0 };
    for i in plate(y) {
        observe(y[i], Normal(mu, s));
    }
}

#[model]
fn labelled(y: Obs<Array1<usize>>) {
    let w = sample(Normal(0, 1).expand([3]));
    for i in plate(y) {
        observe(y[i], Categorical::logits(w)); // labelled
    }
}

/// Rows that the mask leaves out count nothing, whatever their group is.
#[model]
fn padded(group: &Array1<usize>, is_there: &Array1<bool>, y: Obs<Array1<f64>>) {
    let level = sample(Normal(0, 2).expand([N_GROUPS]));
    for i in plate(y) {
        let loc = level[group[i]]; // padded
        observe(y[i], Normal(where_(is_there[i], loc, 0.0), 1).mask(is_there[i]));
    }
}

#[model]
fn shaped(k: usize, is_positive: bool, has_more: bool, y: Obs<Array1<f64>>) {
    let a = if is_positive {
        sample("a", Normal(0, 1).expand([k])) // shaped, anywhere
    } else {
        sample("a", Normal(0, 1).expand([k]))
    };
    let s = if is_positive { param(1.0, Positive) } else { param(1.0) };
    let b = if has_more {
        sample("b", Normal(0, 1)) // shaped, another
    } else {
        Var::from(0.0)
    };
    for i in plate(y) {
        observe(y[i], Normal(a.sum() + b, 1.0 + s.square()));
    }
}

/// Each row has a latent of its own, whose guide reads the row.
#[model]
fn local(y: Obs<Array1<f64>>) {
    for i in plate(y, total = N_ROWS) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[guide(local)]
fn amortised(y: &Array1<f64>) {
    let slope = param(0.1);
    let s = param(1.0, Positive);
    for i in plate(y, total = N_ROWS) {
        let z = sample(Normal(slope * y[i], s));
    }
}

/// A type that cannot be compared.
#[derive(Clone)]
struct Weight {
    factor: f64,
}

#[model]
fn weighted(weight: Weight, y: Obs<Array1<f64>>) {
    let mu = param(0.2);
    let s = param(1.0, Positive);
    for i in plate(y, total = N_ROWS) {
        observe(y[i], Normal(mu, s).scale(weight.factor));
    }
}

#[model]
fn network(x: &Array2<f32>, net: Mlp, y: Obs<Array1<usize>>) {
    let net = sample(random_module(net, Normal(0, 1)));
    for i in plate(x, total = N_ROWS) {
        observe(y[i], Categorical::logits(net.forward(x[i])));
    }
}

/// A batch of `grouped`.
#[derive(Clone)]
struct Batch {
    x: Array1<f64>,
    group: Array1<usize>,
    y: Array1<usize>,
}

/// Returns batches of 16, 16, 16 and 2 rows.
fn batches() -> Vec<Batch> {
    let rows: Vec<usize> = (0..N_ROWS).collect();
    let batch = |rows: &[usize]| Batch {
        x: rows.iter().map(|&i| (i as f64 * 0.7).sin()).collect(),
        group: rows.iter().map(|&i| i * i % N_GROUPS).collect(),
        y: rows.iter().map(|&i| i * 5 % 4).collect(),
    };
    rows.chunks(16).map(batch).collect()
}

fn svi<G>(guide: G) -> Svi<G, Adam> {
    Svi::new(guide, Adam::new(0.05)).seed(3).progress(Progress::Hidden)
}

type Params = Vec<(String, ArrayD<f64>)>;

fn numbers(params: &Params) -> Vec<u64> {
    params.iter().flat_map(|(_, x)| x.iter().map(|v| v.to_bits())).collect()
}

/// Returns the losses and parameters after 160 steps; `tag` gives a step its program.
fn run(precision: Precision, particles: usize, tag: impl Fn(usize) -> usize) -> (Vec<u64>, Vec<u64>) {
    let (batches, svi) = (
        batches(),
        svi(AutoNormal::default()).precision(precision).particles(particles),
    );
    let Batch { x, group, y } = &batches[0];
    let first = grouped(x, group, 0, y);
    let mut state = svi.start(&first).unwrap();
    for step in 0..160 {
        let Batch { x, group, y } = batches[step % batches.len()].clone();
        state.step_on(&grouped(&x, &group, tag(step), &y)).unwrap();
        assert!(state.is_replayed());
    }
    let losses = state.losses().iter().map(|x| x.to_bits()).collect();
    (losses, numbers(&state.params()))
}

#[test]
fn steps_that_rebind_data_give_the_bits_of_steps_that_record_them() {
    for (precision, particles) in [(Precision::F64, 1), (Precision::F32, 1), (Precision::F64, 3)] {
        let rebound = run(precision, particles, |_| 0);
        let recorded = run(precision, particles, |step| step);
        assert_eq!(rebound, recorded, "{precision:?}, {particles} particles");
        assert_ne!(rebound.0[0], rebound.0[4], "the parameters move");
    }
}

#[test]
fn rebinding_the_first_data_changes_no_step() {
    let y = array![0.3, 1.2, -0.4, 2.0];
    let (svi, model) = (svi(AutoNormal::default()).steps(10), normal(0.0, 1.0, &y));
    let (mut own, mut rebound) = (svi.start(&model).unwrap(), svi.start(&model).unwrap());
    for _ in 0..10 {
        own.step().unwrap();
        rebound.step_on(&model).unwrap();
    }
    assert_eq!(own.losses(), rebound.losses());
    assert_eq!(own.params(), rebound.params());
}

/// Returns the density of `normal` by hand, at constrained parameters.
fn log_density(mu: f64, s: f64, weight: f64, y: &Array1<f64>) -> f64 {
    let each = |y: f64| -0.5 * ((y - mu) / s).powi(2) - s.ln() - 0.5 * std::f64::consts::TAU.ln();
    weight * N_ROWS as f64 / y.len() as f64 * y.iter().map(|&y| each(y)).sum::<f64>()
}

/// Steps on batches with the weight of each, and compares each ELBO with the one by hand.
fn assert_by_hand(steps: &[(f64, Array1<f64>)]) {
    let svi = svi(AutoDelta::default());
    let first = normal(0.2, 1.0, &steps[0].1);
    let mut state = svi.start(&first).unwrap();
    for (weight, y) in steps {
        let params = state.params();
        let (mu, s) = (params[0].1[[]], params[1].1[[]].exp());
        let elbo = state.step_on(&normal(0.2, *weight, y)).unwrap();
        let want = log_density(mu, s, *weight, y);
        assert!((elbo - want).abs() < 1e-12 * want.abs(), "{elbo} for {want}");
    }
}

#[test]
fn a_short_last_batch_counts_by_its_own_length() {
    let (long, short) = (array![0.3, 1.2, -0.4, 2.0], array![5.0, 1.0]);
    let steps = [&long, &short, &long, &short, &short, &long].map(|y| (1.0, y.clone()));
    assert_by_hand(&steps);
}

#[test]
fn another_owned_argument_is_another_program() {
    let y = array![0.3, 1.2, -0.4, 2.0];
    assert_by_hand(&[1.0, 0.5, 1.0, 0.25, 0.125].map(|weight| (weight, &y * weight)));
}

#[test]
fn what_a_handler_does_is_part_of_the_program() {
    let (a, b) = (array![0.3, 1.2], array![1.0, -1.0]);
    let svi = svi(AutoDelta::default());
    let first = normal(0.2, 1.0, &a);
    let mut state = svi.start(&first).unwrap();
    for (factor, y) in [(1.0, &a), (0.5, &b), (1.0, &b), (0.5, &a)] {
        let params = state.params();
        let (mu, s) = (params[0].1[[]], params[1].1[[]].exp());
        let elbo = state.step_on(&normal(0.2, 1.0, y).scale(|_| "y", factor)).unwrap();
        let want = log_density(mu, s, factor, y);
        assert!((elbo - want).abs() < 1e-12 * want.abs(), "{elbo} for {want}");
        assert!(state.is_replayed());
    }
}

#[test]
fn four_kinds_of_batches_are_kept() {
    let y = |n: usize| Array1::from_iter((0..n).map(|i| i as f64 * 0.1));
    let (svi, data) = (svi(AutoNormal::default()), y(1));
    let first = counted(&data);
    let mut state = svi.start(&first).unwrap();
    let mut recordings = |kinds: std::ops::Range<usize>| {
        let before = RUNS.load(Ordering::Relaxed);
        for n in kinds {
            state.step_on(&counted(&y(n))).unwrap();
        }
        RUNS.load(Ordering::Relaxed) - before
    };
    assert_eq!(recordings(1..5), 8, "each kind is recorded twice");
    assert_eq!((0..5).map(|_| recordings(1..5)).sum::<usize>(), 0);
    assert_eq!(recordings(5..6), 2);
    assert_eq!(recordings(2..6), 0, "the kind used least recently is dropped");
    assert_eq!(recordings(1..2), 2);
}

#[test]
fn a_body_that_reads_data_is_recorded_and_right() {
    let svi = svi(AutoDelta::default());
    let data = [
        array![0.5, 1.0],
        array![-0.5, 1.0],
        array![0.7, -1.0],
        array![-2.0, 0.5],
    ];
    let first = sorted_by_hand(&data[0]);
    let mut state = svi.start(&first).unwrap();
    for y in &data {
        let mu = state.params()[0].1[[]];
        let elbo = state.step_on(&sorted_by_hand(y)).unwrap();
        let s = if y[0] > 0.0 { 1.0 } else { 3.0 };
        let want = log_density(mu, s, y.len() as f64 / N_ROWS as f64, y);
        assert!((elbo - want).abs() < 1e-12 * want.abs(), "{elbo} for {want}");
        assert!(!state.is_replayed());
    }
}

#[test]
fn an_owned_argument_that_cannot_be_compared_is_recorded_and_right() {
    let (svi, y) = (svi(AutoDelta::default()), array![0.3, 1.2, -0.4, 2.0]);
    let first = weighted(Weight { factor: 1.0 }, &y);
    let mut state = svi.start(&first).unwrap();
    for factor in [1.0, 0.5, 0.25] {
        let params = state.params();
        let (mu, s) = (params[0].1[[]], params[1].1[[]].exp());
        let elbo = state.step_on(&weighted(Weight { factor }, &y)).unwrap();
        let want = log_density(mu, s, factor, &y);
        assert!((elbo - want).abs() < 1e-12 * want.abs(), "{elbo} for {want}");
        assert!(!state.is_replayed());
    }
}

#[test]
fn networks_are_compared_by_their_layers() {
    let x = Array2::from_shape_fn((8, 3), |(i, j)| (i as f32 * 1.7 + j as f32).sin());
    let y = Array1::from_shape_fn(8, |i| i % 2);
    let svi = svi(AutoNormal::default()).precision(Precision::F32);
    let net = |activation| Mlp::new(&[3, 4, 2], activation);
    let first = network(&x, net(Activation::Tanh), &y);
    let mut state = svi.start(&first).unwrap();
    for activation in [Activation::Tanh, Activation::Relu, Activation::Tanh] {
        let own = network(&x, net(activation), &y);
        let mut alone = svi.start(&own).unwrap();
        let elbo = state.step_on(&own).unwrap();
        assert!(state.is_replayed());
        if state.losses().len() == 1 {
            assert_eq!(elbo, alone.step().unwrap());
        }
    }
    let mut other = svi.start(&first).unwrap();
    let relu = other.step_on(&network(&x, net(Activation::Relu), &y)).unwrap();
    assert_ne!(relu, -state.losses()[0]);
}

#[test]
fn a_guide_that_reads_the_batch_is_rebound_with_it() {
    let zeros = array![0.0, 0.0];
    let svi = svi(amortised(&zeros));
    let first = local(&zeros);
    let mut state = svi.start(&first).unwrap();
    let row = |i: usize| (i as f64 * 1.3).sin() * 2.0;
    for step in 0..3000 {
        let y = Array1::from_iter((0..5).map(|i| row(5 * (step % 10) + i)));
        state.step_with(&local(&y), &amortised(&y)).unwrap();
        assert!(state.is_replayed());
    }
    // The posterior of z is Normal(y / 2, √½); Adam's noise leaves a hundredth.
    let params = state.params();
    let (slope, s) = (params[0].1[[]], params[1].1[[]].exp());
    assert!((slope - 0.5).abs() < 0.05, "slope {slope}");
    assert!((s - 0.5_f64.sqrt()).abs() < 0.08, "scale {s}");
}

/// Returns the beginning of an error about a site that stands on the line with this code.
fn at(site: &str, code: &str) -> String {
    let text = include_str!("streams.rs");
    let line = text.lines().position(|l| l.contains(code)).unwrap();
    format!("{site} (tests/streams.rs:{}): ", line + 1)
}

fn assert_starts(error: &Error, start: &str) {
    let text = error.to_string();
    assert!(text.starts_with(start), "{text}\n  does not begin with\n{start}");
}

fn cause(error: Error) -> (usize, Error, Params) {
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
fn nan_in_a_batch_is_named_with_its_row_and_spoils_no_parameter() {
    let (good, bad) = (array![0.3, 1.2, -0.4], array![0.3, f64::NAN, -0.4]);
    let svi = svi(AutoDelta::default());
    let first = normal(0.0, 1.0, &good);
    let (mut with, mut without) = (svi.start(&first).unwrap(), svi.start(&first).unwrap());
    for _ in 0..2 {
        with.step_on(&normal(0.0, 1.0, &good)).unwrap();
        without.step_on(&normal(0.0, 1.0, &good)).unwrap();
    }
    let (step, cause, params) = cause(with.step_on(&normal(0.0, 1.0, &bad)).unwrap_err());
    assert_eq!(step, 2);
    assert_starts(
        &cause,
        &(at("site y", "// normal") + "log_prob is NaN: Normal value[1] = NaN"),
    );
    assert_eq!(params, without.params());
    for _ in 0..100 {
        with.step_on(&normal(0.0, 1.0, &(&good + 1.0))).unwrap();
        without.step_on(&normal(0.0, 1.0, &(&good + 1.0))).unwrap();
    }
    assert_eq!(with.params(), without.params());
}

#[test]
fn a_label_out_of_range_in_a_later_batch_is_named() {
    let svi = svi(AutoNormal::default());
    let good = array![0, 1, 2, 1];
    let first = labelled(&good);
    let mut state = svi.start(&first).unwrap();
    state.step_on(&labelled(&array![2, 2, 0, 1])).unwrap();
    let (step, cause, _) = cause(state.step_on(&labelled(&array![2, 0, 3, 1])).unwrap_err());
    assert_eq!(step, 1);
    assert_starts(
        &cause,
        &(at("site y", "// labelled") + "log_prob is −∞: Categorical value[2] = 3"),
    );
}

#[test]
fn an_index_out_of_range_is_refused_even_where_a_mask_hides_it() {
    let svi = svi(AutoNormal::default());
    let (y, is_there) = (array![0.5, 1.0, 0.0], array![true, true, false]);
    let (good, bad) = (array![0, 2, 0], array![0, 2, 3]);
    let first = padded(&good, &is_there, &y);
    let want = svi
        .start(&padded(&bad, &is_there, &y))
        .err()
        .expect("a recording refuses it");
    let line = at("index", "// padded");
    assert_starts(&want, &(line + "element 3 of "));
    let mut state = svi.start(&first).unwrap();
    for _ in 0..3 {
        state.step_on(&padded(&good, &is_there, &y)).unwrap();
        let before = state.params();
        assert_eq!(state.step_on(&padded(&bad, &is_there, &y)).unwrap_err(), want);
        assert_eq!(state.params(), before);
    }
}

#[test]
fn arrays_that_do_not_fit_are_refused_as_by_a_first_binding() {
    let Batch { x, group, y } = &batches()[0];
    let svi = svi(AutoNormal::default());
    let first = grouped(x, group, 0, y);
    let short = Array1::from_elem(3, 1);
    let want = svi
        .start(&grouped(x, group, 0, &short))
        .err()
        .expect("a recording refuses it");
    assert!(want.to_string().contains("`y` has 3 rows, plate `i` has 16"), "{want}");
    let mut state = svi.start(&first).unwrap();
    state.step_on(&first).unwrap();
    assert_eq!(state.step_on(&grouped(x, group, 0, &short)).unwrap_err(), want);
    assert!(state.step_on(&first).is_ok());
}

fn refusal(k: usize, is_positive: bool, has_more: bool) -> String {
    let (svi, y) = (svi(AutoNormal::default()), array![0.1, 0.2]);
    let first = shaped(2, true, true, &y);
    let mut state = svi.start(&first).unwrap();
    state.step_on(&first).unwrap();
    state
        .step_on(&shaped(k, is_positive, has_more, &y))
        .unwrap_err()
        .to_string()
}

#[test]
fn other_latents_are_refused_with_site_and_shapes() {
    assert_eq!(
        refusal(3, true, true),
        at("site a.loc", "// shaped, anywhere")
            + "the unconstrained shape is [3] here and was [2] in the model that the run began with"
    );
    assert_eq!(
        refusal(2, true, false),
        at("site b.loc", "// shaped, another")
            + "the model that the run began with has this latent or parameter, this one lacks it"
    );
    let error = refusal(2, false, true);
    let want = "it is a real number here and was positive in the model that the run began with";
    assert!(
        error.starts_with("site s (tests/streams.rs:") && error.ends_with(want),
        "{error}"
    );
    let (svi, y) = (svi(AutoNormal::default()), array![0.1, 0.2]);
    let first = shaped(2, true, false, &y);
    let mut state = svi.start(&first).unwrap();
    let error = state.step_on(&shaped(2, true, true, &y)).unwrap_err().to_string();
    assert_eq!(
        error,
        at("site b.loc", "// shaped, another") + "the model that the run began with has no such latent or parameter"
    );
}

/// Each step lowers `s` by the same amount until its root does not exist, and the ELBO does not depend on the data.
#[model]
fn cliff(start: f64, y: &Array1<f64>) {
    let s = param(start);
    factor(s.sqrt() * 0.0 - s + 0.0 * y.sum()); // cliff
}

#[test]
fn bad_parameters_of_a_stream_go_back_to_those_kept() {
    let svi = Svi::new(AutoNormal::default(), Sgd::new(1.0 / 64.0)).progress(Progress::Hidden);
    let y = array![1.0, 2.0];
    let first = cliff(99.75 / 64.0, &y);
    let mut state = svi.start(&first).unwrap();
    let error = loop {
        if let Err(error) = state.step_on(&cliff(99.75 / 64.0, &y)) {
            break error;
        }
    };
    let (step, cause, params) = cause(error);
    assert_eq!(step, 100);
    assert_starts(&cause, "site factor.1#1 (tests/streams.rs:");
    // Of the hundred steps 64 were made when parameters were kept last.
    let s = params[0].1[[]] * 64.0;
    assert!((s - 35.75).abs() < 1e-9, "{s}");
}

static LEVEL: AtomicUsize = AtomicUsize::new(0);

/// Hides from the tape that its density changes.
#[model]
fn secretive(y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    factor(-mu.square() * LEVEL.load(Ordering::Relaxed) as f64 - 0.0 * y.sum());
}

#[test]
#[cfg(debug_assertions)]
fn debug_builds_find_a_model_that_changes_behind_the_tape() {
    let svi = svi(AutoNormal::default());
    let y = array![1.0, 2.0];
    let first = secretive(&y);
    let steps = |state: &mut SviState<'_, _, _, _>, n: usize| (0..n).try_for_each(|_| state.step_on(&first).map(drop));
    let mut state = svi.start(&first).unwrap();
    steps(&mut state, 70).unwrap();
    LEVEL.store(1, Ordering::Relaxed);
    let error = steps(&mut state, 64).unwrap_err().to_string();
    assert!(
        error.starts_with("step 127: model secretive does not run as it did"),
        "{error}"
    );
}

/// The value is that of b, while the derivative by a is 0 · ∞.
#[model]
fn unused(start: f64) {
    let a = param(start); // unused
    let b = param(1.0);
    factor(where_(b.gt(-1e9), -b.square(), a.sqrt()));
}

#[test]
fn a_parameter_that_never_reaches_the_loss_is_noticed_by_name() {
    let svi = svi(AutoDelta::default());
    let model = unused(0.0);
    let mut state = svi.start(&model).unwrap();
    let error = (0..200).find_map(|_| state.step().err()).expect("the parameter is NaN");
    let (step, cause, params) = cause(error);
    assert_eq!(step, 64);
    assert_starts(&cause, &(at("site a", "// unused") + "the parameter became NaN"));
    assert_eq!(params[0].1[[]], 0.0);
}
