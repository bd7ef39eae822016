//! Words are refused where they cannot be given their meaning.

#![allow(unused)]

use posterior::prelude::*;

macro_rules! weird {
    ($x:pat => $e:expr) => {
        $e
    };
}

#[model]
fn in_macro() {
    let a = weird!(q => sample("a", Normal(0, 1)));
}

#[model]
fn plate_in_closure(x: &Array1<f64>) {
    let f = || {
        for i in plate(x) {
            factor(x[i]);
        }
    };
    f();
}

#[model]
fn plate_as_value(x: &Array1<f64>) {
    let rows = plate(x);
    let steps = plate(x).each();
}

#[model]
fn odd_settings(x: &Array1<f64>) {
    for i in plate(x, size = 3) {
        factor(x[i]);
    }
    for j in plate(x).rev() {
        factor(x[j]);
    }
    for _ in plate(x) {
        factor(1.0);
    }
}

#[model]
fn in_async() {
    let later = async { sample("a", Normal(0, 1)) };
}

fn main() {}
