//! Products of a row-major matrix, plain or transposed, with a vector.
//!
//! Sums run in lanes whose number depends on the scalar type only, never on the instruction set. For a constant
//! `[m, n]` with small n it pays to store the transpose once: `A x` is then [`matvec_transposed`] of Aᵀ, whose rows
//! are long.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::real::write;
use crate::kernels::simd::vector::{Vector, VectorLoop, dispatch_vectors};

/// Writes y = A x for A: `[m, n]`, x: `[n]`, y: `[m]`, or adds A x to y where `overwrite` is false.
///
/// # Panics
///
/// If a has not m·n elements.
pub fn matvec<F: Real>(a: &[F], x: &[F], y: &mut [F], overwrite: bool) {
    assert_eq!(
        a.len(),
        x.len() * y.len(),
        "matvec: a is not [{}, {}]",
        y.len(),
        x.len()
    );
    dispatch_vectors(MatVec { a, x, y, overwrite });
}

/// Writes y = Aᵀ x for A: `[m, n]`, x: `[m]`, y: `[n]`, or adds Aᵀ x to y where `overwrite` is false.
///
/// # Panics
///
/// If a has not m·n elements.
pub fn matvec_transposed<F: Real>(a: &[F], x: &[F], y: &mut [F], overwrite: bool) {
    assert_eq!(
        a.len(),
        x.len() * y.len(),
        "matvec_transposed: a is not [{}, {}]",
        x.len(),
        y.len()
    );
    dispatch_vectors(MatVecTransposed { a, x, y, overwrite });
}

/// Adds α x yᵀ to A: `[m, n]` for x: `[m]`, y: `[n]`, or overwrites A: the adjoint of both products in their matrix.
///
/// # Panics
///
/// If a has not m·n elements.
pub fn outer<F: Real>(alpha: F, x: &[F], y: &[F], a: &mut [F], overwrite: bool) {
    assert_eq!(a.len(), x.len() * y.len(), "outer: a is not [{}, {}]", x.len(), y.len());
    dispatch(Outer {
        alpha,
        x,
        y,
        a,
        overwrite,
    });
}

struct MatVec<'a, F> {
    a: &'a [F],
    x: &'a [F],
    y: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> VectorLoop<F> for MatVec<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let (m, n) = (self.y.len(), self.x.len());
        for (i, y) in self.y.chunks_mut(4).enumerate() {
            // The last group repeats the last row to fill up four.
            let mut rows = [&self.a[..n]; 4];
            for (r, row) in rows.iter_mut().enumerate() {
                let start = (4 * i + r).min(m - 1) * n;
                *row = &self.a[start..start + n];
            }
            let sums = dot_rows::<F, V>(rows, self.x);
            for (y, sum) in y.iter_mut().zip(sums) {
                *y = if self.overwrite { sum } else { *y + sum };
            }
        }
    }
}

/// Returns the products of four rows with x.
#[inline(always)]
fn dot_rows<F: Real, V: Vector<F>>(rows: [&[F]; 4], x: &[F]) -> [F; 4] {
    let mut acc = [V::splat(F::ZERO); 4];
    let whole = x.len() / V::LANES * V::LANES;
    let left = x.len() - whole;
    let mut j = 0;
    // SAFETY: the rows and x have one length, and j + LANES (or j + left) is not above it.
    unsafe {
        while j < whole {
            let xs = V::load(x.as_ptr().add(j));
            for r in 0..4 {
                acc[r] = acc[r].add(V::load(rows[r].as_ptr().add(j)).mul(xs));
            }
            j += V::LANES;
        }
        if left > 0 {
            let xs = V::load_first(x.as_ptr().add(j), left);
            for r in 0..4 {
                acc[r] = acc[r].add(V::load_first(rows[r].as_ptr().add(j), left).mul(xs));
            }
        }
    }
    V::sums(acc)
}

struct MatVecTransposed<'a, F> {
    a: &'a [F],
    x: &'a [F],
    y: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> VectorLoop<F> for MatVecTransposed<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run<V: Vector<F>>(self) {
        let n = self.y.len();
        if self.overwrite {
            self.y.fill(F::ZERO);
        }
        if n == 0 {
            return;
        }
        add_all_rows::<F, V>(self.a, self.x, self.y);
    }
}

/// Adds Aᵀ x to y for A: `[m, n]` with n > 0, eight rows at a time.
#[inline(always)]
pub(super) fn add_all_rows<F: Real, V: Vector<F>>(a: &[F], x: &[F], y: &mut [F]) {
    let n = y.len();
    let (eights, rest) = x.as_chunks::<8>();
    let (a, a_rest) = a.split_at(eights.len() * 8 * n);
    for (x, a) in eights.iter().zip(a.chunks_exact(8 * n)) {
        add_rows::<F, V, 8>(a, x, y);
    }
    for (x, a) in rest.iter().zip(a_rest.chunks_exact(n)) {
        add_rows::<F, V, 1>(a, std::array::from_ref(x), y);
    }
}

/// Adds Σᵣ `x[r]` a[r, :] to y over R rows (eight or one) of a: [R, n].
#[inline(always)]
fn add_rows<F: Real, V: Vector<F>, const R: usize>(a: &[F], x: &[F; R], y: &mut [F]) {
    let n = y.len();
    let (a, y) = (a.as_ptr(), y.as_mut_ptr());
    let mut factors = [V::splat(F::ZERO); R];
    for r in 0..R {
        factors[r] = V::splat(x[r]);
    }
    let whole = n / V::LANES * V::LANES;
    let left = n - whole;
    let mut j = 0;
    // SAFETY: a holds R rows of n elements, y holds n, and j + LANES (or j + left) is not above n.
    unsafe {
        while j < whole {
            let mut terms = [factors[0]; R];
            for r in 0..R {
                terms[r] = V::load(a.add(r * n + j)).mul(factors[r]);
            }
            V::load(y.add(j)).add(pairwise(terms)).store(y.add(j));
            j += V::LANES;
        }
        if left > 0 {
            let mut terms = [factors[0]; R];
            for r in 0..R {
                terms[r] = V::load_first(a.add(r * n + j), left).mul(factors[r]);
            }
            V::load_first(y.add(j), left)
                .add(pairwise(terms))
                .store_first(y.add(j), left);
        }
    }
}

/// Returns the sum of R = 2ᵏ vectors as a tree.
#[inline(always)]
fn pairwise<F, V: Vector<F>, const R: usize>(mut terms: [V; R]) -> V {
    let mut half = R / 2;
    while half > 0 {
        for r in 0..half {
            terms[r] = terms[r].add(terms[r + half]);
        }
        half /= 2;
    }
    terms[0]
}

struct Outer<'a, F> {
    alpha: F,
    x: &'a [F],
    y: &'a [F],
    a: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for Outer<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.a.chunks_exact_mut(self.y.len().max(1));
        for (a, &x) in rows.zip(self.x) {
            let factor = self.alpha * x;
            write(a, self.y.iter().map(|&y| factor * y), self.overwrite);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::vector::on_every_level;
    use crate::kernels::twin::{assert_close, fill};

    fn check<F: Real>(m: usize, n: usize, tolerance: f64) {
        let (a, x, u) = (fill::<F>(m * n, 1), fill::<F>(n, 2), fill::<F>(m, 3));
        let at = |i: usize, j: usize| a[i * n + j].to_f64();
        let plain: Vec<f64> = (0..m).map(|i| (0..n).map(|j| at(i, j) * x[j].to_f64()).sum()).collect();
        let transposed: Vec<f64> = (0..n).map(|j| (0..m).map(|i| at(i, j) * u[i].to_f64()).sum()).collect();
        let rounded = |v: &[f64], factor: f64| v.iter().map(|s| F::from_f64(factor * s)).collect::<Vec<F>>();
        let what = format!("[{m}, {n}]");
        let mut y = vec![F::NAN; m];
        matvec(&a, &x, &mut y, true);
        assert_close(&y, &rounded(&plain, 1.0), tolerance, &what);
        matvec(&a, &x, &mut y, false);
        assert_close(&y, &rounded(&plain, 2.0), tolerance, &what);
        let mut y = vec![F::NAN; n];
        matvec_transposed(&a, &u, &mut y, true);
        assert_close(&y, &rounded(&transposed, 1.0), tolerance, &what);
        matvec_transposed(&a, &u, &mut y, false);
        assert_close(&y, &rounded(&transposed, 2.0), tolerance, &what);
        let alpha = F::from_f64(0.5);
        let product: Vec<F> = (0..m * n).map(|ij| alpha * u[ij / n] * x[ij % n]).collect();
        let mut b = vec![F::NAN; m * n];
        outer(alpha, &u, &x, &mut b, true);
        assert_close(&b, &product, 0.0, &what);
        outer(alpha, &u, &x, &mut b, false);
        let doubled: Vec<F> = product.iter().map(|&p| p + p).collect();
        assert_close(&b, &doubled, 0.0, &what);
    }

    #[test]
    fn products_equal_their_twins() {
        for m in [0, 1, 2, 4, 7, 8, 9, 25, 33, 100] {
            for n in [0, 1, 2, 3, 7, 8, 10, 25, 31, 32, 33, 45, 100] {
                check::<f64>(m, n, 1e-14);
                check::<f32>(m, n, 5e-6);
            }
        }
    }

    fn bits<F: Real>(m: usize, n: usize) {
        let (a, x) = (fill::<F>(m * n, 1), fill::<F>(n.max(m), 2));
        let mut results: Vec<Vec<f64>> = Vec::new();
        let levels = crate::kernels::dispatch::best() as usize;
        let mut outs = vec![vec![F::ZERO; m + n]; levels];
        let mut rest = outs.iter_mut();
        let mut next = || rest.next().expect("one output for each level");
        on_every_level(|| MatVec {
            a: &a,
            x: &x[..n],
            y: &mut next()[..m],
            overwrite: true,
        });
        let mut rest = outs.iter_mut();
        let mut next = || rest.next().expect("one output for each level");
        on_every_level(|| MatVecTransposed {
            a: &a,
            x: &x[..m],
            y: &mut next()[m..],
            overwrite: true,
        });
        results.extend(outs.iter().map(|out| out.iter().map(|y| y.to_f64()).collect()));
        for (level, result) in results.iter().enumerate() {
            assert_eq!(result, &results[0], "[{m}, {n}] at level {level}");
        }
    }

    #[test]
    fn products_have_the_same_bits_on_every_instruction_set() {
        for (m, n) in [(3, 7), (9, 25), (17, 33), (50, 130)] {
            bits::<f64>(m, n);
            bits::<f32>(m, n);
        }
    }
}
