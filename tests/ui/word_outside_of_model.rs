//! Words have a meaning inside a model only.

#![allow(unused)]

use posterior::prelude::*;

fn helper() {
    let mu = sample(Normal(0, 1));
    observe(1.0, Normal(0, 1));
    for i in plate(3) {
        factor(1.0);
    }
}

#[model]
fn inner_function() {
    fn prior() {
        track("z", 1.0);
    }
    prior();
}

fn main() {}
