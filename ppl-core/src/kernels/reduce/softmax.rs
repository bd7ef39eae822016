//! Softmax and log-softmax of each row of a matrix `[m, n]`, with their adjoints.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::real::write;
use crate::kernels::reduce::row_exp::{BLOCK, Block, exp_in_place, exps_of, long_row, rows_in_block};
use crate::kernels::reduce::sums::check_rows;
use crate::kernels::reduce::sums::{fold_sum, fold_sum2};

/// Writes exp(xᵢⱼ) / Σₖ exp(xᵢₖ) into out: `[m, n]`; a row without finite maximum has none and gives NaN.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn softmax<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    check_rows("softmax", n, x, out);
    dispatch(Softmax { n, x, out });
}

/// Adds outᵢⱼ (d_outᵢⱼ − Σₖ outᵢₖ d_outᵢₖ) to d_x: `[m, n]`, or overwrites it.
///
/// The d_out are taken from that of the row's largest probability, so that nothing cancels where it is nearly one.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn softmax_adjoint<F: Real>(n: usize, out: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    check_rows("softmax_adjoint", n, out, d_x);
    check_rows("softmax_adjoint", n, d_out, d_x);
    dispatch(SoftmaxAdjoint {
        n,
        out,
        d_out,
        d_x,
        overwrite,
    });
}

/// Writes xᵢⱼ − ln Σₖ exp(xᵢₖ) into out: `[m, n]`; a row without finite maximum gives NaN in its infinite places.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn log_softmax<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    check_rows("log_softmax", n, x, out);
    dispatch(LogSoftmax { n, x, out });
}

/// Adds d_outᵢⱼ − exp(outᵢⱼ) Σₖ d_outᵢₖ to d_x: `[m, n]`, or overwrites it.
///
/// For the row's largest probability p, which may be nearly one, this is (1 − p) d_outᵢⱼ less p times the sum of the others.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn log_softmax_adjoint<F: Real>(n: usize, out: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    check_rows("log_softmax_adjoint", n, out, d_x);
    check_rows("log_softmax_adjoint", n, d_out, d_x);
    dispatch(LogSoftmaxAdjoint {
        n,
        out,
        d_out,
        d_x,
        overwrite,
    });
}

struct Softmax<'a, F> {
    n: usize,
    x: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for Softmax<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n;
        if n > BLOCK {
            for (row, out) in self.x.chunks_exact(n).zip(self.out.chunks_exact_mut(n)) {
                let (shift, rest) = long_row(row);
                exps_of(row, shift, out);
                let scale = F::ONE / (F::ONE + rest);
                for out in out.iter_mut() {
                    *out *= scale;
                }
            }
        } else if n > 0 {
            let len = rows_in_block(n) * n;
            let mut block = Block::empty();
            for (x, out) in self.x.chunks(len).zip(self.out.chunks_mut(len)) {
                block.fill(n, x);
                let rows = out.chunks_exact_mut(n).zip(block.exps.chunks_exact(n));
                for ((out, exps), &rest) in rows.zip(&block.rests) {
                    let scale = F::ONE / (F::ONE + rest);
                    write(out, exps.iter().map(|&e| e * scale), true);
                }
            }
        }
    }
}

/// Returns the place of the largest element of a row that has some.
#[inline(always)]
fn largest<F: Real>(row: &[F]) -> usize {
    let mut top = 0;
    for (j, &x) in row.iter().enumerate() {
        top = if x > row[top] { j } else { top };
    }
    top
}

struct SoftmaxAdjoint<'a, F> {
    n: usize,
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for SoftmaxAdjoint<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n.max(1);
        let rows = self.out.chunks_exact(n).zip(self.d_out.chunks_exact(n));
        for ((out, d_out), d_x) in rows.zip(self.d_x.chunks_exact_mut(n)) {
            let base = d_out[largest(out)];
            let mean = F::from_f64(fold_sum2(out, d_out, |out, d_out| {
                out.to_f64() * (d_out - base).to_f64()
            }));
            write(
                d_x,
                out.iter()
                    .zip(d_out)
                    .map(|(&out, &d_out)| out * ((d_out - base) - mean)),
                self.overwrite,
            );
        }
    }
}

struct LogSoftmax<'a, F> {
    n: usize,
    x: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for LogSoftmax<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n;
        if n > BLOCK {
            for (row, out) in self.x.chunks_exact(n).zip(self.out.chunks_exact_mut(n)) {
                let (shift, rest) = long_row(row);
                let log_sum = rest.ln_1p();
                write(out, row.iter().map(|&x| (x - shift) - log_sum), true);
            }
        } else if n > 0 {
            let rows = rows_in_block(n);
            let mut block = Block::empty();
            for (x, out) in self.x.chunks(rows * n).zip(self.out.chunks_mut(rows * n)) {
                block.fill(n, x);
                block.take_logs(x.len() / n);
                for (i, (x, out)) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).enumerate() {
                    let (shift, log_sum) = (block.shifts[i], block.rests[i]);
                    write(out, x.iter().map(|&x| (x - shift) - log_sum), true);
                }
            }
        }
    }
}

struct LogSoftmaxAdjoint<'a, F> {
    n: usize,
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for LogSoftmaxAdjoint<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n.max(1);
        let rows = rows_in_block(n.min(BLOCK));
        let mut probs = [F::ZERO; BLOCK];
        let mut totals = [F::ZERO; BLOCK];
        let mut tops = [(0, F::ZERO); BLOCK];
        let blocks = self.out.chunks(rows * n).zip(self.d_out.chunks(rows * n));
        for ((out, d_out), d_x) in blocks.zip(self.d_x.chunks_mut(rows * n)) {
            for (total, d_out) in totals.iter_mut().zip(d_out.chunks_exact(n)) {
                *total = F::from_f64(fold_sum(d_out, F::to_f64));
            }
            let parts = out.chunks_exact(n).zip(d_out.chunks_exact(n)).zip(d_x.chunks_exact(n));
            for (top, ((out, d_out), d_x)) in tops.iter_mut().zip(parts) {
                let at = largest(out);
                let old = if self.overwrite { F::ZERO } else { d_x[at] };
                let others = fold_sum(&d_out[..at], F::to_f64) + fold_sum(&d_out[at + 1..], F::to_f64);
                let rest = -out[at].exp_m1();
                *top = (at, old + (rest * d_out[at] - (F::ONE - rest) * F::from_f64(others)));
            }
            // A piece is the whole block of short rows, or a part of one long row.
            let pieces = out.chunks(BLOCK).zip(d_out.chunks(BLOCK)).zip(d_x.chunks_mut(BLOCK));
            for ((out, d_out), d_x) in pieces {
                probs[..out.len()].copy_from_slice(out);
                exp_in_place(&mut probs, out.len());
                let width = n.min(out.len());
                let rows = d_x.chunks_mut(width).zip(d_out.chunks(width)).zip(probs.chunks(width));
                for (((d_x, d_out), probs), &total) in rows.zip(&totals) {
                    write(
                        d_x,
                        d_out.iter().zip(probs).map(|(&d, &p)| d - p * total),
                        self.overwrite,
                    );
                }
            }
            for (d_x, &(at, value)) in d_x.chunks_exact_mut(n).zip(&tops) {
                d_x[at] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, check_adjoint, fill};

    const SHAPES: [[usize; 2]; 12] = [
        [0, 3],
        [3, 1],
        [1, 2],
        [5, 7],
        [128, 10],
        [26, 10],
        [3, 33],
        [3, 255],
        [2, 256],
        [2, 257],
        [2, 1000],
        [300, 1],
    ];

    fn check<F: Real>(tolerance: f64) {
        for [m, n] in SHAPES {
            let x: Vec<F> = fill::<F>(m * n, 5).iter().map(|&x| x * F::from_f64(30.0)).collect();
            let naive = |row: &[F]| row.iter().map(|x| x.to_f64().exp()).sum::<f64>().ln();
            let logs: Vec<f64> = x
                .chunks_exact(n)
                .flat_map(|row| row.iter().map(move |x| x.to_f64() - naive(row)))
                .collect();
            let mut out = vec![F::NAN; m * n];
            log_softmax(n, &x, &mut out);
            let want: Vec<F> = logs.iter().map(|&v| F::from_f64(v)).collect();
            assert_close(&out, &want, tolerance, &format!("log_softmax [{m}, {n}]"));
            softmax(n, &x, &mut out);
            let want: Vec<F> = logs.iter().map(|&v| F::from_f64(v.exp())).collect();
            assert_close(&out, &want, tolerance, &format!("softmax [{m}, {n}]"));
        }
    }

    #[test]
    fn values_equal_their_twins() {
        check::<f64>(4e-15);
        check::<f32>(2e-6);
    }

    #[test]
    fn minus_infinity_has_probability_zero() {
        for n in [2, 10, 300] {
            let mut x = vec![f64::NEG_INFINITY; n];
            x[1] = 800.0;
            let mut out = vec![f64::NAN; n];
            log_softmax(n, &x, &mut out);
            assert_eq!(out[..2], [f64::NEG_INFINITY, 0.0]);
            softmax(n, &x, &mut out);
            assert_eq!(out[..2], [0.0, 1.0]);
        }
    }

    #[test]
    fn adjoints_equal_central_differences() {
        for [m, n] in [[0, 3], [4, 1], [1, 2], [5, 7], [30, 10], [2, 300]] {
            let what = format!("[{m}, {n}]");
            let x = fill(m * n, 1);
            let adjoint = |_: &[f64], out: &[f64], d_out: &[f64], d_x: &mut [f64], overwrite| {
                softmax_adjoint(n, out, d_out, d_x, overwrite)
            };
            check_adjoint(&x, m * n, |x, out| softmax(n, x, out), adjoint, &what);
            let adjoint = |_: &[f64], out: &[f64], d_out: &[f64], d_x: &mut [f64], overwrite| {
                log_softmax_adjoint(n, out, d_out, d_x, overwrite)
            };
            check_adjoint(&x, m * n, |x, out| log_softmax(n, x, out), adjoint, &what);
        }
    }
}
