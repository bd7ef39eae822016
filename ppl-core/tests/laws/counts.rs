//! Plates, loops, batches and parts of a stream: a term counts for all rows that there are.

use ndarray::{Array1, Array2};
use ppl_core::rng::Key;
use ppl_core::runtime::model::Model;
use ppl_core::runtime::recording::Recorder;
use ppl_core::tape::store::Precision;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn by_plates(xs: &Array2<f64>, columns: &Array1<f64>) {
    let a = param(1.0);
    for i in plate(xs, total = 12) {
        for j in plate(columns, batch = 2, total = 30) {
            factor(a + 0.0 * xs[i][j]);
            factor(a);
            factor(a + 0.0 * columns[j]);
        }
        factor(a + 0.0 * xs[i].sum());
    }
    factor(a);
}

#[model(crate = ppl_core)]
fn by_outer_loop(xs: &Array2<f64>, columns: &Array1<f64>) {
    let a = param(1.0);
    for i in plate(xs, total = 12).each() {
        for j in plate(columns, batch = 2, total = 30) {
            factor(a + 0.0 * xs[i][j]);
            factor(a);
            factor(a + 0.0 * columns[j]);
        }
        factor(a + 0.0 * xs[i].sum());
    }
    factor(a);
}

#[model(crate = ppl_core)]
fn by_inner_loop(xs: &Array2<f64>, columns: &Array1<f64>) {
    let a = param(1.0);
    for i in plate(xs, total = 12) {
        for j in plate(columns, batch = 2, total = 30).each() {
            factor(a + 0.0 * xs[i][j]);
            factor(a);
            factor(a + 0.0 * columns[j]);
        }
        factor(a + 0.0 * xs[i].sum());
    }
    factor(a);
}

#[model(crate = ppl_core)]
fn by_loops(xs: &Array2<f64>, columns: &Array1<f64>) {
    let a = param(1.0);
    for i in plate(xs, total = 12).each() {
        for j in plate(columns, batch = 2, total = 30).each() {
            factor(a + 0.0 * xs[i][j]);
            factor(a);
            factor(a + 0.0 * columns[j]);
        }
        factor(a + 0.0 * xs[i].sum());
    }
    factor(a);
}

/// Returns the log density over batches and over all rows in memory.
fn densities(model: &impl Model) -> [f64; 2] {
    let recorder = Recorder::density(Precision::F64, Key::new(3));
    let whole = Recorder {
        whole_plates: true,
        ..recorder.clone()
    };
    [recorder, whole].map(|r| r.record(model).unwrap().tape.log_density())
}

#[test]
fn batches_of_a_part_of_a_stream_count_for_all_rows() {
    let (xs, columns) = (Array2::zeros((3, 6)), Array1::zeros(6));
    let found = [
        densities(&by_plates(&xs, &columns)),
        densities(&by_outer_loop(&xs, &columns)),
        densities(&by_inner_loop(&xs, &columns)),
        densities(&by_loops(&xs, &columns)),
    ];
    for n_rows in found.concat() {
        let expected = 3.0 * 12.0 * 30.0 + 12.0 + 1.0;
        assert!((n_rows - expected).abs() < 1e-9, "{n_rows} rows of {expected}");
    }
}
