//! The value of a plate is an array like any other: its rows are those of the loop.

use posterior::prelude::*;

use crate::laws::{check, row, rows};

#[model]
fn value_of_a_plate(xs: &Array1<f64>, y: Obs<Array1<f64>>) {
    let b = sample(HalfNormal(1));
    let (effects, pairs, constant) = for i in plate(xs) {
        let z = sample(Normal(b, 1));
        (z * xs[i], stack([z, xs[i]]), b)
    };
    let scores = for i in plate(xs) {
        let v = sample(Normal(effects[i], b));
        v + effects.log_sum_exp()
    };
    for k in plate(y) {
        observe(y[k], Normal(pairs.t().dot(effects)[0] * scores[k] + constant.sum(), b));
    }
}

#[model]
fn value_of_a_loop(xs: &Array1<f64>, y: Obs<Array1<f64>>) {
    let b = sample(HalfNormal(1));
    let (effects, pairs, constant) = for i in plate(xs).each() {
        let z = sample(Normal(b, 1));
        (z * xs[i], stack([z, xs[i]]), b)
    };
    let scores = for i in plate(xs).each() {
        let v = sample(Normal(effects[i], b));
        v + effects.log_sum_exp()
    };
    for k in plate(y).each() {
        observe(y[k], Normal(pairs.t().dot(effects)[0] * scores[k] + constant.sum(), b));
    }
}

#[test]
fn values_of_plates_are_stacks_of_loops() {
    let (xs, y) = (row(), row().mapv(f64::sin));
    check(&value_of_a_plate(&xs, &y), &value_of_a_loop(&xs, &y));
}

#[model]
fn tables_of_plates(xs: &Array2<f64>, labels: &Array1<usize>) {
    let b = sample(HalfNormal(1));
    let table = for i in plate(xs) {
        let a = sample(Normal(b, 1));
        for j in plate(labels) {
            let z = sample(Normal(a, b));
            stack([z * xs[i][j], a, z])
        }
    };
    for j in plate(labels) {
        let own = table[labels[j]];
        let c = sample(Normal(own[1].max(), b));
        for i in plate(xs) {
            let w = sample(Normal(table[i][j][0] * c, 1));
            factor(own.softmax().sum_axis(0).dot(table[i][j]) * w + table.t()[0][j][i] * xs[i][labels[j]]);
        }
    }
}

#[model]
fn tables_of_loops(xs: &Array2<f64>, labels: &Array1<usize>) {
    let b = sample(HalfNormal(1));
    let table = for i in plate(xs).each() {
        let a = sample(Normal(b, 1));
        for j in plate(labels).each() {
            let z = sample(Normal(a, b));
            stack([z * xs[i][j], a, z])
        }
    };
    for j in plate(labels).each() {
        let own = table[labels[j]];
        let c = sample(Normal(own[1].max(), b));
        for i in plate(xs).each() {
            let w = sample(Normal(table[i][j][0] * c, 1));
            factor(own.softmax().sum_axis(0).dot(table[i][j]) * w + table.t()[0][j][i] * xs[i][labels[j]]);
        }
    }
}

#[test]
fn tables_are_read_by_plates_in_another_order() {
    let (xs, labels) = (rows(), array![0, 2, 1, 2, 0, 1]);
    check(&tables_of_plates(&xs, &labels), &tables_of_loops(&xs, &labels));
}
