//! A guide names its model.

#![allow(unused)]

use posterior::prelude::*;

#[guide(missing)]
fn family() {
    let mu = sample(Normal(0, 1));
}

fn main() {}
