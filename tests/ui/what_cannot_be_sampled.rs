//! `sample` takes distributions, models and random modules.

use posterior::prelude::*;

#[model]
fn m() {
    let a = sample(3.0);
}

#[model]
fn n(names: Vec<String>, text: String) {
    for i in plate(text) {
        factor(1.0);
    }
}

fn main() {}
