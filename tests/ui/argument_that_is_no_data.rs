//! A borrowed argument is an array of numbers, an owned one can be copied.

#![allow(unused)]

use posterior::prelude::*;

struct Config;

#[model]
fn borrowed(config: &Config) {}

#[model]
fn text(names: &Vec<String>) {}

#[model]
fn owned(config: Config) {}

#[model]
fn mutable(x: &mut Array1<f64>) {}

#[model]
fn bare(y: Obs) {}

fn main() {}
