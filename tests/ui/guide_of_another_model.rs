//! A guide approximates the model that it names.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    observe(y, Normal(slope, 1));
}

#[model]
fn curve(y: Obs<f64>) {
    let bend = sample(Normal(0, 1));
    observe(y, Normal(bend, 1));
}

#[guide(curve)]
fn family() {
    let bend = sample(Normal(param(0.0), 1));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = line(1.0);
    let fit = Svi::new(family(), Adam::new(0.1)).run(&model)?;
    println!("{:?}", fit.params());
    let fit = Svi::new(line(1.0), Adam::new(0.1)).run(&model)?;
    println!("{:?}", fit.params());
    let svi = Svi::new(family(), Adam::new(0.1));
    let mut state = svi.start(&model)?;
    state.step()?;
    state.step_on(&model)?;
    println!("{:?}", state.finish()?.params());
    Ok(())
}
