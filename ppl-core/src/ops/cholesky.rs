//! The Cholesky factor of a symmetric positive definite matrix.

use crate::kernels::linear::cholesky::{cholesky, cholesky_adjoint};
use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;

#[cfg(test)]
use crate::testing::ops::op_tests;

/// Factors matrices with as many rows as attribute 0; its own buffer is scratch of the backward kernel.
pub struct Cholesky;

impl Op for Cholesky {
    const NAME: &'static str = "cholesky";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = call.attr(0) as usize;
        for (x, out) in x.chunks_exact(n * n).zip(out.chunks_exact_mut(n * n)) {
            if cholesky(n, x, out).is_err() {
                out.fill(F::NAN);
            }
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (y, d_out, scratch) = (call.y(), call.d_out(), call.aux());
        let n = call.attr(0) as usize;
        if let Some(d_x) = call.grad(0) {
            let rows = y.chunks_exact(n * n).zip(d_out.chunks_exact(n * n));
            for ((l, d_l), d_x_row) in rows.zip(d_x.slice.chunks_exact_mut(n * n)) {
                scratch.copy_from_slice(d_l);
                cholesky_adjoint(n, l, scratch);
                if d_x.overwrite {
                    d_x_row.copy_from_slice(scratch);
                } else {
                    d_x_row.iter_mut().zip(&*scratch).for_each(|(d, &s)| *d += s);
                }
            }
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the lower triangular L with L Lᵀ = x for a symmetric positive definite x: `[n, n]`.
    ///
    /// Only the lower triangle of x is read, and only it has a derivative. Where x is not positive definite, L is
    /// NaN. Inside a plate each row has its own matrix.
    #[track_caller]
    pub fn cholesky(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.as_slice()) {
            (Some(tape), &[n, m]) if n == m && n > 0 => {
                tape.record(Cholesky::DEF, &[self], &[n as u64], &self.dims(), &event, n * n)
            }
            _ => refuse("cholesky", &[self], &[], "only a square matrix has a Cholesky factor"),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].cholesky();
[[[4.0, 1.0, -0.5], [1.0, 3.0, 0.25], [-0.5, 0.25, 2.0]]], [[[9.0]]], [[[2.0, 0.5], [0.5, 1.0]]] }

#[cfg(test)]
mod tests {
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let a = [4.0, 1.0, -0.5, 1.0, 3.0, 0.25, -0.5, 0.25, 2.0];
        let l = tape.input(0, &[], &[3, 3], &a, false).cholesky();
        assert_eq!(l.elements()[..3], [2.0, 0.0, 0.0]);
        for (got, want) in l.dot(l.t()).elements().iter().zip(a) {
            assert!((got - want).abs() < 1e-15, "{got} and {want}");
        }
    }

    #[test]
    fn an_indefinite_matrix_gives_nan_and_another_shape_an_error() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let l = tape.input(0, &[], &[2, 2], &[1.0, 2.0, 2.0, 1.0], false).cholesky();
        assert!(l.elements()[3].is_nan());
        let tall = tape.input(4, &[], &[2, 1], &[1.0, 2.0], false);
        let refused = tall.cholesky();
        let line = line!() - 1;
        assert!(refused.value().is_nan());
        let want = format!(
            "cholesky ({}:{line}): only a square matrix has a Cholesky factor: [2, 1]",
            file!()
        );
        assert_eq!(tape.take_error().unwrap().to_string(), want);
    }
}
