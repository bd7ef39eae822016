//! A struct of columns: fields are data, and models check each as they check an argument.

#![allow(unused)]

use posterior::prelude::*;

struct Link;

#[derive(Data)]
struct NoColumn {
    x: Array1<f64>,
    link: Link,
}

#[derive(Data)]
struct NotCloned {
    x: Array1<f64>,
    #[data(structure)]
    link: Link,
}

#[derive(Data)]
struct WrongOption {
    #[data(fixed)]
    x: Array1<f64>,
}

#[derive(Data)]
struct OnlyStructure {
    n: usize,
}

#[derive(Data)]
struct Tuple(Array1<f64>, Obs<Array1<f64>>);

#[derive(Data)]
enum Choice {
    One(Array1<f64>),
}

#[derive(Data)]
struct Schools {
    sigma: Array1<f64>,
    effect: Obs<Array1<f64>>,
    is_open: Obs<Vec<bool>>,
}

#[model]
fn wrong_kind(d: &Schools) {
    for j in plate(d.sigma) {
        observe(d.effect[j], Bernoulli::probs(0.5));
        observe(d.is_open[j], Normal(0, d.sigma[j]));
    }
}

#[model]
fn unknown_column(d: &Schools) {
    for j in plate(d.sigma) {
        observe(d.efect[j], Normal(0, 1));
    }
}

#[model]
fn over_the_struct(d: &Schools) {
    for j in plate(d) {
        factor(d.sigma[j]);
    }
}

fn main() {}
