//! The attributes take a model and a crate, nothing else.

use posterior::prelude::*;

#[model(fast)]
fn a() {}

#[guide]
fn b() {}

#[guide(missing)]
fn c() {}

fn main() {}
