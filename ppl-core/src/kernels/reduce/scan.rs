//! Running sums along the rows of a matrix, and their adjoint.

use crate::kernels::real::Real;
use crate::kernels::reduce::sums::check_rows;

/// Writes outᵢⱼ = Σ_{k ≤ j} xᵢₖ for x, out: `[m, n]`; the sums run in f64.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn cumsum<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    check_rows("cumsum", n, x, out);
    for (x, out) in x.chunks_exact(n.max(1)).zip(out.chunks_exact_mut(n.max(1))) {
        let mut total = 0.0;
        for (out, &x) in out.iter_mut().zip(x) {
            total += x.to_f64();
            *out = F::from_f64(total);
        }
    }
}

/// Adds Σ_{k ≥ j} d_outᵢₖ to d_xᵢⱼ, or overwrites it; the sums run in f64.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn cumsum_adjoint<F: Real>(n: usize, d_out: &[F], d_x: &mut [F], overwrite: bool) {
    check_rows("cumsum_adjoint", n, d_out, d_x);
    for (d_out, d_x) in d_out.chunks_exact(n.max(1)).zip(d_x.chunks_exact_mut(n.max(1))) {
        let mut total = 0.0;
        for (d_x, &d_out) in d_x.iter_mut().zip(d_out).rev() {
            total += d_out.to_f64();
            *d_x = if overwrite {
                F::from_f64(total)
            } else {
                *d_x + F::from_f64(total)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, check_adjoint, fill};

    fn check<F: Real>(m: usize, n: usize) {
        let x = fill::<F>(m * n, 1);
        let naive = |ij: usize| x[ij / n * n..=ij].iter().map(|x| x.to_f64()).sum::<f64>();
        let want: Vec<F> = (0..m * n).map(|ij| F::from_f64(naive(ij))).collect();
        let mut out = vec![F::NAN; m * n];
        cumsum(n, &x, &mut out);
        assert_close(&out, &want, 0.0, &format!("[{m}, {n}]"));
    }

    #[test]
    fn running_sums_equal_their_twin() {
        for (m, n) in [(0, 3), (3, 0), (1, 1), (4, 1), (3, 7), (2, 100)] {
            check::<f64>(m, n);
            check::<f32>(m, n);
        }
    }

    #[test]
    fn adjoint_equals_central_differences() {
        for (m, n) in [(0, 3), (3, 0), (1, 1), (4, 1), (3, 7), (2, 20)] {
            let adjoint = |_: &[f64], _: &[f64], d_out: &[f64], d_x: &mut [f64], overwrite| {
                cumsum_adjoint(n, d_out, d_x, overwrite)
            };
            check_adjoint(
                &fill(m * n, 1),
                m * n,
                |x, out| cumsum(n, x, out),
                adjoint,
                &format!("[{m}, {n}]"),
            );
        }
    }
}
