//! Vectors of eight f64 or sixteen f32 lanes on each instruction set, for loops that LLVM does not vectorise well itself.
//!
//! The number of lanes, the order of their sum and the treatment of a short last vector are the same everywhere,
//! so a loop over these vectors has the same bits on every instruction set.

use crate::kernels::dispatch;
use crate::kernels::simd::lanes::fold8;

/// A vector of `LANES` scalars.
pub trait Vector<F>: Copy {
    /// Eight for f64, sixteen for f32.
    const LANES: usize;

    /// Returns the vector whose lanes are all x.
    fn splat(x: F) -> Self;
    /// Reads `LANES` scalars.
    ///
    /// # Safety
    ///
    /// They are valid for reads.
    unsafe fn load(from: *const F) -> Self;
    /// Reads `len` < `LANES` scalars; the lanes behind them are zero.
    ///
    /// # Safety
    ///
    /// They are valid for reads.
    unsafe fn load_first(from: *const F, len: usize) -> Self;
    /// Writes `LANES` scalars.
    ///
    /// # Safety
    ///
    /// They are valid for writes.
    unsafe fn store(self, to: *mut F);
    /// Writes the first `len` < `LANES` scalars.
    ///
    /// # Safety
    ///
    /// They are valid for writes.
    unsafe fn store_first(self, to: *mut F, len: usize);
    /// Returns the sum, lane by lane.
    fn add(self, other: Self) -> Self;
    /// Returns the product, lane by lane.
    fn mul(self, other: Self) -> Self;
    /// Returns the sums of the lanes of four vectors, each in the order of `fold8` after the halves of sixteen.
    fn sums(vectors: [Self; 4]) -> [F; 4];
}

/// A scalar with its vectors on each instruction set.
pub trait Vectors: Copy + Sized {
    /// The vector without special instructions.
    type Base: Vector<Self>;
    /// The vector under AVX2; its methods may only run where that is present.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Self>;
    /// The vector under AVX-512; its methods may only run where that is present.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Self>;
}

/// A loop written in terms of vectors; `run` and all it calls is `#[inline(always)]`.
pub trait VectorLoop<F> {
    /// What the loop returns.
    type Out;

    /// Runs the loop with vectors of one instruction set.
    fn run<V: Vector<F>>(self) -> Self::Out;
}

/// Runs `body` with the widest vectors of this machine.
#[inline(always)]
pub fn dispatch_vectors<F: Vectors, L: VectorLoop<F>>(body: L) -> L::Out {
    on_level(dispatch::level(), body)
}

/// Runs `body` on each instruction set of this machine, from base upwards.
#[cfg(test)]
pub fn on_every_level<F: Vectors, L: VectorLoop<F>>(mut body: impl FnMut() -> L) {
    for level in dispatch::BASE..=dispatch::best() {
        on_level(level, body());
    }
}

#[inline(always)]
fn on_level<F: Vectors, L: VectorLoop<F>>(level: u8, body: L) -> L::Out {
    #[cfg(target_arch = "x86_64")]
    {
        match level {
            // SAFETY: a level is only given where the processor has its features.
            dispatch::AVX512 => return unsafe { with_avx512(body) },
            // SAFETY: as above.
            dispatch::AVX2 => return unsafe { with_avx2(body) },
            _ => {}
        }
    }
    let _ = level;
    body.run::<F::Base>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn with_avx2<F: Vectors, L: VectorLoop<F>>(body: L) -> L::Out {
    body.run::<F::Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
unsafe fn with_avx512<F: Vectors, L: VectorLoop<F>>(body: L) -> L::Out {
    body.run::<F::Avx512>()
}

macro_rules! base {
    ($t:ident, $lanes:literal, $fold:expr) => {
        impl Vector<$t> for [$t; $lanes] {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $t) -> Self {
                [x; $lanes]
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise.
                unsafe { from.cast::<Self>().read() }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $t, len: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                // SAFETY: the caller's promise.
                lanes[..len].copy_from_slice(unsafe { std::slice::from_raw_parts(from, len) });
                lanes
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { to.cast::<Self>().write(self) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $t, len: usize) {
                // SAFETY: the caller's promise.
                unsafe { std::slice::from_raw_parts_mut(to, len) }.copy_from_slice(&self[..len]);
            }
            #[inline(always)]
            fn add(mut self, other: Self) -> Self {
                for lane in 0..$lanes {
                    self[lane] += other[lane];
                }
                self
            }
            #[inline(always)]
            fn mul(mut self, other: Self) -> Self {
                for lane in 0..$lanes {
                    self[lane] *= other[lane];
                }
                self
            }
            #[inline(always)]
            fn sums(vectors: [Self; 4]) -> [$t; 4] {
                vectors.map($fold)
            }
        }
    };
}

base!(f64, 8, |v| fold8(&v));
base!(f32, 16, |v| {
    let halves: [f32; 8] = std::array::from_fn(|i| v[i] + v[i + 8]);
    fold8(&halves)
});

impl Vectors for f64 {
    type Base = [f64; 8];
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::Avx2<f64>;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::Avx512<f64>;
}

impl Vectors for f32 {
    type Base = [f32; 16];
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::Avx2<f32>;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::Avx512<f32>;
}

#[cfg(target_arch = "x86_64")]
#[path = "x86.rs"]
mod x86;
