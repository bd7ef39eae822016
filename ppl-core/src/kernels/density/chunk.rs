//! What the loops over a density read and write: chunks of 32 elements, so that inner loops have a known length.

// Several arrays are walked by one index in these loops.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;

use crate::kernels::density::{Operands, times};
use crate::kernels::real::Real;
use crate::kernels::simd::lanes::{fold8, fold32};

/// The elements that are worked on together.
pub const CHUNK: usize = 32;

/// A chunk on cache lines of its own.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Chunk<F>(pub [F; CHUNK]);

impl<F: Real> Chunk<F> {
    /// All zeros.
    pub const ZERO: Self = Chunk([F::ZERO; CHUNK]);
}

/// An operand: its own elements, or a chunk that stands for those at every place.
struct Source<'a, F> {
    elements: &'a [F],
    is_repeated: bool,
    /// Written where `is_repeated` holds.
    repeated: MaybeUninit<Chunk<F>>,
}

impl<'a, F: Real> Source<'a, F> {
    /// Holds nothing yet. No constant: that would be copied from memory, and the chunk with it.
    #[inline(always)]
    fn empty() -> Self {
        Source {
            elements: &[],
            is_repeated: false,
            repeated: MaybeUninit::uninit(),
        }
    }

    #[inline(always)]
    fn set(&mut self, elements: &'a [F]) {
        if let [x] = elements {
            self.is_repeated = true;
            self.repeated.write(Chunk([*x; CHUNK]));
        } else {
            self.elements = elements;
        }
    }

    #[inline(always)]
    fn at(&self, i: usize) -> &[F; CHUNK] {
        if self.is_repeated {
            // SAFETY: `set` has written it.
            unsafe { &self.repeated.assume_init_ref().0 }
        } else {
            self.elements[i..].first_chunk().expect("a chunk")
        }
    }
}

/// All operands of a density.
pub struct Sources<'a, const P: usize, F> {
    x: Source<'a, F>,
    params: [Source<'a, F>; P],
}

impl<'a, const P: usize, F: Real> Sources<'a, P, F> {
    /// Holds nothing yet: see [`Sources::set`].
    #[inline(always)]
    pub fn empty() -> Self {
        Sources {
            x: Source::empty(),
            params: std::array::from_fn(|_| Source::empty()),
        }
    }

    /// Takes the operands, in place: a constructor's copies would cost as much as two chunks.
    #[inline(always)]
    pub fn set(&mut self, operands: &Operands<'a, P, F>) {
        self.x.set(operands.x);
        for k in 0..P {
            self.params[k].set(operands.params[k]);
        }
    }

    /// Returns a chunk of elements, from place `i` on.
    #[inline(always)]
    pub fn at(&self, i: usize) -> (&[F; CHUNK], [&[F; CHUNK]; P]) {
        let x = self.x.at(i);
        let mut params = [x; P];
        for (param, source) in params.iter_mut().zip(&self.params) {
            *param = source.at(i);
        }
        (x, params)
    }
}

/// Where computed chunks go: nowhere, to a slice, or into a sum.
///
/// Flags in place of an enum become branches, which are foreseen; a jump through a table is not on every machine.
pub struct Target<'a, F> {
    /// A slice as long as the operands, or the one number that gets the sum.
    to: Option<&'a mut [F]>,
    is_sum: bool,
    adds: bool,
    lanes: Chunk<F>,
    total: f64,
}

impl<'a, F: Real> Target<'a, F> {
    /// Drops what it is given.
    pub const NOWHERE: Self = Target {
        to: None,
        is_sum: false,
        adds: false,
        lanes: Chunk::ZERO,
        total: 0.0,
    };

    /// Keeps the sum alone.
    pub const SUM: Self = Target {
        is_sum: true,
        ..Self::NOWHERE
    };

    /// Takes where the derivative of one of `n` elements or of a single number goes.
    #[inline(always)]
    pub fn set(&mut self, to: Option<(&'a mut [F], bool)>, n: usize) {
        let Some((to, overwrite)) = to else { return };
        self.is_sum = to.len() == 1 && n != 1;
        self.adds = !overwrite;
        self.to = Some(to);
    }

    /// Takes `weight` · d for the elements from place `i` on; the weight of a sum is left to [`Target::finish`].
    #[inline(always)]
    pub fn put(&mut self, i: usize, weight: F, d: &[F; CHUNK]) {
        if self.is_sum {
            for l in 0..CHUNK {
                self.lanes.0[l] += d[l];
            }
        } else if let Some(to) = &mut self.to {
            let to: &mut [F; CHUNK] = to[i..].first_chunk_mut().expect("a chunk");
            // One product for both cases: LLVM would take the first element of two out of them, and with it the alignment.
            let mut weighted = [F::ZERO; CHUNK];
            for l in 0..CHUNK {
                weighted[l] = weight * d[l];
            }
            if self.adds {
                for l in 0..CHUNK {
                    to[l] += weighted[l];
                }
            } else {
                *to = weighted;
            }
        }
    }

    /// Takes the last elements of a chunk in the same way, without the first `skipped` ones, which were put before.
    #[inline(never)]
    pub fn put_last(&mut self, i: usize, skipped: usize, weight: F, d: &[F; CHUNK]) {
        if self.is_sum {
            let d = &d[skipped..];
            self.lanes.0.iter_mut().zip(d).for_each(|(lane, d)| *lane += *d);
        } else if let Some(to) = &mut self.to {
            if self.adds {
                let to = to[i + skipped..].iter_mut().zip(&d[skipped..]);
                to.for_each(|(to, d)| *to += weight * *d);
            } else {
                let to = to[i..].iter_mut().zip(d);
                to.for_each(|(to, d)| *to = weight * *d);
            }
        }
    }

    /// Moves the sum so far to the total, so that long sums in single precision keep their digits.
    #[inline(always)]
    pub fn fold(&mut self) {
        if self.is_sum {
            self.total += fold8(&fold32(&self.lanes.0)).to_f64();
            self.lanes = Chunk::ZERO;
        }
    }

    /// Writes the sum, times the weight, and returns it without.
    #[inline(always)]
    pub fn finish(&mut self, weight: F) -> f64 {
        if self.is_sum
            && let Some([to]) = &mut self.to
        {
            let sum = F::from_f64(weight.to_f64() * self.total);
            *to = if self.adds { *to + sum } else { sum };
        }
        self.total
    }
}

/// Multiplies derivatives by the seeds of their elements.
#[inline(always)]
pub fn times_seeds<F: Real>(d: &mut [F; CHUNK], seeds: &[F; CHUNK]) {
    for l in 0..CHUNK {
        d[l] = times(seeds[l], d[l]);
    }
}
