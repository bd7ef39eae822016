//! Log-sum-exp, softmax and log-softmax of each row of a matrix [m, n], with their adjoints.
//!
//! Short rows are taken in blocks: the exponentials of a whole block are one loop, whatever the length of a row.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::reduce::{fold_max, fold_sum, fold_sum2};
use crate::kernels::write::write;

/// Writes ln Σⱼ exp xᵢⱼ of each row of x: [m, n] into out: [m].
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

/// Adds d_outᵢ exp(xᵢⱼ − outᵢ) to d_x: [m, n], or overwrites it; elements −∞ have weight zero.
///
/// # Panics
///
/// If the lengths do not fit out: [m].
pub fn log_sum_exp_adjoint<F: Real>(n: usize, x: &[F], out: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    assert_eq!(
        x.len(),
        out.len() * n,
        "log_sum_exp_adjoint: x is not [{}, {n}]",
        out.len()
    );
    assert!(
        d_out.len() == out.len() && d_x.len() == x.len(),
        "log_sum_exp_adjoint: lengths differ"
    );
    dispatch(LogSumExpAdjoint {
        n,
        x,
        out,
        d_out,
        d_x,
        overwrite,
    });
}

/// Writes exp(xᵢⱼ) / Σₖ exp(xᵢₖ) into out: [m, n]; a row without finite maximum has none and gives NaN.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn softmax<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    check_rows("softmax", n, x, out);
    dispatch(Softmax { n, x, out });
}

/// Adds outᵢⱼ (d_outᵢⱼ − Σₖ outᵢₖ d_outᵢₖ) to d_x: [m, n], or overwrites it.
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

/// Writes xᵢⱼ − ln Σₖ exp(xᵢₖ) into out: [m, n]; a row without finite maximum gives NaN in its infinite places.
///
/// # Panics
///
/// If the lengths differ or are no multiple of n.
pub fn log_softmax<F: Real>(n: usize, x: &[F], out: &mut [F]) {
    check_rows("log_softmax", n, x, out);
    dispatch(LogSoftmax { n, x, out });
}

/// Adds d_outᵢⱼ − exp(outᵢⱼ) Σₖ d_outᵢₖ to d_x: [m, n], or overwrites it.
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

fn check_rows<F>(name: &str, n: usize, x: &[F], out: &[F]) {
    let whole = if n == 0 {
        x.is_empty()
    } else {
        x.len().is_multiple_of(n)
    };
    assert!(
        x.len() == out.len() && whole,
        "{name}: {} and {} elements are not rows of {n}",
        x.len(),
        out.len()
    );
}

/// Elements in a block of short rows.
const BLOCK: usize = 256;

/// Calls `short` for blocks of whole rows, at most `BLOCK` elements in each, or `long` for each longer row.
///
/// The first argument is the range of rows.
#[inline(always)]
fn rows_in_blocks(m: usize, n: usize, mut block: impl FnMut(usize, usize)) {
    let rows = (BLOCK / n.max(1)).clamp(1, BLOCK);
    let mut start = 0;
    while start < m {
        let end = m.min(start + rows);
        block(start, end);
        start = end;
    }
}

/// Returns what is subtracted before the exponential: the maximum, or zero where it is not finite.
#[inline(always)]
fn shift<F: Real>(row: &[F]) -> F {
    let max = fold_max(row);
    F::select(max.is_finite(), max, F::ZERO)
}

/// Returns the shift of a long row and Σ exp(x − shift).
#[inline(always)]
fn long_row<F: Real>(row: &[F]) -> (F, F) {
    let shift = shift(row);
    (shift, F::from_f64(fold_sum(row, |x| (x - shift).exp().to_f64())))
}

/// Scratch of a block of short rows: exp(x − shift), and for each row the shift and the sum.
struct Block<F> {
    exps: [F; BLOCK],
    shifts: [F; BLOCK],
    sums: [F; BLOCK],
}

impl<F: Real> Block<F> {
    #[inline(always)]
    fn empty() -> Self {
        Block {
            exps: [F::ZERO; BLOCK],
            shifts: [F::ZERO; BLOCK],
            sums: [F::ZERO; BLOCK],
        }
    }

    /// Fills the scratch from rows x: [m, n] with 1 ≤ n and m·n ≤ `BLOCK`.
    #[inline(always)]
    fn fill(&mut self, n: usize, x: &[F]) {
        for (i, (row, exps)) in x.chunks_exact(n).zip(self.exps.chunks_exact_mut(n)).enumerate() {
            let shift = shift(row);
            self.shifts[i] = shift;
            write(exps, row.iter().map(|&x| x - shift), true);
        }
        let exps = &mut self.exps[..x.len()];
        for e in exps.iter_mut() {
            *e = e.exp();
        }
        for (i, exps) in exps.chunks_exact(n).enumerate() {
            self.sums[i] = F::from_f64(fold_sum(exps, F::to_f64));
        }
    }
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
                let (shift, sum) = long_row(row);
                *out = shift + sum.ln();
            }
        } else {
            let mut block = Block::empty();
            rows_in_blocks(self.out.len(), n, |start, end| {
                block.fill(n, &self.x[start * n..end * n]);
                let parts = block.shifts.iter().zip(&block.sums);
                write(
                    &mut self.out[start..end],
                    parts.map(|(&shift, sum)| shift + sum.ln()),
                    true,
                );
            });
        }
    }
}

struct LogSumExpAdjoint<'a, F> {
    n: usize,
    x: &'a [F],
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for LogSumExpAdjoint<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.n;
        let mut weights = [F::ZERO; BLOCK];
        if n == 0 {
            return;
        }
        for (i, (x, d_x)) in self.x.chunks_exact(n).zip(self.d_x.chunks_exact_mut(n)).enumerate() {
            let shift = F::select(self.out[i] == -F::INFINITY, F::ZERO, self.out[i]);
            let d_out = self.d_out[i];
            for (x, d_x) in x.chunks(BLOCK).zip(d_x.chunks_mut(BLOCK)) {
                write(&mut weights, x.iter().map(|&x| (x - shift).exp()), true);
                write(d_x, weights.iter().map(|&w| d_out * w), self.overwrite);
            }
        }
    }
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
                let shift = shift(row);
                write(out, row.iter().map(|&x| (x - shift).exp()), true);
                let scale = F::ONE / F::from_f64(fold_sum(out, F::to_f64));
                for out in out.iter_mut() {
                    *out *= scale;
                }
            }
        } else if n > 0 {
            let mut block = Block::empty();
            rows_in_blocks(self.out.len() / n, n, |start, end| {
                block.fill(n, &self.x[start * n..end * n]);
                let rows = self.out[start * n..end * n].chunks_exact_mut(n);
                for ((out, exps), &sum) in rows.zip(block.exps.chunks_exact(n)).zip(&block.sums) {
                    let scale = F::ONE / sum;
                    write(out, exps.iter().map(|&e| e * scale), true);
                }
            });
        }
    }
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
            let mean = F::from_f64(fold_sum2(out, d_out, |out, d_out| out.to_f64() * d_out.to_f64()));
            write(
                d_x,
                out.iter().zip(d_out).map(|(&out, &d_out)| out * (d_out - mean)),
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
                let (shift, sum) = long_row(row);
                let log_sum = sum.ln();
                write(out, row.iter().map(|&x| (x - shift) - log_sum), true);
            }
        } else if n > 0 {
            let mut block = Block::empty();
            rows_in_blocks(self.out.len() / n, n, |start, end| {
                let x = &self.x[start * n..end * n];
                block.fill(n, x);
                for sum in block.sums[..end - start].iter_mut() {
                    *sum = sum.ln();
                }
                let parts = block.shifts.iter().zip(&block.sums);
                let rows = self.out[start * n..end * n].chunks_exact_mut(n).zip(x.chunks_exact(n));
                for ((out, x), (&shift, &log_sum)) in rows.zip(parts) {
                    write(out, x.iter().map(|&x| (x - shift) - log_sum), true);
                }
            });
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
        let mut exps = [F::ZERO; BLOCK];
        rows_in_blocks(self.out.len() / n, n, |start, end| {
            let block = &self.out[start * n..end * n];
            if n <= BLOCK {
                write(&mut exps, block.iter().map(|out| out.exp()), true);
            }
            let rows = self.d_out[start * n..end * n].chunks_exact(n);
            let d_rows = self.d_x[start * n..end * n].chunks_exact_mut(n);
            for (i, (d_out, d_x)) in rows.zip(d_rows).enumerate() {
                let total = F::from_f64(fold_sum(d_out, F::to_f64));
                if n <= BLOCK {
                    let exps = &exps[i * n..(i + 1) * n];
                    write(
                        d_x,
                        d_out.iter().zip(exps).map(|(&d, &e)| d - e * total),
                        self.overwrite,
                    );
                } else {
                    write(
                        d_x,
                        d_out.iter().zip(block).map(|(&d, out)| d - out.exp() * total),
                        self.overwrite,
                    );
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, differences, fill};

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

    fn naive_lse<F: Real>(row: &[F]) -> f64 {
        let max = row.iter().map(|x| x.to_f64()).fold(f64::NEG_INFINITY, f64::max);
        max + row.iter().map(|x| (x.to_f64() - max).exp()).sum::<f64>().ln()
    }

    fn check<F: Real>(tolerance: f64) {
        for [m, n] in SHAPES {
            let what = format!("[{m}, {n}]");
            let x: Vec<F> = fill::<F>(m * n, 5).iter().map(|&x| x * F::from_f64(30.0)).collect();
            let lse: Vec<f64> = x.chunks_exact(n).map(naive_lse).collect();
            let mut out = vec![F::NAN; m];
            log_sum_exp(n, &x, &mut out);
            assert_close(
                &out,
                &lse.iter().map(|&v| F::from_f64(v)).collect::<Vec<F>>(),
                tolerance,
                &what,
            );
            let logs: Vec<f64> = (0..m * n).map(|i| x[i].to_f64() - lse[i / n]).collect();
            let mut out = vec![F::NAN; m * n];
            log_softmax(n, &x, &mut out);
            assert_close(
                &out,
                &logs.iter().map(|&v| F::from_f64(v)).collect::<Vec<F>>(),
                4.0 * tolerance,
                &what,
            );
            softmax(n, &x, &mut out);
            assert_close(
                &out,
                &logs.iter().map(|&v| F::from_f64(v.exp())).collect::<Vec<F>>(),
                tolerance,
                &what,
            );
        }
    }

    #[test]
    fn values_equal_their_twins() {
        check::<f64>(4e-15);
        check::<f32>(2e-6);
    }

    #[test]
    fn edges_come_out_right() {
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
            log_sum_exp_adjoint(n, &x[..2 * n], &out[..2], &[5.0, 7.0], &mut d_x, true);
            let mut want = vec![0.0; 2 * n];
            want[n + 1] = 7.0;
            assert_close(&d_x, &want, 0.0, "log_sum_exp_adjoint");
            let mut logs = vec![0.0; n];
            log_softmax(n, &x[n..2 * n], &mut logs);
            assert_eq!(logs[..2], [-inf, 0.0]);
            softmax(n, &x[n..2 * n], &mut logs);
            assert_eq!(logs[..2], [0.0, 1.0]);
        }
        let mut empty_rows = [0.0; 3];
        log_sum_exp(0, &[], &mut empty_rows);
        assert_eq!(empty_rows, [-inf; 3]);
    }

    /// Checks the written and the added adjoint of `forward` against central differences of ⟨d_out, forward⟩.
    fn check_adjoint(
        [m, n]: [usize; 2],
        len_out: usize,
        forward: impl Fn(&[f64], &mut [f64]),
        adjoint: impl Fn(&[f64], &[f64], &[f64], &mut [f64], bool),
    ) {
        let (x, d_out) = (fill::<f64>(m * n, 1), fill::<f64>(len_out, 2));
        let mut out = vec![0.0; len_out];
        let want = differences(&x, 1e-5, |x| {
            forward(x, &mut out);
            out.iter().zip(&d_out).map(|(a, b)| a * b).sum()
        });
        forward(&x, &mut out);
        let mut d_x = vec![f64::NAN; m * n];
        adjoint(&x, &out, &d_out, &mut d_x, true);
        assert_close(&d_x, &want, 1e-9, &format!("[{m}, {n}]"));
        adjoint(&x, &out, &d_out, &mut d_x, false);
        let doubled: Vec<f64> = want.iter().map(|w| 2.0 * w).collect();
        assert_close(&d_x, &doubled, 2e-9, &format!("[{m}, {n}] added"));
    }

    #[test]
    fn adjoints_equal_central_differences() {
        for [m, n] in [[0, 3], [4, 1], [1, 2], [5, 7], [30, 10], [2, 300]] {
            check_adjoint(
                [m, n],
                m,
                |x, out| log_sum_exp(n, x, out),
                |x, out, d_out, d_x, over| log_sum_exp_adjoint(n, x, out, d_out, d_x, over),
            );
            check_adjoint(
                [m, n],
                m * n,
                |x, out| softmax(n, x, out),
                |_, out, d_out, d_x, over| softmax_adjoint(n, out, d_out, d_x, over),
            );
            check_adjoint(
                [m, n],
                m * n,
                |x, out| log_softmax(n, x, out),
                |_, out, d_out, d_x, over| log_softmax_adjoint(n, out, d_out, d_x, over),
            );
        }
    }
}
