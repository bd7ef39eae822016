//! Log-sum-exp over the event axes, without overflow.

use crate::kernels::real::Real;
use crate::kernels::reduce::log_sum_exp::{log_sum_exp, log_sum_exp_adjoint};
use crate::ops::align::refuse;
use crate::ops::permute::axis_last;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// ln Σ exp of each row.
struct LogSumExp;

impl Op for LogSumExp {
    const NAME: &'static str = "log_sum_exp";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        log_sum_exp(x.len().checked_div(out.len()).unwrap_or(0), x, out);
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, d_out) = (call.x(0), call.d_out());
        if let Some(d_x) = call.grad(0) {
            let n = x.len().checked_div(d_out.len()).unwrap_or(0);
            log_sum_exp_adjoint(n, x, d_out, d_x.slice, d_x.overwrite);
        }
    }
}

impl<'t> Var<'t> {
    /// Returns ln Σᵢ exp xᵢ of a vector, without overflow; −∞ of none. A scalar is its own. Inside a plate each row has its
    /// own.
    ///
    /// An array of two or more axes is refused, as [`Var::softmax`] takes the last of them and [`Var::sum`] all: say which one
    /// by [`Var::log_sum_exp_axis`], or take all by `x.reshape(&[n]).log_sum_exp()`.
    #[track_caller]
    pub fn log_sum_exp(self) -> Var<'t> {
        let event = self.event_shape();
        if event.len() > 1 {
            let last = event.len() - 1;
            let message = format!(
                "over which axis? Write `log_sum_exp_axis({last})` for the last one, as softmax takes it, or \
                 `reshape(&[{}]).log_sum_exp()` for all",
                size(&event)
            );
            return refuse("log_sum_exp", &[self], &[], &message);
        }
        match self.tape() {
            Some(tape) if size(&event) != 1 => tape.record(LogSumExp::DEF, &[self], &[], &self.dims(), &[], 0),
            _ => self.sum(),
        }
    }

    /// Returns ln Σᵢ exp xᵢ along event axis `axis`, which the result no longer has: x: `[m, n]` gives `[n]` for axis 0.
    #[track_caller]
    pub fn log_sum_exp_axis(self, axis: usize) -> Var<'t> {
        let event = self.event_shape();
        if axis >= event.len() {
            return refuse("log_sum_exp_axis", &[self], &[], &format!("there is no axis {axis}"));
        }
        let (rows, rest) = axis_last(self, axis);
        match self.tape() {
            Some(tape) if event[axis] != 1 => tape.record(LogSumExp::DEF, &[rows], &[], &self.dims(), &rest, 0),
            _ => self.reshape(&rest),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].log_sum_exp(); [[1.0, -2.0, 0.5]], [2.0], [[800.0, 799.0]] }
#[cfg(test)]
op_tests! { first_axis |x| x[0].log_sum_exp_axis(0); [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]] }
#[cfg(test)]
op_tests! { last_axis |x| x[0].log_sum_exp_axis(1); [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]] }
