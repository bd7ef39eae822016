//! Log-sum-exp of each row of a matrix `[m, n]`, with its adjoint.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::real::write;
use crate::kernels::reduce::row_exp::{BLOCK, Block, exps_of, long_row, rows_in_block};

/// Writes ln Σⱼ exp xᵢⱼ of each row of x: `[m, n]` into out: `[m]`.
///
/// A row of −∞ (or an empty one) gives −∞, a row with +∞ gives +∞, and a row with NaN gives NaN.
///
/// # Panics
///
/// If x has not m·n elements.
pub fn log_sum_exp<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    assert_eq!(x.len(), out.len() * n, "log_sum_exp: x is not [{}, {n}]", out.len());
    dispatch(LogSumExp { n, x, out });
}

/// Adds d_outᵢ exp(xᵢⱼ − mᵢ) / Σₖ exp(xᵢₖ − mᵢ) with the row's maximum m to d_x: `[m, n]`, or overwrites it; elements −∞
/// have weight zero.
///
/// The weights are divided by their sum instead of shifted by its logarithm, whose rounding grows with the size of x.
///
/// # Panics
///
/// If the lengths do not fit d_out: `[m]`.
pub fn log_sum_exp_adjoint<F: Real>(n: usize, x: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    assert_eq!(
        x.len(),
        d_out.len() * n,
        "log_sum_exp_adjoint: x is not [{}, {n}]",
        d_out.len()
    );
    assert_eq!(d_x.len(), x.len(), "log_sum_exp_adjoint: lengths differ");
    dispatch(LogSumExpAdjoint {
        n,
        x,
        d_out,
        d_x,
        overwrite,
    });
}

struct LogSumExp<'a, F> {
    n: usize,
    x: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for LogSumExp<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n;
        if n == 0 {
            self.out.fill(-F::INFINITY);
        } else if n > BLOCK {
            for (row, out) in self.x.chunks_exact(n).zip(self.out) {
                let (shift, rest) = long_row(row);
                *out = shift + rest.ln_1p();
            }
        } else {
            let rows = rows_in_block(n);
            let mut block = Block::empty();
            for (x, out) in self.x.chunks(rows * n).zip(self.out.chunks_mut(rows)) {
                block.fill(n, x);
                block.take_logs(out.len());
                for (i, out) in out.iter_mut().enumerate() {
                    *out = block.shifts[i] + block.rests[i];
                }
            }
        }
    }
}

struct LogSumExpAdjoint<'a, F> {
    n: usize,
    x: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

/// Returns d / (1 + rest), or zero where the sum of the weights is zero, so that the row's derivatives come out as zero.
#[inline(always)]
fn factor<F: Real>(d: F, rest: F) -> F {
    F::select(rest == -F::ONE, F::ZERO, d / (F::ONE + rest))
}

impl<F: Real> Loop for LogSumExpAdjoint<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n;
        if n > BLOCK {
            let mut exps = [F::ZERO; BLOCK];
            for (i, &d_out) in self.d_out.iter().enumerate() {
                let row = i * n..(i + 1) * n;
                let (shift, rest) = long_row(&self.x[row.clone()]);
                let factor = factor(d_out, rest);
                for (x, d_x) in self.x[row.clone()].chunks(BLOCK).zip(self.d_x[row].chunks_mut(BLOCK)) {
                    exps_of(x, shift, &mut exps);
                    write(d_x, exps.iter().map(|&e| factor * e), self.overwrite);
                }
            }
        } else if n > 0 {
            let rows = rows_in_block(n);
            let mut block = Block::empty();
            let blocks = self.x.chunks(rows * n).zip(self.d_out.chunks(rows));
            for ((x, d_out), d_x) in blocks.zip(self.d_x.chunks_mut(rows * n)) {
                block.fill(n, x);
                let parts = d_x.chunks_exact_mut(n).zip(block.exps.chunks_exact(n)).zip(d_out);
                for (((d_x, exps), &d_out), &rest) in parts.zip(&block.rests) {
                    let factor = factor(d_out, rest);
                    write(d_x, exps.iter().map(|&e| factor * e), self.overwrite);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, check_adjoint, fill};

    fn check<F: Real>(tolerance: f64) {
        for [m, n] in [
            [0, 3],
            [3, 1],
            [1, 2],
            [5, 7],
            [26, 10],
            [3, 33],
            [3, 255],
            [2, 256],
            [2, 257],
            [2, 1000],
            [300, 1],
        ] {
            let x: Vec<F> = fill::<F>(m * n, 5).iter().map(|&x| x * F::from_f64(30.0)).collect();
            let naive = |row: &[F]| F::from_f64(row.iter().map(|x| x.to_f64().exp()).sum::<f64>().ln());
            let want: Vec<F> = x.chunks_exact(n).map(naive).collect();
            let mut out = vec![F::NAN; m];
            log_sum_exp(n, &x, &mut out);
            assert_close(&out, &want, tolerance, &format!("[{m}, {n}]"));
        }
    }

    #[test]
    fn values_equal_their_twin() {
        check::<f64>(4e-15);
        check::<f32>(1e-6);
    }

    #[test]
    fn infinities_and_nan_come_out_right() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for n in [2, 10, 300] {
            let mut x = vec![-inf; 5 * n];
            x[n + 1] = 3.0;
            x[2 * n] = inf;
            x[2 * n + 1] = 800.0;
            x[3 * n + 1] = nan;
            x[4 * n] = 1000.0;
            x[4 * n + 1] = 1000.0;
            let mut out = vec![0.0; 5];
            log_sum_exp(n, &x, &mut out);
            assert_close(&out, &[-inf, 3.0, inf, nan, 1000.0 + 2f64.ln()], 1e-15, "log_sum_exp");
            let mut d_x = vec![nan; 2 * n];
            log_sum_exp_adjoint(n, &x[..2 * n], &[5.0, 7.0], &mut d_x, true);
            let mut want = vec![0.0; 2 * n];
            want[n + 1] = 7.0;
            assert_close(&d_x, &want, 0.0, "adjoint");
        }
        let mut empty_rows = [0.0; 3];
        log_sum_exp(0, &[], &mut empty_rows);
        assert_eq!(empty_rows, [-inf; 3]);
    }

    #[test]
    fn adjoint_equals_central_differences() {
        for [m, n] in [[0, 3], [4, 1], [1, 2], [5, 7], [30, 10], [2, 300]] {
            let adjoint = |x: &[f64], _: &[f64], d_out: &[f64], d_x: &mut [f64], overwrite| {
                log_sum_exp_adjoint(n, x, d_out, d_x, overwrite)
            };
            check_adjoint(
                &fill(m * n, 1),
                m,
                |x, out| log_sum_exp(n, x, out),
                adjoint,
                &format!("[{m}, {n}]"),
            );
        }
    }
}
