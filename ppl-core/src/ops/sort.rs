//! The elements of each row in ascending order.

use std::cmp::Ordering;

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::testing::ops::op_tests;

/// Works on rows as long as attribute 0.
struct Sort;

impl Op for Sort {
    const NAME: &'static str = "sort";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = (call.attr(0) as usize).max(1);
        out.copy_from_slice(x);
        for row in out.chunks_exact_mut(n) {
            row.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        }
    }

    /// An element's adjoint is that of its rank: the number of smaller elements, and of equal ones before it.
    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, d_out) = (call.x(0), call.d_out());
        let n = (call.attr(0) as usize).max(1);
        if let Some(mut d_x) = call.grad(0) {
            for (row, (x, d_out)) in x.chunks_exact(n).zip(d_out.chunks_exact(n)).enumerate() {
                for j in 0..n {
                    let before = |k: &usize| x[*k] < x[j] || (x[*k] == x[j] && *k < j);
                    d_x.put(row * n + j, d_out[(0..n).filter(before).count()]);
                }
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the elements in ascending order along the last event axis: x: […, n] gives […, n].
    #[track_caller]
    pub fn sort(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.last()) {
            (Some(tape), Some(&n)) => tape.record(Sort::DEF, &[self], &[n as u64], &self.dims(), &event, 0),
            _ => refuse("sort", &[self], &[], "a scalar has no last axis"),
        }
    }
}

op_tests! { |x| x[0].sort(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [[3.0]], [[2.0, 5.0, 1.0, 0.0]] }
