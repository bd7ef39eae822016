//! A guide draws every latent site of its model.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    let noise = sample(HalfNormal(1));
    observe(y, Normal(slope, noise));
}

#[guide(line)]
fn family() {
    let slope = sample(Normal(param(0.0), param(1.0, Positive)));
}

fn main() {}
