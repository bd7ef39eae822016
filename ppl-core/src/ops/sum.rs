//! The sum over the event axes, and the sum that is a term of the log density.

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::var::Var;
use crate::tensor::shape::size;

/// Sums rows: the output's length is the number of rows.
struct Sum;

impl Op for Sum {
    const NAME: &'static str = "sum";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        if out.is_empty() {
            return;
        }
        let n = x.len() / out.len();
        for (row, o) in out.iter_mut().enumerate() {
            *o = F::from_f64(x[row * n..][..n].iter().map(|v| v.to_f64()).sum());
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        if let Some(d_x) = call.grad(0) {
            if d_out.is_empty() {
                return;
            }
            let n = d_x.slice.len() / d_out.len();
            for (row, &d) in d_out.iter().enumerate() {
                for d_x_i in &mut d_x.slice[row * n..][..n] {
                    *d_x_i = if d_x.overwrite { d } else { *d_x_i + d };
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
}

/// The sum of all elements, plates included, as a term of the log density.
pub struct SumTerm;

impl Op for SumTerm {
    const NAME: &'static str = "sum_term";
    const ROLE: Role = Role::Sink;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let total = call.x(0).iter().map(|v| v.to_f64()).sum();
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
