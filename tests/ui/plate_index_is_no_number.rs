//! A plate index selects rows; it is not a number.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn arithmetic(x: &Array1<f64>) {
    for i in plate(x) {
        factor(x[i - 1]);
    }
}

#[model]
fn cast(x: &Array1<f64>) {
    for i in plate(x) {
        factor(i as f64);
    }
}

#[model]
fn vector(x: &Array1<f64>, v: Vec<f64>) {
    for i in plate(x) {
        factor(v[i]);
    }
}

fn main() {}
