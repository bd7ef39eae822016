//! Running sums along the last event axis.

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::testing::ops::op_tests;

/// Works on rows as long as attribute 0.
struct Cumsum;

impl Op for Cumsum {
    const NAME: &'static str = "cumsum";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = (call.attr(0) as usize).max(1);
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let mut sum = F::ZERO;
            for (x, out) in x.iter().zip(out) {
                sum += *x;
                *out = sum;
            }
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let n = (call.attr(0) as usize).max(1);
        if let Some(mut d_x) = call.grad(0) {
            for (row, d_out) in d_out.chunks_exact(n).enumerate() {
                let mut sum = F::ZERO;
                for j in (0..n).rev() {
                    sum += d_out[j];
                    d_x.put(row * n + j, sum);
                }
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns Σₖ xₖ for k ≤ j along the last event axis: x: `[…, n]` gives `[…, n]`.
    #[track_caller]
    pub fn cumsum(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.last()) {
            (Some(tape), Some(&n)) => tape.record(Cumsum::DEF, &[self], &[n as u64], &self.dims(), &event, 0),
            _ => refuse("cumsum", &[self], &[], "a scalar has no last axis"),
        }
    }
}

op_tests! { |x| x[0].cumsum(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [[3.0]] }
