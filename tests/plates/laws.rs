//! The laws of plates: a body in a plate gives what the loop over its rows gives, and batches give it on average.

use std::collections::{BTreeSet, HashMap};

use posterior::core::program::compile::Program;
use posterior::core::program::passes::Passes;
use posterior::core::rng::Key;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::runtime::state::Slot;
use posterior::core::tape::gradient::gradient;
use posterior::prelude::*;

use crate::compare::assert_same;
use crate::data::normals;

/// Names of operations.
pub type Names = BTreeSet<&'static str>;

/// Writes each body in a plate and in a loop, and in a plate within a plate and in nested loops, and compares them over
/// all rows and over a batch of them; the mean over disjoint batches has to be what all rows give.
///
/// A body has numbers `a` and `b`, a latent `z` of the row, and the row's data `x` and `y`. In nested plates `a` is a
/// latent of the outer plate, `y` are data of the inner plate, `b` lies outside of both, and `z` and `x` have one element
/// for each pair of rows.
macro_rules! laws {
    (|$a:ident, $b:ident, $z:ident, $x:ident, $y:ident|
     $($name:ident($data:ty: $make:expr) { $($body:tt)* })*) => {
        $(#[allow(unused_imports, unused_variables)]
        mod $name {
            use super::*;

            #[model]
            fn one_plate(xs: &Array1<f64>, data: Obs<$data>, batch: usize) {
                let $a = sample("a", Normal(0, 1));
                let $b = sample("b", HalfNormal(1));
                for i in plate(xs, batch = batch) {
                    let $z = sample("z", Normal($a, $b));
                    let ($x, $y) = (xs[i], data[i]);
                    $($body)*
                }
            }

            #[model]
            fn one_loop(xs: &Array1<f64>, data: Obs<$data>, batch: usize) {
                let $a = sample("a", Normal(0, 1));
                let $b = sample("b", HalfNormal(1));
                for i in plate(xs, batch = batch).each() {
                    let $z = sample("z", Normal($a, $b));
                    let ($x, $y) = (xs[i], data[i]);
                    $($body)*
                }
            }

            #[model]
            fn two_plates(xs: &Array2<f64>, data: Obs<$data>, batch: usize) {
                let top = sample("top", Normal(0, 1));
                let $b = sample("b", HalfNormal(1));
                for i in plate(xs, batch = batch) {
                    let $a = sample("a", Normal(top, $b));
                    for j in plate(data) {
                        let $z = sample("z", Normal($a, $b));
                        let ($x, $y) = (xs[i][j], data[j]);
                        $($body)*
                    }
                }
            }

            #[model]
            fn two_loops(xs: &Array2<f64>, data: Obs<$data>, batch: usize) {
                let top = sample("top", Normal(0, 1));
                let $b = sample("b", HalfNormal(1));
                for i in plate(xs, batch = batch).each() {
                    let $a = sample("a", Normal(top, $b));
                    for j in plate(data).each() {
                        let $z = sample("z", Normal($a, $b));
                        let ($x, $y) = (xs[i][j], data[j]);
                        $($body)*
                    }
                }
            }

            #[test]
            fn plates_are_loops() {
                let (row, rows, data) = (laws::row(), laws::rows(), $make);
                for batch in [laws::N_ROWS, 4] {
                    laws::check(&one_plate(&row, &data, batch), &one_loop(&row, &data, batch));
                }
                for batch in [laws::N_OUTER, 2] {
                    laws::check(&two_plates(&rows, &data, batch), &two_loops(&rows, &data, batch));
                }
            }

            #[test]
            fn batches_are_right_on_average() {
                let (row, rows, data) = (laws::row(), laws::rows(), $make);
                laws::check_batches(&one_plate(&row, &data, 2));
                laws::check_batches(&two_plates(&rows, &data, 1));
            }

            pub(super) fn operations() -> Names {
                let (row, rows, data) = (laws::row(), laws::rows(), $make);
                let mut met = laws::operations_of(&one_plate(&row, &data, laws::N_ROWS));
                met.append(&mut laws::operations_of(&two_plates(&rows, &data, laws::N_OUTER)));
                met
            }
        })*

        /// The operations on values of plates that these bodies record.
        pub fn operations() -> Names {
            let mut met = Names::new();
            $(met.extend($name::operations());)*
            met
        }
    };
}

pub(crate) use laws;

/// The rows of a plate; within another plate, of the inner one.
pub const N_ROWS: usize = 6;

/// The rows of the outer of two plates.
pub const N_OUTER: usize = 3;

/// A number for each row.
pub fn row() -> Array1<f64> {
    Array1::from(normals(11, N_ROWS))
}

/// A number for each pair of rows.
pub fn rows() -> Array2<f64> {
    Array2::from_shape_fn((N_OUTER, N_ROWS), |(i, j)| normals(14 + i as u64, N_ROWS)[j])
}

/// Checks the law for a model with plates and its twin with loops.
pub fn check(plates: &impl Model, loops: &impl Model) {
    check_recordings(plates.name(), &|r| record(r, plates), &|r| record(r, loops));
}

/// Checks that log density and gradient over all rows are the mean of those over disjoint batches.
pub fn check_batches(plates: &impl Model) {
    check_means(plates.name(), &|r| record(r, plates));
}

type Record<'a> = dyn Fn(&Recorder) -> Recording + 'a;

fn check_recordings(name: &str, plates: &Record, loops: &Record) {
    let at = theta(plates);
    let plated = plates(&at);
    let first = loops(&recorder());
    let places = places(&plated, &first);
    let values = places.iter().map(|&k| plated.initial[k]).collect();
    let looped = loops(&recorder().with_values(&first.slots, values));

    let mut expected = vec![0.0; plated.n_inputs()];
    for (place, derivative) in places.into_iter().zip(gradient(&looped.tape)) {
        expected[place] += derivative;
    }
    let expected = (looped.tape.log_density(), expected.as_slice());
    let recorded = gradient(&plated.tape);
    assert_same(name, (plated.tape.log_density(), &recorded), expected);

    let program: Program<f64> = plated.density(Passes::default());
    let mut replayed = vec![f64::NAN; plated.n_inputs()];
    let value = program.value_and_gradient(&mut program.workspace(), &plated.initial, &mut replayed);
    assert_same("the program", (value, &replayed), expected);
}

fn check_means(name: &str, plates: &Record) {
    let at = theta(plates);
    let all = plates(&Recorder {
        whole_plates: true,
        ..at.clone()
    });
    let first = plates(&at);
    let [plate] = first.subsamples.as_slice() else {
        panic!("{name} has {} plates with batches", first.subsamples.len());
    };
    let n_batches = plate.full / plate.batch;
    let (mut value, mut mean) = (0.0, vec![0.0; all.n_inputs()]);
    for k in 0..n_batches {
        let rows = (k * plate.batch..(k + 1) * plate.batch).collect();
        let batch = plates(&at.with_rows(HashMap::from([(plate.address.clone(), rows)])));
        value += batch.tape.log_density() / n_batches as f64;
        for (mean, derivative) in mean.iter_mut().zip(gradient(&batch.tape)) {
            *mean += derivative / n_batches as f64;
        }
    }
    assert_same(name, (value, &mean), (all.tape.log_density(), &gradient(&all.tape)));
}

fn recorder() -> Recorder {
    Recorder::density(Precision::F64, Key::new(3))
}

fn record(recorder: &Recorder, model: &impl Model) -> Recording {
    recorder
        .record(model)
        .unwrap_or_else(|e| panic!("{}: {e}", model.name()))
}

/// Returns a recorder with values for all inputs of the plates: those of discrete latents are draws.
fn theta(plates: &Record) -> Recorder {
    let whole = Recorder {
        whole_plates: true,
        ..recorder()
    };
    let Recording { slots, mut initial, .. } = plates(&whole);
    let z = normals(10, initial.len());
    for slot in slots.iter().filter(|slot| !slot.is_discrete) {
        let range = slot.offset..slot.offset + len(slot);
        range.for_each(|k| initial[k] = 0.6 * z[k]);
    }
    recorder().with_values(&slots, initial)
}

fn len(slot: &Slot) -> usize {
    slot.shape.iter().product()
}

/// Returns for each input of the loops where it lies among those of the plates: `z[1][2]` is an element of `z`, and so is
/// each element of `z[2]`, whose loop may be the inner one of a plate.
fn places(plates: &Recording, loops: &Recording) -> Vec<usize> {
    let mut places = Vec::new();
    for slot in &loops.slots {
        let mut parts = slot.name.site().split(['[', ']']).filter(|part| !part.is_empty());
        let name = parts.next().expect("an address has a name");
        let numbers: Vec<usize> = parts.map(|part| part.parse().expect("the number of a row")).collect();
        // The last numbers may be those of a loop that both models have.
        let of_plates = |n: usize| {
            let steps: String = numbers[n..].iter().map(|k| format!("[{k}]")).collect();
            let all = plates
                .slots
                .iter()
                .find(|all| all.name.is_called(&format!("{name}{steps}")))?;
            Some((all, &numbers[..n]))
        };
        let found = (0..=numbers.len()).rev().find_map(of_plates);
        let (all, numbers) = found.expect("a site of the plates");
        let (shape, n) = (&all.shape, numbers.len());
        let is_rest = |&axis: &usize| [&shape[..axis], &shape[axis + n..]].concat() == slot.shape[..];
        let axis = (0..=shape.len() - n)
            .find(is_rest)
            .expect("the numbers pick along axes of the site");
        let picked = &shape[axis..axis + n];
        let row = numbers.iter().zip(picked).fold(0, |row, (k, n)| row * n + k);
        let inner: usize = shape[axis + n..].iter().product();
        let n_rows: usize = picked.iter().product();
        places.extend((0..len(slot)).map(|k| all.offset + (k / inner * n_rows + row) * inner + k % inner));
    }
    places
}

/// Returns the operations of a model whose operands have plates.
pub fn operations_of(model: &impl Model) -> Names {
    operations_in(&record(&recorder(), model))
}

fn operations_in(recording: &Recording) -> Names {
    let records = recording.tape.records();
    let has_plates = |&node: &u32| !records.nodes[node as usize].dims.is_empty();
    let nodes = (0..records.nodes.len() as u32).filter(|&node| records.args(node).iter().any(has_plates));
    nodes.map(|node| records.nodes[node as usize].def.name).collect()
}
