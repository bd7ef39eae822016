//! Checks of distributions whose draws are rows.

use crate::distributions::noise::Noise;
use crate::ops::sum::SumTerm;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use crate::testing::dist_check::kolmogorov_smirnov;
use crate::testing::op_check::compare;

/// Checks the fused term against the sum of the rows, value and gradient; with each parameter stands its shape.
pub fn elements_equal_terms(
    x: &[f64],
    shape: &[usize],
    params: &[(&[usize], &[f64])],
    each: for<'t> fn(Var<'t>, &[Var<'t>]) -> Var<'t>,
    term: for<'t> fn(&'t Tape, Var<'t>, &[Var<'t>]),
) {
    let run = |fused: bool| {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let value = tape.input(0, &[], shape, x, false);
        let mut at = x.len();
        let mut vars = Vec::new();
        for (shape, values) in params {
            vars.push(tape.input(at, &[], shape, values, false));
            at += values.len();
        }
        if fused {
            term(&tape, value, &vars);
        } else {
            tape.term(SumTerm::DEF, &[each(value, &vars)], &[], 0, 1.0, 0);
        }
        (tape.log_density(), gradient(&tape))
    };
    let ((fused, d_fused), (sum, d_sum)) = (run(true), run(false));
    compare("the fused term and the sum", &[fused], &[sum], 1e-13, 1.0, &[]);
    compare("their gradients", &d_fused, &d_sum, 1e-12, 1.0, &[]);
}

/// Returns the elements of `n` draws of vectors of length `k`.
pub fn draws_of(n: usize, k: usize, draw: impl for<'t> Fn(&Noise<'t>) -> Var<'t>) -> Vec<f64> {
    let tape = Tape::new(Precision::F64, Key::new(5));
    draw(&Noise {
        tape: &tape,
        stream: 3,
        dims: Default::default(),
        event: Shape::from_slice(&[n, k]),
    })
    .elements()
}

/// Returns the p-value of numbers against a distribution function.
pub fn p_value_of(mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    kolmogorov_smirnov(&mut x, cdf)
}
