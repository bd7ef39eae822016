//! A guide draws no site that its model does not have.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    observe(y, Normal(slope, 1));
}

#[guide(line)]
fn family() {
    let slopes = sample(Normal(param(0.0), param(1.0, Positive)));
}

fn main() {}
