//! Programs, their passes, new recordings and loops agree in value and gradient.

mod models;

use std::collections::HashMap;
use std::rc::Rc;

use models::{Check, every, labels, normals};
use posterior::core::inference::svi::AutoNormal;
use posterior::core::inference::svi::objective::record_elbo;
use posterior::core::program::compile::Program;
use posterior::core::program::passes::Passes;
use posterior::core::program::structure::structure_key;
use posterior::core::rng::Key;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::tape::gradient::gradient;
use posterior::prelude::*;

const TOLERANCE: f64 = 1e-12;

/// The largest difference, relative to the larger of the value and one.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let relative = got.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    relative.fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

fn assert_same(what: &str, got: (f64, &[f64]), expected: (f64, &[f64])) {
    assert!(
        expected.0.is_finite() && expected.1.iter().any(|d| d.abs() > 1e-3),
        "{what}: {expected:?}"
    );
    let value = (got.0 - expected.0).abs() / expected.0.abs().max(1.0);
    assert!(value <= TOLERANCE, "{what}: {} for {}", got.0, expected.0);
    let worst = distance(got.1, expected.1);
    assert!(
        worst <= TOLERANCE,
        "{what}: gradient off by {worst}: {:?} for {:?}",
        got.1,
        expected.1
    );
}

/// Checks a density that `record` records, under every setting of the passes, where it was recorded and elsewhere.
fn check_replay(name: &str, record: impl Fn(&Recorder) -> Recording) {
    let first = Recorder::density(Precision::F64, Key::new(1));
    let recording = record(&first);
    assert!(
        !recording.tape.is_tainted(),
        "{name} is recorded anew at each evaluation"
    );
    let theta: Vec<f64> = normals(9, recording.n_inputs()).iter().map(|z| 0.7 * z).collect();
    let rows: HashMap<_, Vec<usize>> = recording
        .subsamples
        .iter()
        .map(|s| (s.address.clone(), (0..s.batch).map(|i| (7 * i + 3) % s.full).collect()))
        .collect();
    let elsewhere = Recorder {
        key: Key::new(2),
        ..first.clone()
    };
    let again = record(
        &elsewhere
            .with_values(&recording.slots, theta.clone())
            .with_rows(rows.clone()),
    );
    assert_eq!(
        structure_key(&again.tape.records()),
        structure_key(&recording.tape.records()),
        "{name}"
    );
    let at_first = (recording.tape.log_density(), gradient(&recording.tape));
    let at_theta = (again.tape.log_density(), gradient(&again.tape));
    for passes in Passes::every() {
        let program: Program<f64> = recording.density(passes);
        let mut workspace = program.workspace();
        workspace.key = Key::new(1);
        let mut d = vec![f64::NAN; program.n_inputs()];
        let value = program.value_and_gradient(&mut workspace, &recording.initial, &mut d);
        assert_same(&format!("{name}, {passes:?}"), (value, &d), (at_first.0, &at_first.1));

        workspace.key = Key::new(2);
        for s in &recording.subsamples {
            if program.has_slot(s.slot) {
                let slot = program.slot(&mut workspace, s.slot);
                slot.iter_mut().zip(&rows[&s.address]).for_each(|(o, &r)| *o = r as f64);
            }
        }
        let value = program.value_and_gradient(&mut workspace, &theta, &mut d);
        assert_same(
            &format!("{name} elsewhere, {passes:?}"),
            (value, &d),
            (at_theta.0, &at_theta.1),
        );
        let alone = program.value(&mut workspace, &theta);
        assert!(
            (alone - value).abs() <= TOLERANCE * value.abs().max(1.0),
            "{name}: {alone} without a gradient, {value}"
        );
    }
}

#[test]
fn programs_agree_with_recordings_under_every_setting_of_the_passes() {
    struct Replays;
    impl Check for Replays {
        fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
            check_replay(name, |recorder| recorder.record(model).expect(name));
        }
    }
    every(&mut Replays);
}

#[test]
fn programs_with_random_draws_agree_with_recordings_of_the_same_key() {
    struct Elbos;
    impl Check for Elbos {
        fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
            check_replay(name, |recorder| {
                record_elbo(recorder, model, &AutoNormal::default(), &Rc::default()).expect(name)
            });
        }
    }
    every(&mut Elbos);
}

/// Returns log density and gradient, at values that depend on the order of the inputs alone.
fn density_of(model: &impl Model) -> (f64, Vec<f64>) {
    let recorder = Recorder::density(Precision::F64, Key::new(3));
    let slots = recorder.record(model).expect("the model records");
    let theta = normals(10, slots.n_inputs()).iter().map(|z| 0.6 * z).collect();
    let recording = recorder
        .with_values(&slots.slots, theta)
        .record(model)
        .expect("the model records");
    (recording.tape.log_density(), gradient(&recording.tape))
}

/// Writes each body twice, in a plate and in a loop, and compares the two. The body has two numbers `a` and `b` of the
/// model, a latent `z` and the data `x` of the row.
macro_rules! scalar_bodies {
    ($($name:ident: |$a:ident, $b:ident, $z:ident, $x:ident| $dist:expr, $element:ty: $data:expr;)*) => {$(
        mod $name {
            use super::*;

            #[model]
            fn plated(xs: &Array1<f64>, data: Obs<Array1<$element>>) {
                let $a = sample(Normal(0, 1));
                let $b = sample(HalfNormal(1));
                for i in plate(xs) {
                    let $z = sample(Normal($a, $b));
                    let $x = xs[i];
                    observe("data", data[i], $dist);
                }
            }

            #[model]
            fn looped(xs: &Array1<f64>, data: Obs<Array1<$element>>) {
                let $a = sample(Normal(0, 1));
                let $b = sample(HalfNormal(1));
                for i in plate(xs).each() {
                    let $z = sample(Normal($a, $b));
                    let $x = xs[i];
                    observe("data", data[i], $dist);
                }
            }

            #[test]
            fn a_plate_is_a_loop() {
                let xs = Array1::from(normals(11, 6));
                let data: Array1<$element> = $data;
                let (plate, each) = (density_of(&plated(&xs, &data)), density_of(&looped(&xs, &data)));
                assert_same(stringify!($name), (plate.0, &plate.1), (each.0, &each.1));
            }
        }
    )*};
}

fn reals() -> Array1<f64> {
    Array1::from(normals(12, 6))
}

fn positive() -> Array1<f64> {
    reals().mapv(f64::exp)
}

fn shares() -> Array1<f64> {
    reals().mapv(|x| 1.0 / (1.0 + x.exp()))
}

fn counts(n: usize) -> Array1<usize> {
    labels(13, 6, n)
}

scalar_bodies! {
    normal: |a, b, z, x| Normal(a + z * x, b), f64: reals();
    log_normal: |a, b, z, x| LogNormal(z * x, b + a.square()), f64: positive();
    half_normal: |a, b, z, x| HalfNormal(b + (a * z + x).exp()), f64: positive();
    cauchy: |a, b, z, x| Cauchy(a * x + z, b), f64: reals();
    half_cauchy: |a, b, z, x| HalfCauchy(b + (a * z * x).exp()), f64: positive();
    student_t: |a, b, z, x| StudentT(b + 1.5, z - a, x.square() + b), f64: reals();
    laplace: |a, b, z, x| Laplace(z + a * x, b), f64: reals();
    uniform: |a, b, z, x| Uniform(-(a * z).exp() - 9.0, b + x.square() + 9.0), f64: reals();
    exponential: |a, b, z, x| Exponential((a * x + z).exp() + b), f64: positive();
    gamma: |a, b, z, x| Gamma(b + x.square(), (a + z).softplus()), f64: positive();
    inverse_gamma: |a, b, z, x| InverseGamma(b + x.square(), (a + z).softplus()), f64: positive();
    beta: |a, b, z, x| Beta(b + x.square(), (a * z).exp()), f64: shares();
    bernoulli_logits: |a, b, z, x| Bernoulli::logits(a + b * z * x), usize: counts(2);
    bernoulli_probs: |a, b, z, x| Bernoulli::probs((a + b * z * x).sigmoid()), usize: counts(2);
    binomial: |a, b, z, x| Binomial::logits(7, a + b * z * x), usize: counts(8);
    poisson: |a, b, z, x| Poisson((a + z * x).exp() + b), usize: counts(5);
    categorical: |a, b, z, x| Categorical::logits(stack(&[a + z, b * x, z * x])), usize: counts(3);
    categorical_probs: |a, b, z, x| Categorical::probs(stack(&[a + z, b * x, z * x]).softmax()), usize: counts(3);
    exponentials: |a, b, z, x| Normal(a.exp() + z.exp_m1() + b.ln() + b.ln_1p(), (x * z).exp()), f64: reals();
    powers: |a, b, z, x| Normal(b.sqrt() + z.square() + b.recip() + (z - x).abs() + b.pow(z) + b.pow(x), b + a.square()), f64: reals();
    waves: |a, b, z, x| Normal((a * x).sin() + (z * b).cos() + (z + x).tanh(), b), f64: reals();
    activations: |a, b, z, x| Normal((a * z).sigmoid() + z.softplus() + (z * x).relu() + a.gelu() + (z - b).silu(), b), f64: reals();
    specials: |a, b, z, x| Normal((z * a).erf() + (b + 0.2).ln_gamma() + (z.square() + b).digamma(), x.square() + b), f64: reals();
    choices: |a, b, z, x| Normal(where_(z.gt(x), a * z, b - z) + z.maximum(x) * a.minimum(z), b), f64: reals();
    columns: |a, b, z, x| Normal(stack(&[a, z, b * x]).log_sum_exp() + stack(&[a, z * x]).sum() + stack(&[z, x * a]).max(), b), f64: reals();
    vectors: |a, b, z, x| Normal(stack(&[a, z]).dot(stack(&[x, b])) + stack(&[z, a * x]).cumsum()[1] + stack(&[z, b]).log_softmax()[0], b), f64: reals();
    detached: |a, b, z, x| Normal(z.detach() * a + x * z, b), f64: reals();
}
