//! Arms that share a name draw from the same set.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn arms(flag: bool) {
    let w = if flag { sample(Normal(0, 1)) } else { sample(HalfNormal(1)) };
}

fn main() {}
