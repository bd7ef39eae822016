//! The attributes take a model and a crate, nothing else.

#![allow(unused)]

use posterior::prelude::*;

#[model(fast)]
fn a() {}

#[guide]
fn b() {}


fn main() {}
