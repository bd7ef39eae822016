//! `sample` takes distributions, models and random modules.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn m() {
    let a = sample(3.0);
}

#[model]
fn n(text: String) {
    for i in plate(text) {
        factor(1.0);
    }
}

fn main() {}
