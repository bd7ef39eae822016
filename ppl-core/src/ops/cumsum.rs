//! Running sums along the last event axis.

use crate::kernels::real::Real;
use crate::kernels::reduce::scan;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Works on rows as long as attribute 0.
struct Cumsum;

impl Op for Cumsum {
    const NAME: &'static str = "cumsum";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        scan::cumsum(call.attr(0) as usize, call.x(0), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (n, d_out) = (call.attr(0) as usize, call.d_out());
        if let Some(d_x) = call.grad(0) {
            scan::cumsum_adjoint(n, d_out, d_x.slice, d_x.overwrite);
        }
    }
}

impl<'t> Var<'t> {
    /// Returns Σₖ xₖ for k ≤ j along the last event axis: x: `[…, n]` gives `[…, n]`; the sums run in f64.
    #[track_caller]
    pub fn cumsum(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.last()) {
            (Some(tape), Some(&n)) => tape.record(Cumsum::DEF, &[self], &[n as u64], &self.dims(), &event, 0),
            _ => refuse("cumsum", &[self], &[], "a scalar has no last axis"),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].cumsum(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [[3.0]] }
