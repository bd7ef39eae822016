//! The sum over the event axes or one of them, and the sum that is a term of the log density.

use crate::kernels::real::Real;
use crate::kernels::reduce::sums::{sum_cols, sum_f64, sum_rows};
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Sums rows: the output's length is the number of rows.
struct Sum;

impl Op for Sum {
    const NAME: &'static str = "sum";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = x.len().checked_div(out.len()).unwrap_or(0);
        sum_rows(n, x, out, true);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        if let Some(d_x) = call.grad(0) {
            let n = d_x.slice.len().checked_div(d_out.len()).unwrap_or(0).max(1);
            for (d_x_row, &d) in d_x.slice.chunks_exact_mut(n).zip(d_out) {
                if d_x.overwrite {
                    d_x_row.fill(d);
                } else {
                    d_x_row.iter_mut().for_each(|d_x| *d_x += d);
                }
            }
        }
    }
}

/// Sums along an axis that others follow; the attributes are its length and the number of elements inside of it.
struct SumAxis;

impl Op for SumAxis {
    const NAME: &'static str = "sum_axis";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let (n, inner) = (call.attr(0) as usize, call.attr(1) as usize);
        for (row, out) in out.chunks_exact_mut(inner.max(1)).enumerate() {
            sum_cols(n, &x[row * n * inner..][..n * inner], out, true);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let (n, inner) = (call.attr(0) as usize, call.attr(1) as usize);
        if let Some(d_x) = call.grad(0) {
            let inner = inner.max(1);
            for (k, d_x_row) in d_x.slice.chunks_exact_mut(inner).enumerate() {
                let d_out = &d_out[k / n * inner..][..inner];
                if d_x.overwrite {
                    d_x_row.copy_from_slice(d_out);
                } else {
                    d_x_row.iter_mut().zip(d_out).for_each(|(d_x, &d)| *d_x += d);
                }
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the sum over all event axes: Σᵢ xᵢ. Inside a plate each row has its own.
    pub fn sum(self) -> Var<'t> {
        let event = self.event_shape();
        match self.tape() {
            Some(tape) if size(&event) != 1 => tape.record(Sum::DEF, &[self], &[], &self.dims(), &[], 0),
            Some(tape) if !event.is_empty() => tape.alias(self, &self.dims(), &[]),
            _ => self,
        }
    }

    /// Returns the sum along event axis `axis`, which the result no longer has.
    ///
    /// For axis 0, x: `[m, n]` gives Σᵢ xᵢⱼ: `[n]`. Inside a plate each row has its own.
    #[track_caller]
    pub fn sum_axis(self, axis: usize) -> Var<'t> {
        let mut event = self.event_shape();
        let Some(&n) = event.get(axis) else {
            return refuse("sum_axis", &[self], &[], &format!("there is no axis {axis}"));
        };
        let Some(tape) = self.tape() else { return self };
        let inner = size(&event[axis + 1..]);
        event.remove(axis);
        if n == 1 {
            return tape.alias(self, &self.dims(), &event);
        }
        if inner == 1 {
            return tape.record(Sum::DEF, &[self], &[], &self.dims(), &event, 0);
        }
        tape.record(
            SumAxis::DEF,
            &[self],
            &[n as u64, inner as u64],
            &self.dims(),
            &event,
            0,
        )
    }
}

/// The sum of all elements, plates included, as a term of the log density.
pub struct SumTerm;

impl Op for SumTerm {
    const NAME: &'static str = "sum_term";
    const ROLE: Role = Role::Sink;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let total = sum_f64(call.x(0));
        call.set_term(total);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        Self::forward(call);
        let weight = call.weight();
        if let Some(mut d_x) = call.grad(0) {
            for i in 0..d_x.slice.len() {
                d_x.put(i, weight);
            }
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].sum(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [2.0], [[3.0]] }
#[cfg(test)]
op_tests! { first_axis |x| x[0].sum_axis(0);
[[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]], [[[1.0, 2.0]]] }
#[cfg(test)]
op_tests! { middle_axis |x| x[0].reshape(&[2, 3, 2]).sum_axis(1); [Arg::random(&[12], 1)] }
#[cfg(test)]
op_tests! { last_axis |x| x[0].sum_axis(1); [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]] }
