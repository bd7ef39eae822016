//! Programs, their passes and new recordings agree in value and gradient.

#[path = "models/compare.rs"]
mod compare;
mod models;

use std::collections::HashMap;
use std::rc::Rc;

use compare::{assert_close, assert_same};
use models::{Check, every, normals};
use posterior::core::inference::svi::AutoNormal;
use posterior::core::inference::svi::objective::record_elbo;
use posterior::core::program::compile::Program;
use posterior::core::program::passes::Passes;
use posterior::core::program::structure::structure_key;
use posterior::core::rng::Key;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::tape::gradient::gradient;
use posterior::prelude::*;

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
        assert_close(&format!("{name} without a gradient, {passes:?}"), alone, value);
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
