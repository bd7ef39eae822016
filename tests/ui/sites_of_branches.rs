//! What follows a branch meets the sites of all its arms, and of all ways that lead there.

#![allow(unused)]

use posterior::prelude::*;

#[model]
fn then(flag: bool) {
    let a = if flag { sample("w", Normal(0, 1)) } else { sample("v", Normal(0, 1)) };
    let w = sample(Normal(a, 1));
}

#[model]
fn otherwise(flag: bool) {
    let a = if flag { sample("w", Normal(0, 1)) } else { sample("v", Normal(0, 1)) };
    let v = sample(Normal(a, 1));
}

#[model]
fn then_without_else(flag: bool) {
    if flag {
        let w = sample(Normal(0, 1));
    }
    let w = sample(Normal(0, 1));
}

#[model]
fn else_if(k: usize) {
    if k == 0 {
        let u = sample(Normal(0, 1));
    } else if k == 1 {
        let v = sample(Normal(0, 1));
    } else {
        let w = sample(Normal(0, 1));
    }
    let v = sample(Normal(0, 1));
}

#[model]
fn arms(k: usize) {
    let a = match k {
        0 => sample("u", Normal(0, 1)),
        1 => sample("v", Normal(0, 1)),
        _ => sample("w", Normal(0, 1)),
    };
    let u = sample(Normal(a, 1));
    let v = sample(Normal(a, 1));
    let w = sample(Normal(a, 1));
}

#[model]
fn nested(k: usize, flag: bool) {
    match k {
        0 => {
            if flag {
                let w = sample(Normal(0, 1));
            }
        }
        _ => {}
    }
    let w = sample(Normal(0, 1));
}

#[model]
fn guard_and_condition(k: Option<usize>) {
    match k {
        Some(0) if sample("w", Bernoulli::probs(0.5)).is_true() => {}
        _ => {}
    }
    if let (Some(_), true) = (k, sample("v", Bernoulli::probs(0.5)).is_true()) {}
    let v = sample(Normal(0, 1));
}

#[model]
fn while_and_loop(n: usize) {
    let mut k = 0;
    while sample("u", Bernoulli::probs(0.5)).is_true() {
        let v = sample(Normal(0, 1));
    }
    loop {
        let w = sample(Normal(0, 1));
        if k == n {
            break;
        }
        k += 1;
    }
    let u = sample(Normal(0, 1));
    let v = sample(Normal(0, 1));
    let w = sample(Normal(0, 1));
}

#[model]
fn jumps(n: usize) {
    for k in 0..n {
        if k == 1 {
            let w = sample(Normal(0, 1));
            break;
        }
        if k == 2 {
            let v = sample(Normal(0, 1));
            continue;
        }
    }
    let v = sample(Normal(0, 1));
    let w = sample(Normal(0, 1));
}

#[model]
fn labelled(flag: bool) {
    let a = 'a: {
        if flag {
            break 'a sample("w", Normal(0, 1));
        }
        Var::from(0.0)
    };
    let w = sample(Normal(a, 1));
}

#[model]
fn closure(flag: bool) {
    let draw = |x: Var| {
        if flag {
            return sample("w", Normal(x, 1));
        }
        x
    };
    let w = sample(Normal(draw(Var::from(0.0)), 1));
}

#[model]
fn closure_after(flag: bool) {
    let w = sample(Normal(0, 1));
    let draw = |x: f64| sample("w", Normal(x, 1));
}

#[model]
fn shadowed() {
    let w = sample(Normal(0, 1));
    let w = w * 2.0;
    let w = sample(Normal(w, 1));
}

#[model]
fn question(text: String) {
    let w = sample(Normal(text.parse::<f64>()?, 1));
    let w = sample(Normal(0, 1));
}

#[model]
fn in_a_returning_arm(flag: bool) {
    if flag {
        let w = sample(Normal(0, 1));
        let w = sample(Normal(0, 1));
        return;
    }
}

#[model]
fn before_a_returning_arm(flag: bool) {
    let w = sample(Normal(0, 1));
    let Some(k) = flag.then_some(1) else {
        let w = sample(Normal(0, 1));
        return;
    };
}

#[model]
fn in_macros() {
    let pair = vec![sample("w", Normal(0, 1)), sample("v", Normal(0, 1))];
    let v = sample(Normal(0, 1));
}

fn main() {}
