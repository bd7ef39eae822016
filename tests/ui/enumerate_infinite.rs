//! Only finitely many values can be summed over.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn m() {
    let z = sample(Normal(0, 1).enumerate());
}

fn main() {}
