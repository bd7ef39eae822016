//! The opposite order of elements along an axis.

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Takes the elements along an axis from its end; the attributes are its length and the number of elements inside of it.
struct Reverse;

impl Op for Reverse {
    const NAME: &'static str = "reverse";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let (n, inner) = (call.attr(0) as usize, call.attr(1) as usize);
        for (to, out) in out.chunks_exact_mut(inner.max(1)).enumerate() {
            out.copy_from_slice(&x[mirrored(to, n) * inner..][..inner]);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let (n, inner) = (call.attr(0) as usize, call.attr(1) as usize);
        if let Some(d_x) = call.grad(0) {
            for (to, d_x_row) in d_x.slice.chunks_exact_mut(inner.max(1)).enumerate() {
                let d_out = &d_out[mirrored(to, n) * inner..][..inner];
                if d_x.overwrite {
                    d_x_row.copy_from_slice(d_out);
                } else {
                    d_x_row.iter_mut().zip(d_out).for_each(|(d_x, &d)| *d_x += d);
                }
            }
        }
    }
}

/// Returns which row stands opposite to row `row`, counted through all blocks of n.
#[inline(always)]
fn mirrored(row: usize, n: usize) -> usize {
    row / n * n + n - 1 - row % n
}

impl<'t> Var<'t> {
    /// Returns the elements along the first event axis in the opposite order, as a slice with step −1 does in Python.
    ///
    /// ```
    /// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
    /// # let tape = Tape::new(Precision::F64, Key::new(1));
    /// let x = tape.input(0, &[], &[3], &[1.0, 2.0, 3.0], false);
    /// assert_eq!(x.rev()[0].value(), 3.0);
    /// assert_eq!(x[1..].rev()[1].value(), 2.0);
    /// ```
    #[track_caller]
    pub fn rev(self) -> Var<'t> {
        self.rev_axis(0)
    }

    /// Returns the elements along event axis `axis` in the opposite order.
    #[track_caller]
    pub fn rev_axis(self, axis: usize) -> Var<'t> {
        let event = self.event_shape();
        let (Some(tape), Some(&n)) = (self.tape(), event.get(axis)) else {
            return refuse("reverse", &[self], &[], &format!("there is no axis {axis}"));
        };
        if n <= 1 {
            return self;
        }
        let inner = size(&event[axis + 1..]) as u64;
        tape.record(Reverse::DEF, &[self], &[n as u64, inner], &self.dims(), &event, 0)
    }
}

#[cfg(test)]
op_tests! { vectors |x| x[0].rev(); [[1.0, -2.0, 0.5]], [[3.0]] }
#[cfg(test)]
op_tests! { rows |x| x[0].rev(); [[[1.0, -2.0], [0.5, 3.0], [2.5, -1.0]]] }
#[cfg(test)]
op_tests! { columns |x| x[0].rev_axis(1) * x[0]; [[[1.0, -2.0, 4.0], [0.5, 3.0, 5.0]]] }
#[cfg(test)]
op_tests! { middle_axis |x| x[0].reshape(&[2, 3, 2]).rev_axis(1); [Arg::random(&[12], 1)] }
