//! A guide draws each site from the set on which the model has it.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let noise = sample(HalfNormal(1));
    observe(y, Normal(0, noise));
}

#[guide(line)]
fn family() {
    let noise = sample(Normal(param(0.0), param(1.0, Positive)));
}

fn main() {}
