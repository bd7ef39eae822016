//! A name is met once on each path; exclusive arms may share it.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn twice(y: Obs<f64>) {
    let mu = sample(Normal(0, 1));
    let mu = sample(Normal(mu, 1));
    observe(y, Normal(mu, 1));
}

#[model]
fn after_arms(flag: bool) {
    let w = if flag { sample(Normal(0, 1)) } else { sample(Normal(0, 2)) };
    let v = sample("w", Normal(w, 1));
}

#[model]
fn in_two_loops(n: usize) {
    for _ in 0..n {
        let z = sample(Normal(0, 1));
    }
    for _ in 0..n {
        let z = sample(Normal(0, 1));
    }
}

#[model]
fn shadowed_by_param() {
    let loc = param(0.0);
    let scale = sample("loc", Normal(loc, 1));
}

fn main() {}
