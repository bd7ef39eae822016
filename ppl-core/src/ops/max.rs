//! The largest element over the event axes.

use crate::kernels::real::Real;
use crate::kernels::reduce::max;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
use crate::testing::ops::op_tests;

/// The largest element of each row.
struct Max;

impl Op for Max {
    const NAME: &'static str = "max";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = x.len().checked_div(out.len()).unwrap_or(0);
        for (row, out) in out.iter_mut().enumerate() {
            *out = max(&x[row * n..][..n]);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, d_out) = (call.x(0), call.y(), call.d_out());
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            let n = x.len().checked_div(y.len()).unwrap_or(0);
            for (row, (&y, &d)) in y.iter().zip(d_out).enumerate() {
                if let Some(first) = x[row * n..][..n].iter().position(|&x| x == y) {
                    d_x[row * n + first] += d;
                }
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the largest element over all event axes: −∞ of none, NaN if one is NaN.
    ///
    /// Among equals the derivative goes to the first. Inside a plate each row has its own; of two values the
    /// largest is [`Var::maximum`].
    pub fn max(self) -> Var<'t> {
        match self.tape() {
            Some(tape) if size(&self.event_shape()) != 1 => tape.record(Max::DEF, &[self], &[], &self.dims(), &[], 0),
            _ => self.sum(),
        }
    }
}

op_tests! { |x| x[0].max(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [2.0] }

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn among_equals_the_first_has_the_derivative() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[4], &[2.0, 2.0, 2.0, 2.0], false);
        tape.term(SumTerm::DEF, &[x.max()], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_nan_anywhere_is_the_answer() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[3], &[2.0, f64::NAN, 3.0], false);
        assert!(x.max().elements()[0].is_nan());
    }
}
