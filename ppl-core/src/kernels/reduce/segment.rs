//! Rows picked by an index list, and sums of rows by target: a gather and its adjoint.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;

/// A list of row numbers that are known to lie below the number of rows.
#[derive(Clone, Debug)]
pub struct RowList {
    idx: Vec<u32>,
    n_rows: usize,
}

impl RowList {
    /// Checks a list.
    ///
    /// # Panics
    ///
    /// If a number is not below `n_rows`.
    pub fn new(idx: Vec<u32>, n_rows: usize) -> Self {
        let largest = idx.iter().fold(0, |largest, &i| largest.max(i));
        assert!(
            idx.is_empty() || (largest as usize) < n_rows,
            "gather: index {largest} where there are {n_rows} rows"
        );
        RowList { idx, n_rows }
    }

    /// Writes row `idx[i]` of x: `[n_rows, width]` into row i of out: `[len(idx), width]`.
    ///
    /// # Panics
    ///
    /// If a slice has not the length of its shape.
    pub fn gather<F: Real>(&self, width: usize, x: &[F], out: &mut [F]) {
        assert!(
            x.len() == self.n_rows * width && out.len() == self.idx.len() * width,
            "gather: {} and {} elements are not {} and {} rows of {width}",
            x.len(),
            out.len(),
            self.n_rows,
            self.idx.len()
        );
        let rows = Gather {
            idx: &self.idx,
            width,
            x,
            out,
        };
        // Elements here and there are read one by one: processors with the mitigation of gather data sampling
        // (CVE-2022-40982) are several times slower with vector gathers, which wider instruction sets would use.
        if width == 1 { rows.run() } else { dispatch(rows) }
    }
}

/// An index list sorted by target, for sums of rows by target.
#[derive(Clone, Debug)]
pub struct Segments {
    /// Positions in the index list, by segment and then by position.
    order: Vec<u32>,
    /// Segment s is order[offsets[s]..offsets[s + 1]].
    offsets: Vec<u32>,
    /// The target of each segment.
    targets: Vec<u32>,
    /// Whether `order` is 0, 1, 2, …
    in_order: bool,
}

impl Segments {
    /// Sorts an index list by target.
    ///
    /// # Panics
    ///
    /// If an index is not below `n_targets`, or there are 2³² of them.
    pub fn new(idx: &[u32], n_targets: usize) -> Self {
        assert!(
            u32::try_from(idx.len()).is_ok(),
            "segments: {} indexes do not fit 32 bits",
            idx.len()
        );
        let mut lens = vec![0u32; n_targets];
        for &target in idx {
            assert!(
                (target as usize) < n_targets,
                "segments: index {target} where there are {n_targets} rows"
            );
            lens[target as usize] += 1;
        }
        let in_order = idx.is_sorted();
        let mut targets: Vec<u32> = (0..n_targets as u32).collect();
        if !in_order {
            // Loops over segments of one length that follow each other end where the processor foresees it.
            targets.sort_by_key(|&t| lens[t as usize]);
        }
        let mut offsets = vec![0u32; n_targets + 1];
        let mut next = vec![0u32; n_targets];
        for (s, &target) in targets.iter().enumerate() {
            next[target as usize] = offsets[s];
            offsets[s + 1] = offsets[s] + lens[target as usize];
        }
        let mut order = vec![0u32; idx.len()];
        for (i, &target) in idx.iter().enumerate() {
            let slot = &mut next[target as usize];
            order[*slot as usize] = i as u32;
            *slot += 1;
        }
        Segments {
            order,
            offsets,
            targets,
            in_order,
        }
    }

    /// Adds the sum of the rows i of d_out: `[len(idx), width]` with `idx[i]` = t to row t of d_x: `[n_targets, width]`,
    /// or overwrites it. Sums run in f64, in the order of the index list.
    ///
    /// # Panics
    ///
    /// If a slice has not the length of its shape.
    pub fn add_rows<F: Real>(&self, width: usize, d_out: &[F], d_x: &mut [F], overwrite: bool) {
        let n_targets = self.offsets.len() - 1;
        assert!(
            d_out.len() == self.order.len() * width && d_x.len() == n_targets * width,
            "segments: {} and {} elements are not {} and {n_targets} rows of {width}",
            d_out.len(),
            d_x.len(),
            self.order.len()
        );
        let rows = AddRows {
            segments: self,
            width,
            d_out,
            d_x,
            overwrite,
        };
        // For the same reason as in [`RowList::gather`].
        if width == 1 && !self.in_order {
            rows.run()
        } else {
            dispatch(rows)
        }
    }
}

struct Gather<'a, F> {
    idx: &'a [u32],
    width: usize,
    x: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> Loop for Gather<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let width = self.width;
        if width == 1 {
            // SAFETY: a `RowList` holds numbers below the number of rows, which is the length of x.
            let pick = |i: u32| unsafe { *self.x.get_unchecked(i as usize) };
            // Pairs are stored at once; of four LLVM stores each by itself, half as fast.
            let (pairs, rest) = self.idx.as_chunks::<2>();
            let (out, out_rest) = self.out.as_chunks_mut::<2>();
            for (out, &[a, b]) in out.iter_mut().zip(pairs) {
                *out = [pick(a), pick(b)];
            }
            for (out, &i) in out_rest.iter_mut().zip(rest) {
                *out = pick(i);
            }
        } else if width > 0 {
            for (out, &i) in self.out.chunks_exact_mut(width).zip(self.idx) {
                let row = &self.x[i as usize * width..][..width];
                for (out, &x) in out.iter_mut().zip(row) {
                    *out = x;
                }
            }
        }
    }
}

struct AddRows<'a, F> {
    segments: &'a Segments,
    width: usize,
    d_out: &'a [F],
    d_x: &'a mut [F],
    overwrite: bool,
}

impl<F: Real> Loop for AddRows<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(mut self) {
        let mut start = 0;
        if self.width == 1 {
            if self.segments.in_order {
                self.single::<true>()
            } else {
                self.single::<false>()
            }
            return;
        }
        while start + 16 <= self.width {
            self.columns::<16>(start);
            start += 16;
        }
        while start + 4 <= self.width {
            self.columns::<4>(start);
            start += 4;
        }
        while start < self.width {
            self.columns::<1>(start);
            start += 1;
        }
    }
}

impl<F: Real> AddRows<'_, F> {
    /// Sums rows of one element, in four lanes.
    #[inline(always)]
    fn single<const IN_ORDER: bool>(&mut self) {
        let order = self.segments.order.as_slice();
        let d_out = self.d_out;
        let at = |k: usize| {
            // SAFETY: `order` is a permutation of 0..len(order), d_out has that length, and k is below it because
            // offsets are partial counts.
            let value = unsafe {
                if IN_ORDER {
                    *d_out.get_unchecked(k)
                } else {
                    *d_out.get_unchecked(*order.get_unchecked(k) as usize)
                }
            };
            value.to_f64()
        };
        let mut k = 0;
        for (&target, &end) in self.segments.targets.iter().zip(&self.segments.offsets[1..]) {
            let end = end as usize;
            let mut lanes = [0.0; 4];
            while k + 4 <= end {
                for (lane, total) in lanes.iter_mut().enumerate() {
                    *total += at(k + lane);
                }
                k += 4;
            }
            let mut rest = 0.0;
            while k < end {
                rest += at(k);
                k += 1;
            }
            let total = F::from_f64((lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest);
            let d_x = &mut self.d_x[target as usize];
            *d_x = if self.overwrite { total } else { *d_x + total };
        }
    }

    /// Sums the columns start..start + W of the rows.
    #[inline(always)]
    fn columns<const W: usize>(&mut self, start: usize) {
        let offsets = self.segments.offsets.windows(2);
        for (&target, ends) in self.segments.targets.iter().zip(offsets) {
            let d_x = &mut self.d_x[target as usize * self.width..][..self.width];
            let mut acc = [0.0; W];
            for &i in &self.segments.order[ends[0] as usize..ends[1] as usize] {
                let row = &self.d_out[i as usize * self.width + start..][..W];
                for (acc, &d_out) in acc.iter_mut().zip(row) {
                    *acc += d_out.to_f64();
                }
            }
            for (d_x, &total) in d_x[start..start + W].iter_mut().zip(&acc) {
                let total = F::from_f64(total);
                *d_x = if self.overwrite { total } else { *d_x + total };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::twin::{assert_close, fill};

    fn indexes(len: usize, n: usize, seed: u64) -> Vec<u32> {
        fill::<f64>(len, seed)
            .iter()
            .map(|u| ((u + 1.0) / 2.0 * n as f64) as u32)
            .collect()
    }

    fn check<F: Real>(tolerance: f64) {
        for (len, n) in [(0, 0), (0, 3), (1, 1), (7, 3), (40, 100), (919, 85), (200, 1)] {
            for width in [0, 1, 2, 4, 5, 7, 16, 23] {
                let mut idx = indexes(len, n, 9);
                for sorted in [false, true] {
                    if sorted {
                        idx.sort();
                    }
                    check_case::<F>(&idx, n, width, tolerance);
                }
            }
        }
    }

    fn check_case<F: Real>(idx: &[u32], n: usize, width: usize, tolerance: f64) {
        let what = format!("{} of {n} rows of {width}", idx.len());
        let x = fill::<F>(n * width, 1);
        let naive: Vec<F> = (0..idx.len() * width)
            .map(|ij| x[idx[ij / width] as usize * width + ij % width])
            .collect();
        let mut out = vec![F::NAN; idx.len() * width];
        RowList::new(idx.to_vec(), n).gather(width, &x, &mut out);
        assert_close(&out, &naive, 0.0, &what);

        let d_out = fill::<F>(idx.len() * width, 2);
        let mut sums = vec![0.0; n * width];
        for ij in 0..idx.len() * width {
            sums[idx[ij / width] as usize * width + ij % width] += d_out[ij].to_f64();
        }
        let rounded = |factor: f64| sums.iter().map(|s| F::from_f64(factor * s)).collect::<Vec<F>>();
        let segments = Segments::new(idx, n);
        let mut d_x = vec![F::NAN; n * width];
        segments.add_rows(width, &d_out, &mut d_x, true);
        assert_close(&d_x, &rounded(1.0), tolerance, &what);
        segments.add_rows(width, &d_out, &mut d_x, false);
        assert_close(&d_x, &rounded(2.0), tolerance, &what);
    }

    #[test]
    fn gathers_and_segment_sums_equal_their_twins() {
        check::<f64>(1e-14);
        check::<f32>(2e-7);
    }

    #[test]
    #[should_panic(expected = "gather: index 3 where there are 3 rows")]
    fn row_lists_refuse_an_index_past_the_end() {
        RowList::new(vec![0, 3, 1], 3);
    }

    #[test]
    #[should_panic(expected = "segments: index 2 where there are 2 rows")]
    fn segments_refuse_an_index_past_the_end() {
        Segments::new(&[0, 2], 2);
    }
}
