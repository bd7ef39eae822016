//! Accessors and handlers know the sites of the model.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    observe(y, Normal(slope, 1));
}

fn main() {
    line::Values::default().slop(1.0);
    line::Values::default().y(1.0);
    line::Names::default().intercept();
}

fn read(draws: line::Accessors) {
    draws.slopes();
}
