//! A model is a free function with a plain signature.

#![allow(unused)]

use posterior::prelude::*;

struct Models;

impl Models {
    #[model]
    fn method(&self) {
        let a = sample(Normal(0, 1));
    }
}

#[model]
async fn later() {}

#[model]
fn pattern((a, b): (f64, f64)) {}

#[model]
fn opaque() -> impl Sized {}

#[model]
struct Data;

fn main() {}
