//! Broadcast: repeats a value along plates and event axes that it lacks.

use smallvec::SmallVec;

use crate::kernels::elementwise::strided::{MAX_RANK, Walk};
use crate::ops::align::refuse;
use crate::ops::strided::{Strided, Walked};
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Repeats the operand; the attributes are its shape and that of the output after joining axes, both of one rank.
pub struct Broadcast;

/// Records `x` with the plates `dims`, a superset of its own, and the event shape `event`, which its own broadcasts to.
#[track_caller]
pub fn broadcast_to<'t>(tape: &'t Tape, x: Var<'t>, dims: &[u32], event: &[usize]) -> Var<'t> {
    let (own_dims, own_event) = (x.dims(), x.event_shape());
    if broadcast(&own_event, event).as_deref() != Some(event) {
        let message = "the shape does not broadcast to the other";
        return refuse("broadcast", &[x], &[event], message);
    }
    let lead = event.len() - own_event.len();
    let mut joined = Joined::default();
    for &d in dims {
        let n = tape.dim(d).len;
        joined.push(if own_dims.contains(&d) { n } else { 1 }, n);
    }
    for (axis, &n) in event.iter().enumerate() {
        joined.push(if axis < lead { 1 } else { own_event[axis - lead] }, n);
    }
    if joined.own == joined.out {
        return tape.alias(x, dims, event);
    }
    if joined.out.len() > MAX_RANK {
        return refuse(
            "broadcast",
            &[x],
            &[event],
            "the value would be repeated along too many separate axes",
        );
    }
    let attrs: SmallVec<[u64; 12]> = joined.own.iter().chain(&joined.out).map(|&n| n as u64).collect();
    tape.record(Strided::<Broadcast>::DEF, &[x], &attrs, dims, event, 0)
}

/// Two shapes of one rank in which neighbouring axes are joined where both are repeated or both are not.
#[derive(Default)]
struct Joined {
    own: Shape,
    out: Shape,
}

impl Joined {
    fn push(&mut self, own: usize, out: usize) {
        match (self.own.last_mut(), self.out.last_mut()) {
            _ if out == 1 => {}
            (Some(last_own), Some(last_out)) if (*last_own == *last_out) == (own == out) => {
                *last_own = last_own.saturating_mul(own);
                *last_out = last_out.saturating_mul(out);
            }
            _ => {
                self.own.push(own);
                self.out.push(out);
            }
        }
    }
}

impl Walked for Broadcast {
    const NAME: &'static str = "broadcast";

    fn walk(first: &[usize], second: &[usize]) -> Walk {
        Walk::broadcast(first, second)
    }
}

impl<'t> Var<'t> {
    /// Repeats the value to the event shape `shape`; shapes align at their last axes.
    #[track_caller]
    pub fn broadcast(self, shape: &[usize]) -> Var<'t> {
        let own = self.event_shape();
        if broadcast(&own, shape).as_deref() != Some(shape) {
            return refuse(
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

#[cfg(test)]
op_tests! { scalars |x| x[0].broadcast(&[2, 3]); [1.5] }
#[cfg(test)]
op_tests! { rows |x| x[0].broadcast(&[3, 2]); [[1.0, -2.0]], [[[1.0, 3.0]]] }
#[cfg(test)]
op_tests! { columns |x| x[0].broadcast(&[2, 2, 3]); [[[1.0], [-2.0]]] }
#[cfg(test)]
op_tests! { in_between |x| x[0].broadcast(&[2, 3, 2]); [[[[1.0, -2.0]], [[0.5, 3.0]]]] }
