//! Solves with a lower triangular matrix and with its transpose, and their adjoints.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::linear::matvec::add_all_rows;
use crate::kernels::linear::view::View;
use crate::kernels::real::Real;
use crate::kernels::reduce::sums::fold_sum2;
use crate::kernels::simd::vector::{Vector, VectorLoop, dispatch_vectors};

/// Rows that are eliminated one by one between two matrix products.
const BLOCK: usize = 32;

/// Replaces b: `[n, m]` by the X with L X = B, for L: `[n, n]` of which only the lower triangle is read.
///
/// A zero on the diagonal gives infinities or NaN.
///
/// # Panics
///
/// If a slice has not the length of its shape.
pub fn solve_lower<F: Real>(n: usize, m: usize, l: &[F], b: &mut [F]) {
    check("solve_lower", n, m, l, b);
    if m <= 1 {
        if m == 1 {
            dispatch(ForwardOne { n, l, b });
        }
        return;
    }
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        subtract_product(n, m, l, b, (start..end, 0..start), false);
        dispatch_vectors(Forward { n, m, l, b, start, end });
    }
}

/// Replaces b: `[n, m]` by the X with Lᵀ X = B, for L: `[n, n]` of which only the lower triangle is read.
///
/// A zero on the diagonal gives infinities or NaN.
///
/// # Panics
///
/// If a slice has not the length of its shape.
pub fn solve_lower_transposed<F: Real>(n: usize, m: usize, l: &[F], b: &mut [F]) {
    check("solve_lower_transposed", n, m, l, b);
    if m <= 1 {
        if m == 1 {
            dispatch(BackwardOne { n, l, b });
        }
        return;
    }
    for start in (0..n).step_by(BLOCK).rev() {
        let end = n.min(start + BLOCK);
        subtract_product(n, m, l, b, (end..n, start..end), true);
        dispatch_vectors(Backward { n, m, l, b, start, end });
    }
}

/// The adjoint of [`solve_lower`] from its result x: `d` holds d_x on entry and d_b = L⁻ᵀ d_x on return, and
/// −tril(d_b xᵀ) is added to d_l: `[n, n]` or overwrites it.
///
/// # Panics
///
/// If a slice has not the length of its shape.
pub fn solve_lower_adjoint<F: Real>(n: usize, m: usize, l: &[F], x: &[F], d: &mut [F], d_l: &mut [F], overwrite: bool) {
    check("solve_lower_adjoint", n, m, d_l, x);
    solve_lower_transposed(n, m, l, d);
    subtract_lower(n, m, d, x, d_l, overwrite);
}

/// The adjoint of [`solve_lower_transposed`] from its result x: `d` holds d_x on entry and d_b = L⁻¹ d_x on return,
/// and −tril(x d_bᵀ) is added to d_l: `[n, n]` or overwrites it.
///
/// # Panics
///
/// If a slice has not the length of its shape.
pub fn solve_lower_transposed_adjoint<F: Real>(
    n: usize,
    m: usize,
    l: &[F],
    x: &[F],
    d: &mut [F],
    d_l: &mut [F],
    overwrite: bool,
) {
    check("solve_lower_transposed_adjoint", n, m, d_l, x);
    solve_lower(n, m, l, d);
    subtract_lower(n, m, x, d, d_l, overwrite);
}

fn check<F>(name: &str, n: usize, m: usize, l: &[F], b: &[F]) {
    assert!(
        l.len() == n * n && b.len() == n * m,
        "{name}: {} and {} elements are not [{n}, {n}] and [{n}, {m}]",
        l.len(),
        b.len()
    );
}

/// Subtracts `L[rows, cols]` `X[cols]` from `B[rows]`, or `L[rows, cols]`ᵀ `X[rows]` from `B[cols]` if `transposed`; X is what
/// `b` holds in the other rows.
fn subtract_product<F: Real>(
    n: usize,
    m: usize,
    l: &[F],
    b: &mut [F],
    (rows, cols): (std::ops::Range<usize>, std::ops::Range<usize>),
    transposed: bool,
) {
    let part = View::of_slice(l, n, rows.clone(), cols.clone());
    let (len, base) = (b.len(), b.as_mut_ptr());
    let rows = View::of(base, len, m, rows, 0..m);
    let cols = View::of(base, len, m, cols, 0..m);
    // SAFETY: b lives, and the two ranges of its rows are disjoint.
    unsafe {
        if transposed {
            cols.subtract_product(part.t(), rows);
        } else {
            rows.subtract_product(part, cols);
        }
    }
}

/// Subtracts tril(u vᵀ) from d_l, for u, v: `[n, m]`, or overwrites d_l with its negative.
fn subtract_lower<F: Real>(n: usize, m: usize, u: &[F], v: &[F], d_l: &mut [F], overwrite: bool) {
    if overwrite {
        d_l.fill(F::ZERO);
    }
    if m == 1 {
        dispatch(SubtractOuter { n, u, v, d_l });
        return;
    }
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        let width = end - start;
        let mut diagonal = [F::ZERO; BLOCK * BLOCK];
        let tile = View::of(diagonal.as_mut_ptr(), diagonal.len(), BLOCK, 0..width, 0..width);
        let (len, base) = (d_l.len(), d_l.as_mut_ptr());
        let rows = View::of_slice(u, m, start..end, 0..m);
        // SAFETY: the buffers live, and neither d_l nor the tile overlaps u or v.
        unsafe {
            let left = View::of(base, len, n, start..end, 0..start);
            left.subtract_product(rows, View::of_slice(v, m, 0..start, 0..m).t());
            tile.subtract_product(rows, View::of_slice(v, m, start..end, 0..m).t());
        }
        for i in 0..width {
            let row = &mut d_l[(start + i) * n + start..][..i + 1];
            for (d_l, &t) in row.iter_mut().zip(&diagonal[i * BLOCK..]) {
                *d_l += t;
            }
        }
    }
}

/// Forward substitution of the rows start..end among themselves.
struct Forward<'a, F> {
    n: usize,
    m: usize,
    l: &'a [F],
    b: &'a mut [F],
    start: usize,
    end: usize,
}

impl<F: Real> VectorLoop<F> for Forward<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let (n, m) = (self.n, self.m);
        let mut factors = [F::ZERO; BLOCK];
        for i in self.start..self.end {
            let l = &self.l[i * n..i * n + i + 1];
            let factors = &mut factors[..i - self.start];
            for (factor, &l) in factors.iter_mut().zip(&l[self.start..]) {
                *factor = -l;
            }
            let (before, row) = self.b.split_at_mut(i * m);
            let row = &mut row[..m];
            add_all_rows::<F, V>(&before[self.start * m..], factors, row);
            scale_row(row, F::ONE / l[i]);
        }
    }
}

/// Backward substitution of the rows start..end among themselves.
struct Backward<'a, F> {
    n: usize,
    m: usize,
    l: &'a [F],
    b: &'a mut [F],
    start: usize,
    end: usize,
}

impl<F: Real> VectorLoop<F> for Backward<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let (n, m) = (self.n, self.m);
        let mut factors = [F::ZERO; BLOCK];
        for i in (self.start..self.end).rev() {
            let factors = &mut factors[..self.end - i - 1];
            for (k, factor) in factors.iter_mut().enumerate() {
                *factor = -self.l[(i + 1 + k) * n + i];
            }
            let (row, after) = self.b[i * m..self.end * m].split_at_mut(m);
            add_all_rows::<F, V>(after, factors, row);
            scale_row(row, F::ONE / self.l[i * n + i]);
        }
    }
}

#[inline(always)]
fn scale_row<F: Real>(row: &mut [F], factor: F) {
    for x in row {
        *x *= factor;
    }
}

/// Forward substitution of one right-hand side.
struct ForwardOne<'a, F> {
    n: usize,
    l: &'a [F],
    b: &'a mut [F],
}

impl<F: Real> Loop for ForwardOne<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for i in 0..self.n {
            let l = &self.l[i * self.n..][..i + 1];
            let (before, b) = self.b.split_at_mut(i);
            let known = fold_sum2(&l[..i], before, |l, x| l.to_f64() * x.to_f64());
            b[0] = (b[0] - F::from_f64(known)) / l[i];
        }
    }
}

/// Backward substitution of one right-hand side, along the rows of L.
struct BackwardOne<'a, F> {
    n: usize,
    l: &'a [F],
    b: &'a mut [F],
}

impl<F: Real> Loop for BackwardOne<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for i in (0..self.n).rev() {
            let l = &self.l[i * self.n..][..i + 1];
            let (before, b) = self.b.split_at_mut(i);
            let x = b[0] / l[i];
            b[0] = x;
            for (b, &l) in before.iter_mut().zip(l) {
                *b -= l * x;
            }
        }
    }
}

struct SubtractOuter<'a, F> {
    n: usize,
    u: &'a [F],
    v: &'a [F],
    d_l: &'a mut [F],
}

impl<F: Real> Loop for SubtractOuter<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (i, &u) in self.u.iter().enumerate() {
            for (d_l, &v) in self.d_l[i * self.n..][..i + 1].iter_mut().zip(self.v) {
                *d_l -= u * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, differences, fill};

    const SHAPES: [[usize; 2]; 11] = [
        [0, 1],
        [1, 1],
        [3, 0],
        [3, 2],
        [5, 1],
        [32, 3],
        [33, 1],
        [33, 5],
        [64, 2],
        [70, 1],
        [70, 40],
    ];

    /// Returns a well-conditioned lower triangle with NaN above, which must not be read.
    fn factor<F: Real>(n: usize) -> Vec<F> {
        let entries = fill::<f64>(n * n, 4);
        let scale = 1.0 / (1.0 + n as f64).sqrt();
        (0..n * n)
            .map(|ij| match (ij / n).cmp(&(ij % n)) {
                std::cmp::Ordering::Less => F::NAN,
                std::cmp::Ordering::Equal => F::from_f64(1.5 + entries[ij]),
                std::cmp::Ordering::Greater => F::from_f64(scale * entries[ij]),
            })
            .collect()
    }

    fn check<F: Real>([n, m]: [usize; 2], tolerance: f64) {
        let (l, b) = (factor::<F>(n), fill::<F>(n * m, 5));
        for transposed in [false, true] {
            let mut x = b.clone();
            if transposed {
                solve_lower_transposed(n, m, &l, &mut x)
            } else {
                solve_lower(n, m, &l, &mut x)
            }
            let product = |i: usize, j: usize| -> f64 {
                (0..n)
                    .filter(|&k| if transposed { k >= i } else { k <= i })
                    .map(|k| if transposed { l[k * n + i] } else { l[i * n + k] }.to_f64() * x[k * m + j].to_f64())
                    .sum()
            };
            let back: Vec<F> = (0..n * m).map(|ij| F::from_f64(product(ij / m, ij % m))).collect();
            assert_close(&back, &b, tolerance, &format!("[{n}, {m}] transposed {transposed}"));
        }
    }

    #[test]
    fn product_with_the_solution_is_the_right_hand_side() {
        for shape in SHAPES {
            check::<f64>(shape, 1e-13);
            check::<f32>(shape, 3e-5);
        }
    }

    #[test]
    fn adjoints_equal_central_differences_in_both_operands() {
        for [n, m] in [[0, 1], [1, 1], [5, 1], [5, 3], [33, 1], [33, 2]] {
            let lower: Vec<f64> = factor::<f64>(n)
                .iter()
                .map(|&x| if x.is_nan() { 0.0 } else { x })
                .collect();
            let (b, d_x) = (fill::<f64>(n * m, 5), fill::<f64>(n * m, 6));
            for transposed in [false, true] {
                let solve = |l: &[f64], b: &[f64]| {
                    let mut x = b.to_vec();
                    if transposed {
                        solve_lower_transposed(n, m, l, &mut x)
                    } else {
                        solve_lower(n, m, l, &mut x)
                    }
                    x
                };
                let value = |x: &[f64]| x.iter().zip(&d_x).map(|(a, b)| a * b).sum::<f64>();
                let want_l = differences(&lower, 1e-5, |l| value(&solve(l, &b)));
                let want_b = differences(&b, 1e-5, |b| value(&solve(&lower, b)));
                let x = solve(&lower, &b);
                let adjoint = if transposed {
                    solve_lower_transposed_adjoint
                } else {
                    solve_lower_adjoint
                };
                let (mut d, mut d_l) = (d_x.clone(), vec![f64::NAN; n * n]);
                adjoint(n, m, &lower, &x, &mut d, &mut d_l, true);
                let what = format!("[{n}, {m}] transposed {transposed}");
                assert_close(&d, &want_b, 1e-8, &what);
                assert_close(&d_l, &want_l, 1e-8, &what);
                let (mut d, mut twice) = (d_x.clone(), d_l.clone());
                adjoint(n, m, &lower, &x, &mut d, &mut twice, false);
                let doubled: Vec<f64> = want_l.iter().map(|w| 2.0 * w).collect();
                assert_close(&twice, &doubled, 2e-8, &what);
            }
        }
    }
}
