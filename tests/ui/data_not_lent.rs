//! Data are lent to a model.

#![allow(unused)]

use posterior::prelude::*;

#[derive(Data)]
struct Schools {
    sigma: Array1<f64>,
}

#[model]
fn arrays(x: &Array1<f64>, n: usize, y: Obs<Array1<bool>>) {
    for i in plate(x) {
        observe(y[i], Bernoulli::logits(x[i]));
    }
}

#[model]
fn columns(d: &Schools) {
    factor(d.sigma.sum());
}

fn main() {
    let (x, y) = (array![1.0, 2.0], array![true, false]);
    arrays(x.clone(), 2, &y);
    arrays(&x, 2, y.clone());
    arrays(&x, 2, &x);
    columns(Schools { sigma: x });
}
