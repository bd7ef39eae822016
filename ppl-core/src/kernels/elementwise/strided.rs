//! Broadcast and permuted copies of arrays of rank up to six, with their adjoints.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::real::write;
use crate::kernels::reduce::sums::{fold_sum, sum_cols, sum_rows};

/// The largest rank of a broadcast or a permutation.
pub const MAX_RANK: usize = 6;

/// A walk over an array of shape `shape` in row-major order beside another one, which moves by `strides` elements.
///
/// A broadcast has stride zero along the axes it repeats; a permutation has the strides of the source in the order
/// of the result. Axes that move together are joined when it is made, so that most walks have rank one or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    rank: usize,
    shape: [usize; MAX_RANK],
    strides: [usize; MAX_RANK],
    len_in: usize,
}

impl Walk {
    /// Returns the broadcast of `from` to `to`: shapes are aligned at the right, and a side of one is repeated.
    ///
    /// # Panics
    ///
    /// If a side of `from` is neither one nor that of `to`, or the rank of `to` is above six.
    pub fn broadcast(from: &[usize], to: &[usize]) -> Self {
        assert!(
            to.len() <= MAX_RANK && from.len() <= to.len(),
            "broadcast: cannot turn {from:?} into {to:?}"
        );
        let mut strides = [0; MAX_RANK];
        let mut stride = 1;
        for (axis, &side) in from.iter().enumerate().rev() {
            let target = to.len() - from.len() + axis;
            assert!(
                side == 1 || side == to[target],
                "broadcast: cannot turn {from:?} into {to:?}"
            );
            strides[target] = if side == 1 { 0 } else { stride };
            stride *= side;
        }
        Walk::joined(to, &strides[..to.len()], stride)
    }

    /// Returns the permutation whose result has the axes `axes` of an array of shape `from`, in this order.
    ///
    /// # Panics
    ///
    /// If `axes` is not a permutation of the axes of `from`, or there are more than six.
    pub fn permute(from: &[usize], axes: &[usize]) -> Self {
        assert!(
            from.len() <= MAX_RANK && axes.len() == from.len() && (0..from.len()).all(|a| axes.contains(&a)),
            "permute: {axes:?} are not the axes of {from:?}"
        );
        let mut stride = 1;
        let mut from_strides = [0; MAX_RANK];
        for axis in (0..from.len()).rev() {
            from_strides[axis] = stride;
            stride *= from[axis];
        }
        let (mut shape, mut strides) = ([1; MAX_RANK], [0; MAX_RANK]);
        for (i, &axis) in axes.iter().enumerate() {
            shape[i] = from[axis];
            strides[i] = from_strides[axis];
        }
        Walk::joined(&shape[..axes.len()], &strides[..axes.len()], stride)
    }

    /// Drops axes of side one and joins neighbours that move as one axis.
    fn joined(shape: &[usize], strides: &[usize], len_in: usize) -> Self {
        let mut walk = Walk {
            rank: 0,
            shape: [1; MAX_RANK],
            strides: [0; MAX_RANK],
            len_in,
        };
        for (&side, &stride) in shape.iter().zip(strides) {
            if side == 1 {
                continue;
            }
            if walk.rank > 0 && walk.strides[walk.rank - 1] == stride * side {
                walk.shape[walk.rank - 1] *= side;
                walk.strides[walk.rank - 1] = stride;
            } else {
                walk.shape[walk.rank] = side;
                walk.strides[walk.rank] = stride;
                walk.rank += 1;
            }
        }
        walk
    }

    /// Returns the number of elements of the result.
    pub fn len_out(&self) -> usize {
        self.shape[..self.rank].iter().product()
    }

    /// Writes the walked elements of x into out.
    ///
    /// # Panics
    ///
    /// If a slice has not the length of its shape.
    pub fn copy<F: Real>(&self, x: &[F], out: &mut [F]) {
        self.check("copy", x.len(), out.len());
        match (self.rank, self.strides) {
            (0, _) => out.copy_from_slice(x),
            (1, [1, ..]) => out.copy_from_slice(x),
            (1, [0, ..]) => out.fill(x[0]),
            (2, [1, s, ..]) if s == self.shape[0] => transpose(self.shape[1], self.shape[0], x, out, true),
            _ => dispatch(Copy { walk: self, x, out }),
        }
    }

    /// Adds each element of d_out to the element of d_x that [`copy`](Walk::copy) took it from, or overwrites d_x with
    /// the sums.
    ///
    /// # Panics
    ///
    /// If a slice has not the length of its shape.
    pub fn adjoint<F: Real>(&self, d_out: &[F], d_x: &mut [F], overwrite: bool) {
        self.check("adjoint", d_x.len(), d_out.len());
        match (self.rank, self.strides) {
            (0, _) | (1, [1, ..]) => dispatch(AddAll { d_out, d_x, overwrite }),
            (1, [0, ..]) => sum_rows(d_out.len(), d_out, d_x, overwrite),
            (2, [0, 1, ..]) => sum_cols(self.shape[0], d_out, d_x, overwrite),
            (2, [1, 0, ..]) => sum_rows(self.shape[1], d_out, d_x, overwrite),
            (2, [1, s, ..]) if s == self.shape[0] => transpose(self.shape[0], self.shape[1], d_out, d_x, overwrite),
            _ => {
                if overwrite {
                    d_x.fill(F::ZERO);
                }
                dispatch(AddBack { walk: self, d_out, d_x });
            }
        }
    }

    fn check(&self, name: &str, len_in: usize, len_out: usize) {
        assert!(
            len_in == self.len_in && len_out == self.len_out(),
            "{name}: {len_in} and {len_out} elements where the walk needs {} and {}",
            self.len_in,
            self.len_out()
        );
    }

    /// Returns the starts, in the walked array and in the result, of each row of the last axis.
    #[inline(always)]
    fn rows(&self) -> Rows {
        Rows {
            walk: *self,
            counter: [0; MAX_RANK],
            from: 0,
            to: 0,
            len_out: self.len_out(),
        }
    }
}

struct Rows {
    walk: Walk,
    counter: [usize; MAX_RANK],
    from: usize,
    to: usize,
    len_out: usize,
}

impl Iterator for Rows {
    type Item = (usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.to >= self.len_out {
            return None;
        }
        let (from, to) = (self.from, self.to);
        let last = self.walk.rank - 1;
        self.to += self.walk.shape[last];
        for axis in (0..last).rev() {
            self.counter[axis] += 1;
            self.from += self.walk.strides[axis];
            if self.counter[axis] < self.walk.shape[axis] {
                break;
            }
            self.from -= self.walk.strides[axis] * self.walk.shape[axis];
            self.counter[axis] = 0;
        }
        Some((from, to))
    }
}

struct Copy<'a, F> {
    walk: &'a Walk,
    x: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for Copy<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let last = self.walk.rank - 1;
        let (n, stride) = (self.walk.shape[last], self.walk.strides[last]);
        for (from, to) in self.walk.rows() {
            let out = &mut self.out[to..to + n];
            match stride {
                0 => out.fill(self.x[from]),
                1 => write(out, self.x[from..from + n].iter().copied(), true),
                _ => write(out, self.x[from..].iter().step_by(stride).copied(), true),
            }
        }
    }
}

struct AddAll<'a, F> {
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for AddAll<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        write(self.d_x, self.d_out.iter().copied(), self.overwrite);
    }
}

struct AddBack<'a, F> {
    walk: &'a Walk,
    d_out: &'a [F],
    d_x: &'a mut [F],
}

impl<F: Real> Loop for AddBack<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let last = self.walk.rank - 1;
        let (n, stride) = (self.walk.shape[last], self.walk.strides[last]);
        for (from, to) in self.walk.rows() {
            let d_out = &self.d_out[to..to + n];
            match stride {
                0 => self.d_x[from] += F::from_f64(fold_sum(d_out, F::to_f64)),
                1 => write(&mut self.d_x[from..from + n], d_out.iter().copied(), false),
                _ => {
                    for (d_x, &d_out) in self.d_x[from..].iter_mut().step_by(stride).zip(d_out) {
                        *d_x += d_out;
                    }
                }
            }
        }
    }
}

/// Writes or adds the transpose of x: `[m, n]` to out: `[n, m]`, in square tiles that stay in the cache.
fn transpose<F: Real>(m: usize, n: usize, x: &[F], out: &mut [F], overwrite: bool) {
    const TILE: usize = 16;
    for i0 in (0..m).step_by(TILE) {
        for j0 in (0..n).step_by(TILE) {
            let (i1, j1) = (m.min(i0 + TILE), n.min(j0 + TILE));
            for j in j0..j1 {
                let out = &mut out[j * m + i0..j * m + i1];
                let column = x[i0 * n + j..].iter().step_by(n);
                write(out, column.copied(), overwrite);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, fill};

    /// Checks copy and adjoint of a walk whose result takes element `source[i]` at place i.
    fn check<F: Real>(walk: &Walk, source: &[usize], len_in: usize, tolerance: f64, what: &str) {
        let x = fill::<F>(len_in, 1);
        let want: Vec<F> = source.iter().map(|&i| x[i]).collect();
        let mut out = vec![F::NAN; source.len()];
        walk.copy(&x, &mut out);
        assert_close(&out, &want, 0.0, what);
        let d_out = fill::<F>(source.len(), 2);
        let mut sums = vec![0.0; len_in];
        for (&i, d) in source.iter().zip(&d_out) {
            sums[i] += d.to_f64();
        }
        let rounded = |factor: f64| sums.iter().map(|s| F::from_f64(factor * s)).collect::<Vec<F>>();
        let mut d_x = vec![F::NAN; len_in];
        walk.adjoint(&d_out, &mut d_x, true);
        assert_close(&d_x, &rounded(1.0), tolerance, what);
        walk.adjoint(&d_out, &mut d_x, false);
        assert_close(&d_x, &rounded(2.0), tolerance, what);
    }

    /// Returns the multi-index of a flat one.
    fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
        let mut index = vec![0; shape.len()];
        for axis in (0..shape.len()).rev() {
            index[axis] = flat % shape[axis];
            flat /= shape[axis];
        }
        index
    }

    #[test]
    fn broadcasts_equal_their_twins() {
        let cases: [(&[usize], &[usize]); 19] = [
            (&[], &[]),
            (&[], &[5]),
            (&[1], &[0]),
            (&[1], &[2, 3]),
            (&[3], &[3]),
            (&[3], &[1, 3]),
            (&[25], &[100, 25]),
            (&[1, 7], &[9, 7]),
            (&[9, 1], &[9, 7]),
            (&[9, 1], &[9, 100]),
            (&[3], &[0, 3]),
            (&[3, 1], &[3, 0]),
            (&[2, 1, 4], &[2, 3, 4]),
            (&[2, 3, 1], &[2, 3, 5]),
            (&[1, 3, 1], &[4, 3, 5]),
            (&[3, 1], &[4, 3, 5]),
            (&[2, 1, 2, 1, 2, 1], &[2, 3, 2, 3, 2, 3]),
            (&[1, 3, 1, 3, 1, 3], &[2, 3, 2, 3, 2, 3]),
            (&[1, 1, 2, 3, 1, 1], &[2, 1, 2, 3, 4, 1]),
        ];
        for (from, to) in cases {
            let source: Vec<usize> = (0..to.iter().product())
                .map(|flat| {
                    let index = unravel(flat, to);
                    let kept = &index[to.len() - from.len()..];
                    from.iter()
                        .zip(kept)
                        .fold(0, |at, (&side, &i)| at * side + if side == 1 { 0 } else { i })
                })
                .collect();
            let walk = Walk::broadcast(from, to);
            let what = format!("{from:?} to {to:?}");
            check::<f64>(&walk, &source, from.iter().product(), 1e-14, &what);
            check::<f32>(&walk, &source, from.iter().product(), 1e-6, &what);
        }
    }

    #[test]
    fn permutations_equal_their_twins() {
        let cases: [(&[usize], &[usize]); 11] = [
            (&[], &[]),
            (&[4], &[0]),
            (&[3, 5], &[0, 1]),
            (&[3, 5], &[1, 0]),
            (&[33, 50], &[1, 0]),
            (&[0, 5], &[1, 0]),
            (&[2, 3, 4], &[2, 0, 1]),
            (&[2, 3, 4], &[1, 2, 0]),
            (&[2, 3, 4], &[0, 2, 1]),
            (&[2, 1, 4], &[2, 1, 0]),
            (&[2, 3, 2, 3, 2, 3], &[5, 0, 3, 2, 4, 1]),
        ];
        for (from, axes) in cases {
            let to: Vec<usize> = axes.iter().map(|&axis| from[axis]).collect();
            let source: Vec<usize> = (0..to.iter().product())
                .map(|flat| {
                    let index = unravel(flat, &to);
                    let at = |axis: usize| index[axes.iter().position(|&a| a == axis).unwrap_or(0)];
                    (0..from.len()).fold(0, |place, axis| place * from[axis] + at(axis))
                })
                .collect();
            let walk = Walk::permute(from, axes);
            check::<f64>(
                &walk,
                &source,
                from.iter().product(),
                0.0,
                &format!("{from:?} by {axes:?}"),
            );
        }
    }

    #[test]
    fn axes_that_move_together_are_joined() {
        assert_eq!(Walk::broadcast(&[2, 3, 4], &[2, 3, 4]).rank, 1);
        assert_eq!(Walk::broadcast(&[3, 4], &[7, 3, 4]), Walk::broadcast(&[12], &[7, 12]));
        assert_eq!(Walk::permute(&[2, 3, 4], &[1, 2, 0]), Walk::permute(&[2, 12], &[1, 0]));
    }

    #[test]
    #[should_panic(expected = "broadcast: cannot turn [2] into [3]")]
    fn sides_that_do_not_fit_are_refused() {
        Walk::broadcast(&[2], &[3]);
    }
}
