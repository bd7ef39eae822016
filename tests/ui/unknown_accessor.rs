//! Accessors and handlers know the sites of the model.

#![allow(unused)]

use posterior::core::inference::fit::Fit;
use posterior::core::runtime::handlers::ModelExt;
use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    observe(y, Normal(slope, 1));
}

fn main() {
    line(1.0).condition(|s| s.slop(4.0));
    line(1.0).block(|s| s.slopes());
    line::Values::default().slop(1.0);
    line::Values::default().y(1.0);
    line::Names::default().intercept();
}

fn read(draws: line::Accessors) {
    draws.slopes();
}

fn fitted(fit: &Fit<line::Accessors>) {
    fit.slope();
    fit.slop();
}
