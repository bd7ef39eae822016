//! The Cholesky factor of a symmetric positive definite matrix, and its adjoint.
//!
//! Blocks of 32 columns: the products between blocks are matrix products, and the work inside a block runs on
//! square tiles of fixed width, padded with zeros. The adjoint is the blocked reverse mode of
//! Murray, "Differentiation of the Cholesky decomposition" (2016), arXiv:1602.07527.

use crate::kernels::linear::view::View;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::{Vector, VectorLoop, dispatch_vectors};

/// Width of a block.
const BLOCK: usize = 32;

/// A matrix up to this side is one small tile; the side is a multiple of the lanes of every vector.
const SMALL: usize = 16;

/// A square tile of a matrix; rows and columns behind its end are zero.
type Tile<F, const W: usize> = [[F; W]; W];

/// Writes the lower triangular L with L Lᵀ = A, for A: `[n, n]` of which only the lower triangle is read, and zeros
/// above the diagonal.
///
/// # Errors
///
/// The index of the first pivot that is not positive (or is NaN), if A is not positive definite; then `l` holds
/// nothing of use.
///
/// # Panics
///
/// If a slice has not n² elements.
pub fn cholesky<F: Real>(n: usize, a: &[F], l: &mut [F]) -> Result<(), usize> {
    assert!(
        a.len() == n * n && l.len() == n * n,
        "cholesky: {} and {} elements are not {n}²",
        a.len(),
        l.len()
    );
    for i in 0..n {
        let (lower, upper) = l[i * n..(i + 1) * n].split_at_mut(i + 1);
        lower.copy_from_slice(&a[i * n..i * n + i + 1]);
        upper.fill(F::ZERO);
    }
    if n <= SMALL {
        return dispatch_vectors(FactorBlock::<F, SMALL> { l, n, start: 0 });
    }
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        let (len, base) = (l.len(), l.as_mut_ptr());
        let part = |rows, cols| View::of(base, len, n, rows, cols);
        // SAFETY: l lives, and the columns from `start` on are disjoint from those before it.
        unsafe {
            part(start..n, start..end).subtract_product(part(start..n, 0..start), part(start..end, 0..start).t())
        };
        dispatch_vectors(FactorBlock::<F, BLOCK> { l, n, start })?;
    }
    Ok(())
}

/// Replaces the adjoint of L by that of A = L Lᵀ: d: `[n, n]` holds d_l on entry and d_a on return.
///
/// Only the lower triangle of A is a variable: for i > j, d_aᵢⱼ is the derivative when aᵢⱼ and its mirror image move
/// together, and the upper triangle of d_a is zero. What d_l holds above the diagonal is not read.
///
/// # Panics
///
/// If a slice has not n² elements.
pub fn cholesky_adjoint<F: Real>(n: usize, l: &[F], d: &mut [F]) {
    assert!(
        l.len() == n * n && d.len() == n * n,
        "cholesky_adjoint: {} and {} elements are not {n}²",
        l.len(),
        d.len()
    );
    for i in 0..n {
        d[i * n + i + 1..(i + 1) * n].fill(F::ZERO);
    }
    let out = d;
    if n <= SMALL {
        let mut symmetric = [F::ZERO; SMALL * SMALL];
        dispatch_vectors(ReverseBlock::<F, SMALL> {
            l,
            out,
            n,
            start: 0,
            symmetric: &mut symmetric,
        });
        return;
    }
    let mut symmetric = [F::ZERO; BLOCK * BLOCK];
    for start in (0..n).step_by(BLOCK).rev() {
        let end = n.min(start + BLOCK);
        dispatch_vectors(SolveBelow { l, out, n, start, end });
        let (len, base) = (out.len(), out.as_mut_ptr());
        let d = |rows, cols| View::of(base, len, n, rows, cols);
        let part = |rows, cols| View::of_slice(l, n, rows, cols);
        // SAFETY: `out` lives, and each product writes a rectangle apart from the one of `out` that it reads.
        unsafe {
            d(end..n, 0..start).subtract_product(d(end..n, start..end), part(start..end, 0..start));
            d(start..end, start..end).subtract_product(d(end..n, start..end).t(), part(end..n, start..end));
        }
        dispatch_vectors(ReverseBlock::<F, BLOCK> {
            l,
            out,
            n,
            start,
            symmetric: &mut symmetric,
        });
        let (len, base) = (out.len(), out.as_mut_ptr());
        let d = |rows, cols| View::of(base, len, n, rows, cols);
        let width = end - start;
        // SAFETY: as above.
        unsafe {
            d(start..end, 0..start).subtract_product(d(end..n, start..end).t(), part(end..n, 0..start));
            let symmetric = View::of_slice(&symmetric, BLOCK, 0..width, 0..width);
            d(start..end, 0..start).subtract_product(symmetric, part(start..end, 0..start));
        }
    }
}

/// Copies the lower triangle of a diagonal block into a tile.
#[inline(always)]
fn read_tile<F: Real, const W: usize>(matrix: &[F], n: usize, start: usize) -> Tile<F, W> {
    let mut tile = [[F::ZERO; W]; W];
    for i in 0..W.min(n - start) {
        let row = &matrix[(start + i) * n + start..][..i + 1];
        for (t, &x) in tile[i].iter_mut().zip(row) {
            *t = x;
        }
    }
    tile
}

/// Writes a tile back over a diagonal block, its zeros above the diagonal too.
#[inline(always)]
fn write_tile<F: Real, const W: usize>(tile: &Tile<F, W>, matrix: &mut [F], n: usize, start: usize) {
    let width = W.min(n - start);
    for i in 0..width {
        matrix[(start + i) * n + start..][..width].copy_from_slice(&tile[i][..width]);
    }
}

/// Adds a·x to y over a whole row of a tile.
#[inline(always)]
fn add_row<F: Real, V: Vector<F>, const W: usize>(a: F, x: &[F; W], y: &mut [F; W]) {
    const { assert!(W.is_multiple_of(SMALL)) };
    let factor = V::splat(a);
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    for j in (0..W).step_by(V::LANES) {
        // SAFETY: W is a multiple of `LANES`, so that j + LANES is not above it.
        unsafe { V::load(y.add(j)).add(V::load(x.add(j)).mul(factor)).store(y.add(j)) };
    }
}

/// Factors the diagonal block at `start` and solves for the rows below it.
struct FactorBlock<'a, F, const W: usize> {
    l: &'a mut [F],
    n: usize,
    start: usize,
}

impl<F: Real, const W: usize> VectorLoop<F> for FactorBlock<'_, F, W> {
    type Out = Result<(), usize>;

    #[inline(always)]
    fn run<V: Vector<F>>(self) -> Result<(), usize> {
        let (n, start) = (self.n, self.start);
        let width = W.min(n - start);
        let mut tile: Tile<F, W> = read_tile(self.l, n, start);
        let mut columns = [[F::ZERO; W]; W];
        let mut inverse = [F::ZERO; W];
        for k in 0..width {
            let pivot = tile[k][k];
            if pivot.is_nan() || pivot <= F::ZERO {
                return Err(start + k);
            }
            let root = pivot.sqrt();
            tile[k][k] = root;
            inverse[k] = F::ONE / root;
            for i in k + 1..width {
                tile[i][k] /= root;
                columns[k][i] = tile[i][k];
            }
            for i in k + 1..width {
                // The tile above the diagonal fills with values that nobody reads; it is cleared below.
                add_row::<F, V, W>(-columns[k][i], &columns[k], &mut tile[i]);
            }
        }
        for (i, row) in tile.iter_mut().enumerate() {
            row[i + 1..].fill(F::ZERO);
        }
        write_tile(&tile, self.l, n, start);
        for i in start + width..n {
            let place = &mut self.l[i * n + start..][..width];
            let mut row = [F::ZERO; W];
            row[..width].copy_from_slice(place);
            for k in 0..width {
                let x = row[k] * inverse[k];
                add_row::<F, V, W>(-x, &columns[k], &mut row);
                row[k] = x;
            }
            place.copy_from_slice(&row[..width]);
        }
        Ok(())
    }
}

/// Replaces the rows of `out` below a block by their product with the inverse of the block's factor.
struct SolveBelow<'a, F> {
    l: &'a [F],
    out: &'a mut [F],
    n: usize,
    start: usize,
    end: usize,
}

impl<F: Real> VectorLoop<F> for SolveBelow<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let (n, start) = (self.n, self.start);
        let width = self.end - start;
        let mut tile: Tile<F, BLOCK> = read_tile(self.l, n, start);
        let mut inverse = [F::ZERO; BLOCK];
        for k in 0..width {
            inverse[k] = F::ONE / tile[k][k];
            tile[k][k] = F::ZERO;
        }
        for i in self.end..n {
            let place = &mut self.out[i * n + start..][..width];
            let mut row = [F::ZERO; BLOCK];
            row[..width].copy_from_slice(place);
            for k in (0..width).rev() {
                let x = row[k] * inverse[k];
                add_row::<F, V, BLOCK>(-x, &tile[k], &mut row);
                row[k] = x;
            }
            place.copy_from_slice(&row[..width]);
        }
    }
}

/// Reverses the factorisation of one diagonal block, and writes D̄ + D̄ᵀ of it.
struct ReverseBlock<'a, F, const W: usize> {
    l: &'a [F],
    out: &'a mut [F],
    n: usize,
    start: usize,
    symmetric: &'a mut [F],
}

impl<F: Real, const W: usize> VectorLoop<F> for ReverseBlock<'_, F, W> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let (n, start) = (self.n, self.start);
        let width = W.min(n - start);
        let l: Tile<F, W> = read_tile(self.l, n, start);
        let mut d: Tile<F, W> = read_tile(self.out, n, start);
        for j in (0..width).rev() {
            let pivot = l[j][j];
            for row in d[j + 1..width].iter_mut() {
                row[j] /= pivot;
            }
            let mut pivot_adjoint = d[j][j];
            for i in j + 1..width {
                pivot_adjoint -= l[i][j] * d[i][j];
            }
            pivot_adjoint /= pivot;
            // Rows of L and of the adjoint are cut to the columns before j by zeros from j on.
            let mut l_row = l[j];
            l_row[j..].fill(F::ZERO);
            let mut d_row = d[j];
            add_row::<F, V, W>(-pivot_adjoint, &l_row, &mut d_row);
            for i in j + 1..width {
                add_row::<F, V, W>(-d[i][j], &l[i], &mut d_row);
                let factor = -d[i][j];
                add_row::<F, V, W>(factor, &l_row, &mut d[i]);
            }
            d[j][..j].copy_from_slice(&d_row[..j]);
            d[j][j] = pivot_adjoint / (F::ONE + F::ONE);
        }
        for i in 0..width {
            d[i][i + 1..].fill(F::ZERO);
            for j in 0..=i {
                self.symmetric[i * W + j] = d[i][j] + if i == j { d[i][i] } else { F::ZERO };
                self.symmetric[j * W + i] = self.symmetric[i * W + j];
            }
        }
        write_tile(&d, self.out, n, start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, check_adjoint, fill};

    /// Returns G Gᵀ / n + I for a random G: `[n, n]`, with NaN above the diagonal, which must not be read.
    fn positive_definite<F: Real>(n: usize) -> Vec<F> {
        let g = fill::<f64>(n * n, 4);
        let entry = |i: usize, j: usize| -> f64 {
            let product: f64 = (0..n).map(|k| g[i * n + k] * g[j * n + k]).sum();
            product / n as f64 + if i == j { 1.0 } else { 0.0 }
        };
        (0..n * n)
            .map(|ij| {
                if ij % n > ij / n {
                    F::NAN
                } else {
                    F::from_f64(entry(ij / n, ij % n))
                }
            })
            .collect()
    }

    fn check<F: Real>(n: usize, tolerance: f64) {
        let a = positive_definite::<F>(n);
        let mut l = vec![F::NAN; n * n];
        assert_eq!(cholesky(n, &a, &mut l), Ok(()), "{n}");
        for i in 0..n {
            for j in 0..n {
                if j > i {
                    assert_eq!(l[i * n + j], F::ZERO, "[{i}, {j}] of {n}");
                } else {
                    let product: f64 = (0..=j).map(|k| l[i * n + k].to_f64() * l[j * n + k].to_f64()).sum();
                    assert_close(
                        &[F::from_f64(product)],
                        &[a[i * n + j]],
                        tolerance,
                        &format!("[{i}, {j}] of {n}"),
                    );
                }
            }
        }
    }

    #[test]
    fn factor_times_its_transpose_is_the_matrix() {
        for n in [0, 1, 2, 5, 8, 9, 31, 32, 33, 64, 70] {
            check::<f64>(n, 1e-14);
            check::<f32>(n, 2e-6);
        }
    }

    #[test]
    fn first_bad_pivot_is_named() {
        for n in [3, 40, 70] {
            for bad in [0, 2, n - 1] {
                for value in [-1.0, f64::NAN] {
                    let mut a = positive_definite::<f64>(n);
                    a[bad * (n + 1)] = value;
                    assert_eq!(cholesky(n, &a, &mut vec![0.0; n * n]), Err(bad), "{n} {bad} {value}");
                }
            }
        }
        assert_eq!(cholesky(2, &[1.0, 0.0, 1.0, 1.0], &mut [0.0; 4]), Err(1));
    }

    /// Returns a positive definite matrix with zeros above the diagonal.
    fn lower_half(n: usize) -> Vec<f64> {
        positive_definite::<f64>(n)
            .iter()
            .map(|&a| if a.is_nan() { 0.0 } else { a })
            .collect()
    }

    #[test]
    fn adjoint_equals_central_differences() {
        for n in [0, 1, 2, 5, 8, 9, 12] {
            let forward = |a: &[f64], l: &mut [f64]| assert_eq!(cholesky(n, a, l), Ok(()));
            let adjoint = |_: &[f64], l: &[f64], d_l: &[f64], d_a: &mut [f64], overwrite: bool| {
                let mut d = d_l.to_vec();
                (0..n).for_each(|i| d[i * n + i + 1..(i + 1) * n].fill(f64::NAN));
                cholesky_adjoint(n, l, &mut d);
                d_a.iter_mut()
                    .zip(d)
                    .for_each(|(old, d)| *old = if overwrite { d } else { *old + d });
            };
            check_adjoint(&lower_half(n), n * n, forward, adjoint, &format!("{n}"));
        }
    }

    #[test]
    fn adjoint_of_several_blocks_equals_a_difference_along_a_direction() {
        for n in [33, 64, 67, 101] {
            let (a, direction, d_l) = (lower_half(n), fill::<f64>(n * n, 8), fill::<f64>(n * n, 9));
            let mut l = vec![0.0; n * n];
            let mut value = |step: f64| -> f64 {
                let moved: Vec<f64> = a.iter().zip(&direction).map(|(a, d)| a + step * d).collect();
                assert_eq!(cholesky(n, &moved, &mut l), Ok(()));
                l.iter().zip(&d_l).map(|(l, d)| l * d).sum()
            };
            let want = (value(1e-6) - value(-1e-6)) / 2e-6;
            assert_eq!(cholesky(n, &a, &mut l), Ok(()));
            let mut d_a = d_l.clone();
            cholesky_adjoint(n, &l, &mut d_a);
            let got: f64 = d_a.iter().zip(&direction).map(|(a, d)| a * d).sum();
            assert_close(&[got], &[want], 1e-8, &format!("{n}"));
        }
    }
}
