//! A guide observes nothing, and its params do not shadow its sites.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let mu = sample(Normal(0, 1));
    observe(y, Normal(mu, 1));
}

#[guide(line)]
fn observes(y: Obs<f64>) {
    let mu = sample(Normal(0, 1));
    observe(y, Normal(mu, 1));
}

#[guide(line)]
fn shadows() {
    let mu = param(0.0);
    let mu = sample(Normal(mu, 1));
}

fn main() {}
