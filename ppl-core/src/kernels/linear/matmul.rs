//! Products of row-major matrices, plain and transposed, on one thread or in fixed blocks over several.

use rayon::prelude::*;

use crate::kernels::real::Real;

/// Products of at least this many floating-point operations are cut into blocks.
const BLOCKED_FLOP: usize = 20_000_000;
/// A block has at least this many operations.
const BLOCK_FLOP: usize = 10_000_000;
/// Blocks are multiples of this many rows or columns of C, a multiple of every micro-kernel's tile.
const BLOCK_ALIGN: usize = 192;
/// More blocks than this would only pack the operands more often.
const MAX_BLOCKS: usize = 8;

/// Computes C = α op(A) op(B) + βC, where op(A): `[m, k]`, op(B): `[k, n]`, C: `[m, n]` and op transposes if its flag says so.
///
/// All are row-major and contiguous: A is stored as `[k, m]` if `a_transposed`, B as `[n, k]` if `b_transposed`.
/// With β = 0 the old C is not read, so a NaN in it does not survive.
///
/// # Panics
///
/// If a slice has not the length of its shape.
#[allow(clippy::too_many_arguments)]
pub fn gemm<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: &[F],
    a_transposed: bool,
    b: &[F],
    b_transposed: bool,
    alpha: F,
    beta: F,
    c: &mut [F],
) {
    gemm_threads(m, k, n, a, a_transposed, b, b_transposed, alpha, beta, c, 1);
}

/// Like [`gemm`], with blocks of C shared out over up to `threads` tasks of the current thread pool.
///
/// Only products above 20 MFLOP have blocks. Their borders depend on the shape alone, and k is never cut, so the
/// result does not depend on `threads`.
///
/// # Panics
///
/// If a slice has not the length of its shape.
#[allow(clippy::too_many_arguments)]
pub fn gemm_threads<F: Real>(
    m: usize,
    k: usize,
    n: usize,
    a: &[F],
    a_transposed: bool,
    b: &[F],
    b_transposed: bool,
    alpha: F,
    beta: F,
    c: &mut [F],
    threads: usize,
) {
    check_len("a", a, [m, k]);
    check_len("b", b, [k, n]);
    check_len("c", c, [m, n]);
    let product = Product {
        k,
        n,
        a: a.as_ptr(),
        a_strides: if a_transposed { [1, m as isize] } else { [k as isize, 1] },
        b: b.as_ptr(),
        b_strides: if b_transposed { [1, k as isize] } else { [n as isize, 1] },
        c: c.as_mut_ptr(),
        alpha,
        beta,
    };
    let along_rows = m > n;
    let (long, short) = if along_rows { (m, n) } else { (n, m) };
    let step = block_len(long, 2 * k * short);
    let block = |i: usize| {
        let range = [i * step, ((i + 1) * step).min(long)];
        let (rows, cols) = if along_rows { (range, [0, n]) } else { ([0, m], range) };
        // SAFETY: the lengths were checked above, and blocks of different i are disjoint parts of C.
        unsafe { product.block(rows, cols) }
    };
    let n_blocks = long.div_ceil(step);
    if threads <= 1 || n_blocks <= 1 {
        (0..n_blocks).for_each(block);
    } else {
        let share = |task: usize| task * n_blocks / threads..(task + 1) * n_blocks / threads;
        (0..threads)
            .into_par_iter()
            .for_each(|task| share(task).for_each(block));
    }
}

fn check_len<F>(name: &str, x: &[F], [rows, cols]: [usize; 2]) {
    assert!(
        x.len() == rows * cols,
        "gemm: {name} has {} elements where [{rows}, {cols}] needs {}",
        x.len(),
        rows * cols
    );
}

/// Returns the length of a block along a side of `len` rows (or columns), each worth `flop` operations.
fn block_len(len: usize, flop: usize) -> usize {
    let total = len.saturating_mul(flop);
    if total < BLOCKED_FLOP {
        return len.max(1);
    }
    let n_blocks = (total / BLOCK_FLOP).min(MAX_BLOCKS);
    len.div_ceil(n_blocks).next_multiple_of(BLOCK_ALIGN)
}

struct Product<F> {
    k: usize,
    n: usize,
    a: *const F,
    a_strides: [isize; 2],
    b: *const F,
    b_strides: [isize; 2],
    c: *mut F,
    alpha: F,
    beta: F,
}

// SAFETY: a and b are only read; each task writes its own block of c.
unsafe impl<F: Real> Sync for Product<F> {}

impl<F: Real> Product<F> {
    /// Computes `C[rows, cols]`.
    ///
    /// # Safety
    ///
    /// The pointers are valid for their shapes, the ranges lie inside C, and no other thread touches that block of C.
    unsafe fn block(&self, rows: [usize; 2], cols: [usize; 2]) {
        let [a_row, a_col] = self.a_strides;
        let [b_row, b_col] = self.b_strides;
        // The routine likes C with contiguous columns: Cᵀ = op(B)ᵀ op(A)ᵀ, so the operands swap and their strides too.
        // SAFETY: offsets stay inside the operands by the caller's promise.
        unsafe {
            let a = self.a.offset(rows[0] as isize * a_row);
            let b = self.b.offset(cols[0] as isize * b_col);
            let c = self.c.add(rows[0] * self.n + cols[0]);
            F::gemm_raw(
                [cols[1] - cols[0], self.k, rows[1] - rows[0]],
                c,
                self.n as isize,
                self.beta != F::ZERO,
                (b, [b_col, b_row]),
                (a, [a_col, a_row]),
                self.alpha,
                self.beta,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, fill};

    #[allow(clippy::too_many_arguments)]
    fn naive<F: Real>(
        [m, k, n]: [usize; 3],
        a: &[F],
        ta: bool,
        b: &[F],
        tb: bool,
        alpha: f64,
        beta: f64,
        c: &[F],
    ) -> Vec<F> {
        let at = |i: usize, l: usize| if ta { a[l * m + i] } else { a[i * k + l] }.to_f64();
        let bt = |l: usize, j: usize| if tb { b[j * k + l] } else { b[l * n + j] }.to_f64();
        let entry = |i: usize, j: usize| (0..k).map(|l| at(i, l) * bt(l, j)).sum::<f64>();
        let old = |ij: usize| if beta == 0.0 { 0.0 } else { beta * c[ij].to_f64() };
        (0..m * n)
            .map(|ij| F::from_f64(alpha * entry(ij / n, ij % n) + old(ij)))
            .collect()
    }

    fn check<F: Real>(shape: [usize; 3], tolerance: f64) {
        let [m, k, n] = shape;
        let (a, b) = (fill::<F>(m * k, 1), fill::<F>(k * n, 2));
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
            for (alpha, beta) in [(1.0, 0.0), (1.0, 1.0), (-0.5, 2.0)] {
                let start = if beta == 0.0 {
                    vec![F::NAN; m * n]
                } else {
                    fill::<F>(m * n, 3)
                };
                let mut c = start.clone();
                gemm(m, k, n, &a, ta, &b, tb, F::from_f64(alpha), F::from_f64(beta), &mut c);
                let want = naive(shape, &a, ta, &b, tb, alpha, beta, &start);
                assert_close(&c, &want, tolerance, &format!("{shape:?} {ta} {tb} {alpha} {beta}"));
            }
        }
    }

    #[test]
    fn gemm_equals_its_twin_and_overwrites_nan_at_beta_zero() {
        const SIDES: [usize; 6] = [0, 1, 2, 7, 17, 33];
        for code in 0..SIDES.len().pow(3) {
            let [m, k, n] = [SIDES[code / 36], SIDES[code / 6 % 6], SIDES[code % 6]];
            check::<f64>([m, k, n], 1e-14);
            check::<f32>([m, k, n], 2e-6);
        }
        check::<f64>([5, 300, 70], 1e-13);
        check::<f32>([65, 3, 130], 2e-6);
        // Several blocks of the inner dimension and of the columns.
        check::<f64>([9, 700, 450], 2e-13);
        check::<f32>([9, 700, 900], 1e-4);
    }

    #[test]
    fn blocks_give_the_same_bits_for_any_number_of_threads() {
        for [m, k, n] in [[40, 120, 2200], [2300, 100, 45]] {
            let (a, b) = (fill::<f32>(m * k, 1), fill::<f32>(k * n, 2));
            let product = |threads| {
                let mut c = vec![f32::NAN; m * n];
                gemm_threads(m, k, n, &a, false, &b, false, 1.0, 0.0, &mut c, threads);
                c
            };
            let one = product(1);
            assert_close(
                &one,
                &naive([m, k, n], &a, false, &b, false, 1.0, 0.0, &one),
                3e-6,
                "blocked",
            );
            for threads in [2, 3, 8, 64] {
                assert!(
                    one.iter()
                        .zip(&product(threads))
                        .all(|(x, y)| x.to_bits() == y.to_bits()),
                    "{threads} threads"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "gemm: b has 5 elements where [2, 3] needs 6")]
    fn wrong_length_is_named() {
        gemm(1, 2, 3, &[0.0; 2], false, &[0.0; 5], false, 1.0, 0.0, &mut [0.0; 3]);
    }
}
