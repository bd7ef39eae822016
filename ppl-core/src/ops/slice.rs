//! Slices: a range of the elements along an axis.

use std::ops::{Bound, RangeBounds};

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::{Call, Grad};
use crate::tape::missing::Step;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Copies elements `start..start + len` along an axis; the attributes are start, len, the axis' length, and the number
/// of elements inside of the axis.
struct Slice;

impl Op for Slice {
    const NAME: &'static str = "slice";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let [start, len, n, inner] = bounds(call);
        if len * inner > 0 {
            for (out, x) in out.chunks_exact_mut(len * inner).zip(x.chunks_exact(n * inner)) {
                out.copy_from_slice(&x[start * inner..][..len * inner]);
            }
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let [start, len, n, inner] = bounds(call);
        if let Some(d_x) = call.grad(0) {
            let Grad { slice: d_x, .. } = d_x.accumulator();
            if len * inner > 0 {
                for (d_out, d_x) in d_out.chunks_exact(len * inner).zip(d_x.chunks_exact_mut(n * inner)) {
                    d_x[start * inner..]
                        .iter_mut()
                        .zip(d_out)
                        .for_each(|(d_x, &d)| *d_x += d);
                }
            }
        }
    }
}

fn bounds<F: Real>(call: &Call<'_, F>) -> [usize; 4] {
    std::array::from_fn(|i| call.attr(i) as usize)
}

/// Records elements `start..start + len` of `x` along event axis `axis`, with the event shape `event`.
fn record<'t>(x: Var<'t>, axis: usize, start: usize, len: usize, event: &[usize]) -> Var<'t> {
    let Some(tape) = x.tape() else { return x };
    let own = x.event_shape();
    let attrs = [start, len, own[axis], size(&own[axis + 1..])].map(|n| n as u64);
    tape.record(Slice::DEF, &[x], &attrs, &x.dims(), event, 0)
}

/// Returns element `i` along the first event axis.
#[track_caller]
pub fn element<'t>(x: Var<'t>, i: usize) -> Var<'t> {
    let event = x.event_shape();
    match event.first() {
        None => refuse("index", &[x], &[], "a scalar has no elements"),
        Some(&n) if i >= n => {
            let array = x.tape().map(|tape| tape.called(x, "the array")).unwrap_or_default();
            let message = format!("element {i} of {array} is asked for, and its first axis has {n}, from 0 on");
            refuse("index", &[x], &[], &message)
        }
        Some(_) => record(x, 0, i, 1, &event[1..]),
    }
}

impl<'t> Var<'t> {
    /// Returns the elements of a range along the first event axis: `x.slice(1..)`, for which `x[1..]` is short.
    #[track_caller]
    pub fn slice(self, range: impl RangeBounds<usize>) -> Var<'t> {
        self.slice_axis(0, range)
    }

    /// Returns the elements of a range along event axis `axis`.
    #[track_caller]
    pub fn slice_axis(self, axis: usize, range: impl RangeBounds<usize>) -> Var<'t> {
        let x = self.tape().map_or(self, |tape| tape.filled(self));
        let mut event: Shape = x.event_shape();
        let start = match range.start_bound() {
            Bound::Included(&i) => i,
            Bound::Excluded(&i) => i.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let last = match range.end_bound() {
            Bound::Included(&i) => Some(i.saturating_add(1)),
            Bound::Excluded(&i) => Some(i),
            Bound::Unbounded => None,
        };
        let missing = x.tape().filter(|tape| axis == 0 && tape.is_missing(x));
        if let Some(tape) = missing.filter(|tape| tape.is_shapeless(x)) {
            return tape.index_missing(x, Step::Range(start, last));
        }
        let Some(&n) = event.get(axis) else {
            return refuse("slice", &[x], &[], &format!("there is no axis {axis}"));
        };
        let end = last.unwrap_or(n);
        if start > end || end > n {
            return refuse(
                "slice",
                &[x],
                &[],
                &format!("the range {start}..{end} is asked for where axis {axis} has {n}"),
            );
        }
        if let Some(tape) = missing.filter(|_| end - start < n) {
            return tape.index_missing(x, Step::Range(start, Some(end)));
        }
        if end - start == n {
            return x;
        }
        event[axis] = end - start;
        let pick = |x| record(x, axis, start, end - start, &event);
        match x.tape().filter(|tape| axis == 0 && tape.partly(x).is_some()) {
            Some(tape) => tape.index_partly(x, Step::Range(start, Some(end)), pick),
            None => pick(x),
        }
    }
}

#[cfg(test)]
op_tests! { vectors |x| x[0].slice(1..=2); [[1.0, -2.0, 0.5, 4.0]] }
#[cfg(test)]
op_tests! { rows |x| x[0].slice(1..); [[[1.0, -2.0], [0.5, 4.0], [2.0, 3.0]]] }
#[cfg(test)]
op_tests! { columns |x| x[0].slice_axis(1, ..2) * x[0].slice_axis(1, 1..); [[[1.0, -2.0, 0.5], [4.0, 2.0, 3.0]]] }
#[cfg(test)]
op_tests! { nothing |x| x[0].slice(1..1).sum() + x[0].slice(..).sum(); [[1.0, 2.0]] }
#[cfg(test)]
op_tests! { elements |x| element(x[0], 1) * element(element(x[0], 0), 1); [[[1.0, -2.0], [0.5, 4.0]]] }
