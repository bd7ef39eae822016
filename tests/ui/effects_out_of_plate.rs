//! The body of a plate runs once, so it has no effect per row.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn assigns(x: &Array1<f64>) {
    let mut total = Var::from(0.0);
    let mut last = Var::from(0.0);
    for i in plate(x) {
        let mut own = x[i];
        own += 1.0;
        total += own;
        last *= 2.0;
    }
    factor(total + last);
}

#[model]
fn jumps(x: &Array1<f64>) -> f64 {
    for i in plate(x) {
        if true {
            break;
        }
        for k in 0..3 {
            if k == 1 {
                continue;
            }
        }
        return 1.0;
    }
    0.0
}

#[model]
fn jumps_far(x: &Array1<f64>) {
    'outer: for k in 0..3 {
        for i in plate(x) {
            continue 'outer;
        }
    }
}

fn main() {}
