//! A plate with `batch =` sees a part of the rows, so it has no value.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn bound(x: &Array1<f64>) {
    let z = for i in plate(x, batch = 10) {
        x[i] + 1.0
    };
}

#[model]
fn used(x: &Array1<f64>) {
    factor(for i in plate(x, batch = 10) { x[i] + 1.0 });
}

fn main() {}
