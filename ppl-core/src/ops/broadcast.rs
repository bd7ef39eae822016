//! Broadcast: repeats a value along plates and event axes that it lacks.

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// Repeats the operand; the attributes are its shape, padded with ones to the rank of the output.
pub struct Broadcast;

/// Records `x` with the plates `dims`, a superset of its own, and the event shape `event`, which its own broadcasts to.
pub fn broadcast_to<'t>(tape: &'t Tape, x: Var<'t>, dims: &[u32], event: &[usize]) -> Var<'t> {
    let (own_dims, own_event) = (x.dims(), x.event_shape());
    let mut own = Shape::new();
    let mut out = Shape::new();
    for &d in dims {
        let n = tape.dim(d).len;
        own.push(if own_dims.contains(&d) { n } else { 1 });
        out.push(n);
    }
    own.extend(std::iter::repeat_n(1, event.len() - own_event.len()));
    own.extend_from_slice(&own_event);
    out.extend_from_slice(event);
    if size(&own) == size(&out) {
        return tape.alias(x, dims, event);
    }
    let attrs: Vec<u64> = own.iter().map(|&n| n as u64).collect();
    tape.record(Broadcast::DEF, &[x], &attrs, dims, event, 0)
}

impl Op for Broadcast {
    const NAME: &'static str = "broadcast";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        each(call.attrs(), call.out_shape(), |i, o| out[o] = x[i]);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            each(call.attrs(), call.out_shape(), |i, o| d_x[i] += d_out[o]);
        }
    }
}

/// Calls `f` with the position in the operand for each position in the output.
fn each(own: &[u64], out: &[usize], mut f: impl FnMut(usize, usize)) {
    let mut strides = Shape::from_elem(0, out.len());
    let mut stride = 1;
    for axis in (0..out.len()).rev() {
        if own[axis] as usize == out[axis] {
            strides[axis] = stride;
        }
        stride *= own[axis] as usize;
    }
    let mut position = Shape::from_elem(0, out.len());
    for o in 0..size(out) {
        f(position.iter().zip(&strides).map(|(p, s)| p * s).sum(), o);
        for axis in (0..out.len()).rev() {
            position[axis] += 1;
            if position[axis] < out[axis] {
                break;
            }
            position[axis] = 0;
        }
    }
}
