//! The vectors of AVX2 (two registers) and AVX-512 (one register).
//!
//! SAFETY of every block here: the methods only run inside `with_avx2` or `with_avx512`, where the features of the
//! intrinsics are present, and pointers are valid by the promise of the method's caller. There is no closure here: one that is not inlined would lose the features.

use std::arch::x86_64::*;

use super::Vector;

/// Two registers of 256 bits.
pub type Avx2<F> = <F as Registers>::Pair;
/// One register of 512 bits.
pub type Avx512<F> = <F as Registers>::Whole;

/// The register types of a scalar.
pub trait Registers {
    /// Two registers of 256 bits.
    type Pair;
    /// One register of 512 bits.
    type Whole;
}

impl Registers for f64 {
    type Pair = [__m256d; 2];
    type Whole = __m512d;
}

impl Registers for f32 {
    type Pair = [__m256; 2];
    type Whole = __m512;
}

/// Returns the sums of four vectors of four lanes, each as (0 + 1) + (2 + 3).
#[inline(always)]
unsafe fn sums_pd([a, b, c, d]: [__m256d; 4]) -> [f64; 4] {
    unsafe {
        let (ab, cd) = (_mm256_hadd_pd(a, b), _mm256_hadd_pd(c, d));
        let (low, high) = (
            _mm256_permute2f128_pd::<0x20>(ab, cd),
            _mm256_permute2f128_pd::<0x31>(ab, cd),
        );
        let mut sums = [0.0; 4];
        _mm256_storeu_pd(sums.as_mut_ptr(), _mm256_add_pd(low, high));
        sums
    }
}

/// Returns the sums of four vectors of eight lanes, each as `fold8`.
#[inline(always)]
unsafe fn sums_ps([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
    unsafe {
        let (a, b, c, d) = (halve_ps(a), halve_ps(b), halve_ps(c), halve_ps(d));
        let mut sums = [0.0; 4];
        _mm_storeu_ps(sums.as_mut_ptr(), _mm_hadd_ps(_mm_hadd_ps(a, b), _mm_hadd_ps(c, d)));
        sums
    }
}

/// Adds the upper four lanes to the lower ones.
#[inline(always)]
unsafe fn halve_ps(v: __m256) -> __m128 {
    unsafe { _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)) }
}

/// Adds the upper four lanes to the lower ones.
#[inline(always)]
unsafe fn halve_pd512(v: __m512d) -> __m256d {
    unsafe { _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)) }
}

/// Adds the upper eight lanes to the lower ones.
#[inline(always)]
unsafe fn halve_ps512(v: __m512) -> __m256 {
    unsafe { _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v)) }
}

/// Returns a mask whose first `len` of eight 32-bit lanes are set.
#[inline(always)]
unsafe fn first_of_eight(len: usize) -> __m256i {
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(len as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// Returns a mask whose first `len` of four 64-bit lanes are set.
#[inline(always)]
unsafe fn first_of_four(len: usize) -> __m256i {
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(len as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}

macro_rules! pair {
    ($t:ident, $register:ident, $half:literal, $mask:ident, $set1:ident, $load:ident, $maskload:ident, $store:ident,
     $maskstore:ident, $add:ident, $mul:ident, $sums:ident) => {
        impl Vector<$t> for [$register; 2] {
            const LANES: usize = 2 * $half;

            #[inline(always)]
            fn splat(x: $t) -> Self {
                unsafe { [$set1(x); 2] }
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                unsafe { [$load(from), $load(from.add($half))] }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $t, len: usize) -> Self {
                unsafe {
                    let second = from.wrapping_add($half);
                    [
                        $maskload(from, $mask(len)),
                        $maskload(second, $mask(len.saturating_sub($half))),
                    ]
                }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                unsafe {
                    $store(to, self[0]);
                    $store(to.add($half), self[1]);
                }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $t, len: usize) {
                unsafe {
                    $maskstore(to, $mask(len), self[0]);
                    $maskstore(to.wrapping_add($half), $mask(len.saturating_sub($half)), self[1]);
                }
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                unsafe { [$add(self[0], other[0]), $add(self[1], other[1])] }
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                unsafe { [$mul(self[0], other[0]), $mul(self[1], other[1])] }
            }
            #[inline(always)]
            fn sums([a, b, c, d]: [Self; 4]) -> [$t; 4] {
                unsafe {
                    $sums([
                        $add(a[0], a[1]),
                        $add(b[0], b[1]),
                        $add(c[0], c[1]),
                        $add(d[0], d[1]),
                    ])
                }
            }
        }
    };
}

pair!(
    f64,
    __m256d,
    4,
    first_of_four,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_maskload_pd,
    _mm256_storeu_pd,
    _mm256_maskstore_pd,
    _mm256_add_pd,
    _mm256_mul_pd,
    sums_pd
);
pair!(
    f32,
    __m256,
    8,
    first_of_eight,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_maskload_ps,
    _mm256_storeu_ps,
    _mm256_maskstore_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    sums_ps
);

macro_rules! whole {
    ($t:ident, $register:ident, $lanes:literal, $mask:ident, $set1:ident, $load:ident, $maskload:ident, $store:ident,
     $maskstore:ident, $add:ident, $mul:ident, $halve:ident, $sums:ident) => {
        impl Vector<$t> for $register {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: $t) -> Self {
                unsafe { $set1(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $t, len: usize) -> Self {
                unsafe { $maskload(((1u32 << len) - 1) as $mask, from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $t, len: usize) {
                unsafe { $maskstore(to, ((1u32 << len) - 1) as $mask, self) }
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                unsafe { $mul(self, other) }
            }
            #[inline(always)]
            fn sums([a, b, c, d]: [Self; 4]) -> [$t; 4] {
                unsafe { $sums([$halve(a), $halve(b), $halve(c), $halve(d)]) }
            }
        }
    };
}

whole!(
    f64,
    __m512d,
    8,
    __mmask8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd,
    _mm512_add_pd,
    _mm512_mul_pd,
    halve_pd512,
    sums_pd
);
whole!(
    f32,
    __m512,
    16,
    __mmask16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    halve_ps512,
    sums_ps
);
