//! Softmax along the last event axis.

use crate::kernels::real::Real;
use crate::kernels::reduce::softmax::{softmax, softmax_adjoint};
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Works on rows as long as attribute 0.
struct Softmax;

impl Op for Softmax {
    const NAME: &'static str = "softmax";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        softmax(call.attr(0) as usize, call.x(0), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (y, d_out) = (call.y(), call.d_out());
        if let Some(d_x) = call.grad(0) {
            softmax_adjoint(call.attr(0) as usize, y, d_out, d_x.slice, d_x.overwrite);
        }
    }
}

impl<'t> Var<'t> {
    /// Returns exp(xⱼ) / Σₖ exp(xₖ) along the last event axis, without overflow: x: `[…, n]` gives `[…, n]`.
    #[track_caller]
    pub fn softmax(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.last()) {
            (Some(tape), Some(&n)) => tape.record(Softmax::DEF, &[self], &[n as u64], &self.dims(), &event, 0),
            _ => refuse("softmax", &[self], &[], "a scalar has no last axis"),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].softmax(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [[3.0]], [[800.0, 799.0]] }
