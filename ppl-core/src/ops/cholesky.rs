//! The Cholesky factor of a symmetric positive definite matrix.

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
use crate::testing::ops::op_tests;

/// Factors matrices with as many rows as attribute 0; its own buffer holds the adjoint of one of them.
struct Cholesky;

impl Op for Cholesky {
    const NAME: &'static str = "cholesky";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = call.attr(0) as usize;
        for (x, out) in x.chunks_exact(n * n).zip(out.chunks_exact_mut(n * n)) {
            factor(n, x, out);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (y, d_out, scratch) = (call.y(), call.d_out(), call.aux());
        let n = call.attr(0) as usize;
        if let Some(mut d_x) = call.grad(0) {
            for (row, (l, d_out)) in y.chunks_exact(n * n).zip(d_out.chunks_exact(n * n)).enumerate() {
                scratch.copy_from_slice(d_out);
                factor_adjoint(n, l, scratch);
                for (i, &d) in scratch.iter().enumerate() {
                    d_x.put(row * n * n + i, if i % n <= i / n { d } else { F::ZERO });
                }
            }
        }
    }
}

/// Writes the lower triangular L with L Lᵀ = A from the lower triangle of A, row by row (Cholesky–Banachiewicz).
fn factor<F: Real>(n: usize, a: &[F], l: &mut [F]) {
    for i in 0..n {
        let (above, row) = l.split_at_mut(i * n);
        let row = &mut row[..n];
        for j in 0..i {
            let other = &above[j * n..][..j + 1];
            let dot: F = row[..j].iter().zip(other).map(|(&x, &y)| x * y).sum();
            row[j] = (a[i * n + j] - dot) / other[j];
        }
        let norm: F = row[..i].iter().map(|&x| x * x).sum();
        row[i] = (a[i * n + i] - norm).sqrt();
        row[i + 1..].fill(F::ZERO);
    }
}

/// Turns the adjoint of L into that of the lower triangle of A, in place (Smith 1995, reverse differentiation of the
/// Cholesky algorithm); what it leaves above the diagonal has no meaning.
fn factor_adjoint<F: Real>(n: usize, l: &[F], d: &mut [F]) {
    for k in (0..n).rev() {
        for j in k + 1..n {
            for i in j..n {
                let d_ij = d[i * n + j];
                d[i * n + k] += -(d_ij * l[j * n + k]);
                d[j * n + k] += -(d_ij * l[i * n + k]);
            }
        }
        let pivot = l[k * n + k];
        for j in k + 1..n {
            d[j * n + k] = d[j * n + k] / pivot;
            d[k * n + k] += -(l[j * n + k] * d[j * n + k]);
        }
        d[k * n + k] = d[k * n + k] / (pivot + pivot);
    }
}

impl<'t> Var<'t> {
    /// Returns the lower triangular L with L Lᵀ = x for a symmetric positive definite x: [n, n].
    ///
    /// Only the lower triangle of x is read, and only it has a derivative. Where x is not positive definite, rows of L
    /// are NaN. Inside a plate each row has its own matrix.
    #[track_caller]
    pub fn cholesky(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.as_slice()) {
            (Some(tape), &[n, m]) if n == m && n > 0 => {
                tape.record(Cholesky::DEF, &[self], &[n as u64], &self.dims(), &event, size(&event))
            }
            _ => refuse("cholesky", &[self], &[], "only a square matrix has a Cholesky factor"),
        }
    }
}

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
