//! Sums, dot products and maxima of slices, over all elements, along rows or along columns.
//!
//! Every sum runs in 32 lanes of f64, which are folded to 8 and then to one, whatever the instruction set: the
//! order of the additions, and so the bits of the result, are the same on every machine.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::simd::lanes::{fold8, fold32};

/// Returns Σ x in f64.
pub fn sum_f64<F: Real>(x: &[F]) -> f64 {
    dispatch(Sum { x })
}

/// Returns Σ x·y, accumulated in f64 and rounded at the end.
///
/// # Panics
///
/// If the lengths differ.
pub fn dot<F: Real>(x: &[F], y: &[F]) -> F {
    assert_eq!(x.len(), y.len(), "dot: lengths differ");
    F::from_f64(dispatch(Dot { x, y }))
}

/// Returns the largest element: NaN if there is one, −∞ for an empty slice.
pub fn max<F: Real>(x: &[F]) -> F {
    dispatch(Max { x })
}

/// Writes the sum of each row of x: `[m, n]` into out: `[m]`, or adds it where `overwrite` is false.
///
/// # Panics
///
/// If x has not m·n elements, with m the length of out.
pub fn sum_rows<F: Real>(n: usize, x: &[F], out: &mut [F], overwrite: bool) {
    assert_eq!(x.len(), out.len() * n, "sum_rows: x is not [{}, {n}]", out.len());
    dispatch(SumRows { n, x, out, overwrite });
}

/// Writes the sum of each column of x: `[m, n]` into out: `[n]`, or adds it where `overwrite` is false.
///
/// # Panics
///
/// If x has not m·n elements, with n the length of out.
pub fn sum_cols<F: Real>(m: usize, x: &[F], out: &mut [F], overwrite: bool) {
    assert_eq!(x.len(), m * out.len(), "sum_cols: x is not [{m}, {}]", out.len());
    dispatch(SumCols { m, x, out, overwrite });
}

/// Elements per step of the main stage.
const WIDE: usize = 32;
/// Elements per step of the second stage, for short slices and rests.
const NARROW: usize = 8;

/// Returns Σ term(x) over a slice in the order of this module.
#[inline(always)]
pub(crate) fn fold_sum<F: Real>(x: &[F], term: impl Fn(F) -> f64) -> f64 {
    let (wide, rest) = x.as_chunks::<WIDE>();
    let (narrow, tail) = rest.as_chunks::<NARROW>();
    let mut lanes = [0.0; NARROW];
    if !wide.is_empty() {
        let mut acc = [0.0; WIDE];
        for chunk in wide {
            for (a, &v) in acc.iter_mut().zip(chunk) {
                *a += term(v);
            }
        }
        lanes = fold32(&acc);
    }
    for chunk in narrow {
        for (a, &v) in lanes.iter_mut().zip(chunk) {
            *a += term(v);
        }
    }
    let mut total = if x.len() >= NARROW { fold8(&lanes) } else { 0.0 };
    for &v in tail {
        total += term(v);
    }
    total
}

/// Returns Σ term(x, y) over two slices of one length, in the order of this module.
#[inline(always)]
pub(crate) fn fold_sum2<F: Real>(x: &[F], y: &[F], term: impl Fn(F, F) -> f64) -> f64 {
    let ((x_wide, x_rest), (y_wide, y_rest)) = (x.as_chunks::<WIDE>(), y.as_chunks::<WIDE>());
    let ((x_narrow, x_tail), (y_narrow, y_tail)) = (x_rest.as_chunks::<NARROW>(), y_rest.as_chunks::<NARROW>());
    let mut lanes = [0.0; NARROW];
    if !x_wide.is_empty() {
        let mut acc = [0.0; WIDE];
        for (x, y) in x_wide.iter().zip(y_wide) {
            for i in 0..WIDE {
                acc[i] += term(x[i], y[i]);
            }
        }
        lanes = fold32(&acc);
    }
    for (x, y) in x_narrow.iter().zip(y_narrow) {
        for i in 0..NARROW {
            lanes[i] += term(x[i], y[i]);
        }
    }
    let mut total = if x.len() >= NARROW { fold8(&lanes) } else { 0.0 };
    for (&x, &y) in x_tail.iter().zip(y_tail) {
        total += term(x, y);
    }
    total
}

/// Returns the largest element, NaN if there is one, −∞ if there is none.
#[inline(always)]
pub(crate) fn fold_max<F: Real>(x: &[F]) -> F {
    let (wide, rest) = x.as_chunks::<WIDE>();
    let (narrow, tail) = rest.as_chunks::<NARROW>();
    let mut lanes = [-F::INFINITY; NARROW];
    if !wide.is_empty() {
        let mut acc = [-F::INFINITY; WIDE];
        for chunk in wide {
            for i in 0..WIDE {
                acc[i] = larger(acc[i], chunk[i]);
            }
        }
        for part in acc.as_chunks::<NARROW>().0 {
            for i in 0..NARROW {
                lanes[i] = larger(lanes[i], part[i]);
            }
        }
    }
    for chunk in narrow {
        for i in 0..NARROW {
            lanes[i] = larger(lanes[i], chunk[i]);
        }
    }
    let mut total = -F::INFINITY;
    if x.len() >= NARROW {
        for i in 0..4 {
            lanes[i] = larger(lanes[i], lanes[i + 4]);
        }
        total = larger(larger(lanes[0], lanes[2]), larger(lanes[1], lanes[3]));
    }
    for &v in tail {
        total = larger(total, v);
    }
    total
}

/// Returns the larger, or NaN if either is; without a branch, so that loops over it vectorise.
#[inline(always)]
fn larger<F: Real>(a: F, b: F) -> F {
    F::select((a > b) | a.is_nan(), a, b)
}

struct Sum<'a, F> {
    x: &'a [F],
}

impl<F: Real> Loop for Sum<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        fold_sum(self.x, F::to_f64)
    }
}

struct Dot<'a, F> {
    x: &'a [F],
    y: &'a [F],
}

impl<F: Real> Loop for Dot<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        fold_sum2(self.x, self.y, |x, y| x.to_f64() * y.to_f64())
    }
}

struct Max<'a, F> {
    x: &'a [F],
}

impl<F: Real> Loop for Max<'_, F> {
    type Out = F;

    #[inline(always)]
    fn run(self) -> F {
        fold_max(self.x)
    }
}

struct SumRows<'a, F> {
    n: usize,
    x: &'a [F],
    out: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for SumRows<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        if self.n == 1 {
            for (out, &x) in self.out.iter_mut().zip(self.x) {
                *out = if self.overwrite { x } else { *out + x };
            }
            return;
        }
        for (i, out) in self.out.iter_mut().enumerate() {
            let row = &self.x[i * self.n..(i + 1) * self.n];
            let total = F::from_f64(fold_sum(row, F::to_f64));
            *out = if self.overwrite { total } else { *out + total };
        }
    }
}

/// Columns per pass of `sum_cols`, and the size of its accumulator.
const COLS: usize = 128;
/// Rows narrower than this are taken eight at a time, as one wide row.
const NARROW_ROW: usize = COLS / 8;

struct SumCols<'a, F> {
    m: usize,
    x: &'a [F],
    out: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for SumCols<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let fold = if n <= NARROW_ROW { 8 } else { 1 };
        let wide = fold * n;
        for start in (0..wide).step_by(COLS) {
            let width = COLS.min(wide - start);
            let mut acc = [0.0; COLS];
            let acc = &mut acc[..width];
            add_columns(acc, self.x, self.m / fold, wide, start);
            for part in 1..fold {
                for j in 0..n {
                    acc[j] += acc[part * n + j];
                }
            }
            let out = &mut self.out[start..start + width / fold];
            for i in self.m / fold * fold..self.m {
                for (acc, &v) in acc.iter_mut().zip(&self.x[i * n..(i + 1) * n]) {
                    *acc += v.to_f64();
                }
            }
            for (out, &total) in out.iter_mut().zip(acc.iter()) {
                let total = F::from_f64(total);
                *out = if self.overwrite { total } else { *out + total };
            }
        }
    }
}

/// Adds columns start.. of x: `[m, n]` to acc, four rows at a time.
#[inline(always)]
fn add_columns<F: Real>(acc: &mut [f64], x: &[F], m: usize, n: usize, start: usize) {
    let width = acc.len();
    let row = |i: usize| &x[i * n + start..i * n + start + width];
    for i in (0..m / 4 * 4).step_by(4) {
        let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
        for j in 0..width {
            acc[j] += (a[j].to_f64() + b[j].to_f64()) + (c[j].to_f64() + d[j].to_f64());
        }
    }
    for i in m / 4 * 4..m {
        for (acc, &v) in acc.iter_mut().zip(row(i)) {
            *acc += v.to_f64();
        }
    }
}

/// Panics unless `x` and `out` have one length, a multiple of n.
pub(super) fn check_rows<F>(name: &str, n: usize, x: &[F], out: &[F]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, fill};

    const LENGTHS: [usize; 12] = [0, 1, 2, 7, 8, 9, 25, 31, 32, 33, 100, 1001];

    fn check<F: Real>(tolerance: f64) {
        for n in LENGTHS {
            let (x, y) = (fill::<F>(n, 1), fill::<F>(n, 2));
            let naive: f64 = x.iter().map(|v| v.to_f64()).sum();
            assert_close(&[sum_f64(&x)], &[naive], 1e-14 * (1 + n) as f64, "sum_f64");
            let naive: f64 = x.iter().zip(&y).map(|(x, y)| x.to_f64() * y.to_f64()).sum();
            assert_close(&[dot(&x, &y)], &[F::from_f64(naive)], tolerance, "dot");
            let naive = x.iter().fold(-F::INFINITY, |a, &b| if b > a { b } else { a });
            assert_close(&[max(&x)], &[naive], 0.0, "max");
        }
    }

    #[test]
    fn reductions_equal_their_twins() {
        check::<f64>(1e-14);
        check::<f32>(1e-7);
    }

    #[test]
    fn f32_sums_keep_f64_digits() {
        let x = [1e8f32, 1.0, -1e8, 1.0];
        assert_eq!(sum_f64(&x), 2.0);
        let many = vec![0.1f32; 1_000_000];
        assert_eq!(sum_f64(&many), 0.1f32 as f64 * 1e6);
    }

    #[test]
    fn max_passes_nan_on_from_every_position() {
        for n in [1, 7, 8, 40, 70] {
            for at in 0..n {
                let mut x = fill::<f64>(n, 3);
                x[at] = f64::NAN;
                assert!(max(&x).is_nan(), "NaN at {at} of {n}");
            }
        }
        assert_eq!(max::<f32>(&[]), f32::NEG_INFINITY);
        assert_eq!(max(&[f64::NEG_INFINITY; 9]), f64::NEG_INFINITY);
    }

    fn check_axes<F: Real>(m: usize, n: usize, tolerance: f64) {
        let x = fill::<F>(m * n, 1);
        let at = |i: usize, j: usize| x[i * n + j].to_f64();
        let rows: Vec<F> = (0..m).map(|i| F::from_f64((0..n).map(|j| at(i, j)).sum())).collect();
        let cols: Vec<F> = (0..n).map(|j| F::from_f64((0..m).map(|i| at(i, j)).sum())).collect();
        for (want, by_rows) in [(rows, true), (cols, false)] {
            let run = |out: &mut [F], overwrite| match by_rows {
                true => sum_rows(n, &x, out, overwrite),
                false => sum_cols(m, &x, out, overwrite),
            };
            let mut out = vec![F::NAN; want.len()];
            run(&mut out, true);
            assert_close(&out, &want, tolerance, &format!("[{m}, {n}] by rows: {by_rows}"));
            run(&mut out, false);
            let doubled: Vec<F> = want.iter().map(|&w| w + w).collect();
            assert_close(&out, &doubled, 2.0 * tolerance, &format!("[{m}, {n}] twice"));
        }
    }

    #[test]
    fn sums_along_an_axis_equal_their_twins() {
        for m in [0, 1, 2, 3, 5, 8, 37] {
            for n in [0, 1, 3, 7, 10, 16, 17, 25, 64, 128, 129, 300] {
                check_axes::<f64>(m, n, 1e-14);
                check_axes::<f32>(m, n, 1e-7);
            }
        }
    }
}
