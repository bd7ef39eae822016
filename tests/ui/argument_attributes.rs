//! An argument keeps `cfg` and lints; other attributes have no meaning there.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn renamed(#[doc(alias = "data")] x: &Array1<f64>) {}

#[model]
fn opaque(#[cfg(all())] x: impl Into<f64> + Clone) {}

fn main() {}
