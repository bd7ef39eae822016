//! Concatenation along the first event axis, and stacking along an axis made for it.

use smallvec::SmallVec;

use crate::kernels::real::Real;
use crate::ops::align::{refuse, tape_of};
use crate::ops::broadcast::broadcast_to;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::dims::{Dims, union};
use crate::tensor::shape::{Shape, size};
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Puts the rows of all operands behind one another, for each row of the plates; attribute k is the length of a row of
/// operand k.
struct Concat;

impl Op for Concat {
    const NAME: &'static str = "concat";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let out = call.out();
        let width = width(call);
        let mut at = 0;
        for k in 0..call.n_args() {
            let n = call.attr(k) as usize;
            if n > 0 {
                for (out, x) in out.chunks_exact_mut(width).zip(call.x(k).chunks_exact(n)) {
                    out[at..at + n].copy_from_slice(x);
                }
            }
            at += n;
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let width = width(call);
        let mut at = 0;
        for k in 0..call.n_args() {
            let n = call.attr(k) as usize;
            if let Some(mut d_x) = call.grad(k)
                && n > 0
            {
                for (row, d_out) in d_out.chunks_exact(width).enumerate() {
                    d_out[at..at + n]
                        .iter()
                        .enumerate()
                        .for_each(|(i, &d)| d_x.put(row * n + i, d));
                }
            }
            at += n;
        }
    }
}

fn width<F: Real>(call: &Call<'_, F>) -> usize {
    (call.attrs().iter().sum::<u64>() as usize).max(1)
}

/// Returns the values behind one another along the first event axis: `[n₀, …]`, `[n₁, …]`, … give `[n₀ + n₁ + …, …]`.
///
/// A scalar counts as a vector of one element. Inside a plate each row has its own.
#[track_caller]
pub fn concat<'t>(parts: &[Var<'t>]) -> Var<'t> {
    let vectors: SmallVec<[Var<'t>; 8]> = parts
        .iter()
        .map(|&x| {
            if x.event_shape().is_empty() {
                with_axis(x, parts)
            } else {
                x
            }
        })
        .collect();
    join("concat", parts, &vectors)
}

/// Returns the values of one shape along an axis of their own in front: n values `[m, …]` give `[n, m, …]`.
#[track_caller]
pub fn stack<'t>(parts: &[Var<'t>]) -> Var<'t> {
    let rows: SmallVec<[Var<'t>; 8]> = parts.iter().map(|&x| with_axis(x, parts)).collect();
    join("stack", parts, &rows)
}

/// Returns `x` with an axis of length one in front.
fn with_axis<'t>(x: Var<'t>, parts: &[Var<'t>]) -> Var<'t> {
    let mut event = Shape::from_slice(&[1]);
    event.extend_from_slice(&x.event_shape());
    tape_of(parts).map_or(x, |tape| tape.alias(x, &x.dims(), &event))
}

#[track_caller]
fn join<'t>(op: &'static str, parts: &[Var<'t>], vectors: &[Var<'t>]) -> Var<'t> {
    let Some(tape) = tape_of(parts) else {
        let message = "of numbers alone no array is made: give the model an array as argument, or let one of the values depend on a site";
        return if parts.len() == 1 {
            parts[0]
        } else {
            refuse(op, parts, &[], message)
        };
    };
    let rest = Shape::from_slice(&vectors[0].event_shape()[1..]);
    if vectors.iter().any(|x| x.event_shape()[1..] != rest[..]) {
        return refuse(op, parts, &[], "the shapes differ");
    }
    let dims = vectors.iter().fold(Dims::new(), |dims, x| union(&dims, &x.dims()));
    let args: SmallVec<[Var<'t>; 8]> = vectors
        .iter()
        .map(|&x| broadcast_to(tape, x, &dims, &x.event_shape()))
        .collect();
    let attrs: SmallVec<[u64; 8]> = vectors.iter().map(|x| size(&x.event_shape()) as u64).collect();
    let mut event = Shape::from_slice(&[vectors.iter().map(|x| x.event_shape()[0]).sum()]);
    event.extend_from_slice(&rest);
    tape.record(Concat::DEF, &args, &attrs, &dims, &event, 0)
}

#[cfg(test)]
op_tests! { vectors |x| concat(&[x[0], x[1], x[0]]); [[1.0, 2.0], [3.0, 4.0, 5.0]], [1.0, [3.0, 4.0]] }
#[cfg(test)]
op_tests! { matrices |x| concat(x); [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]] }
#[cfg(test)]
op_tests! { stacked |x| stack(&[x[0], x[1], x[1] * 2]); [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0] }
