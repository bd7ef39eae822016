//! Exponentials of the rows of a matrix, shifted by each row's maximum: what log-sum-exp and softmax share.
//!
//! Short rows are taken in blocks, so that the exponentials of a whole block are one loop whatever the length of a
//! row. The loops are written out, because a closure around `exp` may miss the wide registers.

use crate::kernels::real::Real;
use crate::kernels::reduce::sums::{fold_max, fold_sum};

/// Elements in a block.
pub(crate) const BLOCK: usize = 256;

/// Exponentials and logarithms of a block run over whole vectors; what stands behind its end does not matter.
const VECTOR: usize = 16;

/// Returns how many rows of n ≤ `BLOCK` elements make a block.
#[inline(always)]
pub(crate) fn rows_in_block(n: usize) -> usize {
    BLOCK / n
}

/// Writes exp(x − shift) over the first elements of `exps`.
#[inline(always)]
pub(crate) fn exps_of<F: Real>(x: &[F], shift: F, exps: &mut [F]) {
    for (e, &x) in exps.iter_mut().zip(x) {
        *e = (x - shift).exp();
    }
}

/// Replaces the first `len` elements by their exponentials, and the rest of the last vector by something.
#[inline(always)]
pub(crate) fn exp_in_place<F: Real>(x: &mut [F; BLOCK], len: usize) {
    for x in x[..len.next_multiple_of(VECTOR)].iter_mut() {
        *x = x.exp();
    }
}

/// Returns what is subtracted before the exponential: the maximum, or zero where it is not finite.
#[inline(always)]
fn shift<F: Real>(row: &[F]) -> F {
    let max = fold_max(row);
    F::select(max.is_finite(), max, F::ZERO)
}

/// Returns an exponential that is one, as the largest of a row is, or zero. Ones are summed apart from the others: if there
/// is only one of them, the sum less one keeps the digits of tiny others.
#[inline(always)]
fn one_of<F: Real>(e: F) -> f64 {
    if e == F::ONE { 1.0 } else { 0.0 }
}

/// Returns an exponential that is not one, or zero.
#[inline(always)]
fn other_of<F: Real>(e: F) -> f64 {
    if e == F::ONE { 0.0 } else { e.to_f64() }
}

/// Returns the shift of a long row and Σ exp(x − shift) − 1.
#[inline(always)]
pub(crate) fn long_row<F: Real>(row: &[F]) -> (F, F) {
    let shift = shift(row);
    let mut exps = [F::ZERO; BLOCK];
    let (mut ones, mut others) = (-1.0, 0.0);
    for x in row.chunks(BLOCK) {
        exps_of(x, shift, &mut exps);
        ones += fold_sum(&exps[..x.len()], one_of);
        others += fold_sum(&exps[..x.len()], other_of);
    }
    (shift, F::from_f64(ones + others))
}

/// A block of short rows: exp(x − shift), and for each row the shift, Σ exp(x − shift) − 1 and what is made of it.
pub(crate) struct Block<F> {
    pub exps: [F; BLOCK],
    pub shifts: [F; BLOCK],
    pub rests: [F; BLOCK],
}

impl<F: Real> Block<F> {
    #[inline(always)]
    pub fn empty() -> Self {
        Block {
            exps: [F::ZERO; BLOCK],
            shifts: [F::ZERO; BLOCK],
            rests: [F::ZERO; BLOCK],
        }
    }

    /// Fills the block from rows x: `[m, n]` with 1 ≤ n and m·n ≤ `BLOCK`.
    #[inline(always)]
    pub fn fill(&mut self, n: usize, x: &[F]) {
        for (i, (row, exps)) in x.chunks_exact(n).zip(self.exps.chunks_exact_mut(n)).enumerate() {
            let shift = shift(row);
            self.shifts[i] = shift;
            for (e, &x) in exps.iter_mut().zip(row) {
                *e = x - shift;
            }
        }
        exp_in_place(&mut self.exps, x.len());
        for (i, exps) in self.exps[..x.len()].chunks_exact(n).enumerate() {
            self.rests[i] = F::from_f64((fold_sum(exps, one_of) - 1.0) + fold_sum(exps, other_of));
        }
    }

    /// Replaces what was summed of the first m rows by the logarithms of the sums.
    #[inline(always)]
    pub fn take_logs(&mut self, m: usize) {
        for rest in self.rests[..m.next_multiple_of(VECTOR)].iter_mut() {
            *rest = rest.ln_1p();
        }
    }
}
