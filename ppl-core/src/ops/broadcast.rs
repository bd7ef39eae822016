//! Broadcast: repeats a value along plates and event axes that it lacks.

use crate::kernels::real::Real;
use crate::ops::walk::{strides, walk};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};
use crate::testing::ops::op_tests;

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
        let runs = Runs::of(call);
        runs.each(|i, o| {
            let out = &mut out[o..o + runs.len];
            if runs.is_fill {
                out.fill(x[i]);
            } else {
                out.copy_from_slice(&x[i..i + runs.len]);
            }
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let runs = Runs::of(call);
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            runs.each(|i, o| {
                let d_out = &d_out[o..o + runs.len];
                if runs.is_fill {
                    d_x[i] += d_out.iter().copied().sum();
                } else {
                    d_x[i..i + runs.len]
                        .iter_mut()
                        .zip(d_out)
                        .for_each(|(d_x, &d)| *d_x += d);
                }
            });
        }
    }
}

/// The output cut into runs that repeat one element, or that copy neighbours.
struct Runs<'a> {
    own: &'a [u64],
    outer: &'a [usize],
    is_fill: bool,
    len: usize,
}

impl<'a> Runs<'a> {
    fn of<F: Real>(call: &Call<'a, F>) -> Self {
        let (own, out) = (call.attrs(), call.out_shape());
        let is_repeated = |axis: usize| own[axis] as usize != out[axis];
        let is_fill = is_repeated(out.len() - 1);
        let rank = (0..out.len())
            .rev()
            .find(|&axis| is_repeated(axis) != is_fill && out[axis] != 1)
            .map_or(0, |a| a + 1);
        let (outer, inner) = out.split_at(rank);
        Runs {
            own,
            outer,
            is_fill,
            len: size(inner),
        }
    }

    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize)) {
        let unit = if self.is_fill { 1 } else { self.len };
        let from = strides(self.outer, unit, |axis| self.own[axis] as usize == self.outer[axis]);
        let to = strides(self.outer, self.len, |_| true);
        walk(self.outer, &[from, to], |[i, o]| f(i, o));
    }
}

impl<'t> Var<'t> {
    /// Repeats the value to the event shape `shape`; shapes align at their last axes.
    #[track_caller]
    pub fn broadcast(self, shape: &[usize]) -> Var<'t> {
        let own = self.event_shape();
        if crate::tensor::shape::broadcast(&own, shape).as_deref() != Some(shape) {
            return crate::ops::align::refuse(
                "broadcast",
                &[self],
                &[shape],
                "the shape does not broadcast to the other",
            );
        }
        match self.tape() {
            Some(tape) if own.as_slice() != shape => broadcast_to(tape, self, &self.dims(), shape),
            _ => self,
        }
    }
}

op_tests! { scalars |x| x[0].broadcast(&[2, 3]); [1.5] }
op_tests! { rows |x| x[0].broadcast(&[3, 2]); [[1.0, -2.0]], [[[1.0, 3.0]]] }
op_tests! { columns |x| x[0].broadcast(&[2, 2, 3]); [[[1.0], [-2.0]]] }
