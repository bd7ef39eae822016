//! A site has a name: its binding, or a string.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn unnamed(y: Obs<f64>) {
    let a = sample(Normal(0, 1)).exp();
    sample(Normal(a, 1));
    let (b, c) = (sample(Normal(0, 1)), 1.0);
    observe(a + b, Normal(c, 1));
    observe(y, Normal(sample(Normal(0, 1)), 1));
    let d = Normal(param(0.0), 1);
}

#[model]
fn badly_named(name: String) {
    let a = sample("z[0]", Normal(0, 1));
    let b = sample(name, Normal(0, 1));
}

fn main() {}
