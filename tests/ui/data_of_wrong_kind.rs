//! Data fit their distribution by type.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn reals_as_truths(y: Obs<Array1<f64>>) {
    for i in plate(y) {
        observe(y[i], Bernoulli::probs(0.5));
    }
}

#[model]
fn truths_as_reals(y: Obs<Array1<bool>>) {
    for i in plate(y) {
        sample("y", Normal(0, 1), obs = y[i]);
    }
}

fn main() {}
