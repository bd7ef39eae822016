//! Buffers that begin at a cache line, so that no vector register is loaded from two of them.

use std::ops::{Deref, DerefMut};

use crate::kernels::real::Real;

/// One or two cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<F>([F; LINE]);

const LINE: usize = 16;

/// A slice of fixed length whose first element lies at a multiple of 64 bytes.
///
/// What the global allocator returns lies at a multiple of 16 alone: three of four loads of a register of 64 bytes would
/// then read two cache lines, at half the speed.
#[derive(Clone, Debug)]
pub struct Aligned<F> {
    lines: Vec<Line<F>>,
    len: usize,
}

impl<F: Real> Aligned<F> {
    /// Returns `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Aligned {
            lines: vec![Line([F::ZERO; LINE]); len.div_ceil(LINE)],
            len,
        }
    }
}

impl<F> Deref for Aligned<F> {
    type Target = [F];

    fn deref(&self) -> &[F] {
        // SAFETY: a line is LINE elements without padding, and there are lines for `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<F> DerefMut for Aligned<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Real>() {
        for n in [0, 1, 15, 16, 17, 1000] {
            let mut a = Aligned::<F>::zeros(n);
            assert_eq!((a.len(), a.as_ptr() as usize % 64), (n, 0));
            assert!(a.iter().all(|&x| x == F::ZERO));
            a.fill(F::ONE);
            let b = a.clone();
            assert_eq!((b.len(), b.as_ptr() as usize % 64), (n, 0));
            assert!(b.iter().all(|&x| x == F::ONE));
        }
    }

    #[test]
    fn buffers_and_their_copies_begin_at_a_cache_line() {
        check::<f64>();
        check::<f32>();
    }
}
