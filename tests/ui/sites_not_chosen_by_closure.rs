//! Handlers take closures that name sites.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn line(y: Obs<f64>) {
    let slope = sample(Normal(0, 1));
    let level = sample(Normal(0, 1));
    observe(y, Normal(slope + level, 1));
}

fn main() {
    line(1.0).block("slope");
    line(1.0).scale(("slope", "level"), 0.5);
    line(1.0).mask(|s| (s.slope(), s.level()), 1.0);
    line(1.0).block(|s| ["slope", "level"]);
    line(1.0).condition(("slope", 1.0));
    line(1.0).do_(|s| (s.slope(1.0), s.level(2.0)));
}
