//! Values behind one another along an event axis, as one operation.

use smallvec::SmallVec;

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::ops::broadcast::broadcast_to;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::{Dims, union};
use crate::tensor::shape::{Shape, size};

/// Puts the rows of all operands behind one another, for each row of the plates and of the axes in front; attribute k is the
/// length of a row of operand k.
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

/// Returns the values behind one another along event axis `axis`; the others have to agree.
#[track_caller]
pub fn concat_on<'t>(tape: &'t Tape, parts: &[Var<'t>], axis: usize) -> Var<'t> {
    join(tape, "concat", parts, parts, axis)
}

/// Returns values of one shape along an axis of their own in front.
#[track_caller]
pub fn stack_on<'t>(tape: &'t Tape, parts: &[Var<'t>]) -> Var<'t> {
    let rows: SmallVec<[Var<'t>; 8]> = parts.iter().map(|&x| with_axis(tape, x)).collect();
    join(tape, "stack", parts, &rows, 0)
}

/// Returns `x` with an axis of length one in front.
pub fn with_axis<'t>(tape: &'t Tape, x: Var<'t>) -> Var<'t> {
    let mut event = Shape::from_slice(&[1]);
    event.extend_from_slice(&x.event_shape());
    tape.alias(tape.lift(x), &x.dims(), &event)
}

/// Joins `arrays` along an axis; `parts` are what they were made of, for the error.
#[track_caller]
fn join<'t>(tape: &'t Tape, op: &'static str, parts: &[Var<'t>], arrays: &[Var<'t>], axis: usize) -> Var<'t> {
    let shapes: SmallVec<[Shape; 8]> = arrays.iter().map(|x| x.event_shape()).collect();
    let Some(first) = shapes.first() else {
        return tape.constant_array(&[0], std::iter::empty());
    };
    if axis >= first.len() {
        return refuse(op, parts, &[], &format!("there is no axis {axis}"));
    }
    let without = |shape: &Shape| -> Shape { shape[..axis].iter().chain(&shape[axis + 1..]).copied().collect() };
    if shapes
        .iter()
        .any(|shape| shape.len() != first.len() || without(shape) != without(first))
    {
        return refuse(op, parts, &[], "the shapes differ");
    }
    let dims = arrays.iter().fold(Dims::new(), |dims, x| union(&dims, &x.dims()));
    let args: SmallVec<[Var<'t>; 8]> = arrays
        .iter()
        .zip(&shapes)
        .map(|(&x, shape)| broadcast_to(tape, x, &dims, shape))
        .collect();
    let attrs: SmallVec<[u64; 8]> = shapes.iter().map(|shape| size(&shape[axis..]) as u64).collect();
    let mut event = first.clone();
    event[axis] = shapes.iter().map(|shape| shape[axis]).sum();
    tape.record(Concat::DEF, &args, &attrs, &dims, &event, 0)
}
