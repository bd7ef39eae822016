//! Sums in 32 lanes, then 8, then one: fast on long and short slices, with the same bits on every instruction set.

use crate::kernels::real::Real;

/// Elements after which the lanes are folded into the f64 total, so that long f32 sums keep their digits.
const BLOCK: usize = 1024;

/// Returns Σᵢ term(aᵢ, bᵢ, cᵢ) over slices of one length; call it inside a [`Loop`](crate::kernels::dispatch::Loop).
///
/// Each block of 1024 elements is summed in 32 lanes of `F`, its rest in 8 and its last few one by one;
/// blocks are added in f64.
#[inline(always)]
pub fn sum3<F: Real>(a: &[F], b: &[F], c: &[F], term: impl Fn(F, F, F) -> F) -> f64 {
    let mut total = 0.0;
    for ((a, b), c) in a.chunks(BLOCK).zip(b.chunks(BLOCK)).zip(c.chunks(BLOCK)) {
        let (a32, a) = a.as_chunks::<32>();
        let (b32, b) = b.as_chunks::<32>();
        let (c32, c) = c.as_chunks::<32>();
        let mut acc32 = [F::ZERO; 32];
        for ((a, b), c) in a32.iter().zip(b32).zip(c32) {
            for lane in 0..32 {
                acc32[lane] += term(a[lane], b[lane], c[lane]);
            }
        }
        let mut acc8 = fold32(&acc32);
        let (a8, a) = a.as_chunks::<8>();
        let (b8, b) = b.as_chunks::<8>();
        let (c8, c) = c.as_chunks::<8>();
        for ((a, b), c) in a8.iter().zip(b8).zip(c8) {
            for lane in 0..8 {
                acc8[lane] += term(a[lane], b[lane], c[lane]);
            }
        }
        let mut rest = fold8(&acc8);
        for ((&a, &b), &c) in a.iter().zip(b).zip(c) {
            rest += term(a, b, c);
        }
        total += rest.to_f64();
    }
    total
}

/// Adds 32 lanes into 8, lane by lane modulo 8.
#[inline(always)]
pub fn fold32<F: Real>(acc: &[F; 32]) -> [F; 8] {
    std::array::from_fn(|i| (acc[i] + acc[i + 8]) + (acc[i + 16] + acc[i + 24]))
}

/// Adds 8 lanes pairwise.
#[inline(always)]
pub fn fold8<F: Real>(acc: &[F; 8]) -> F {
    ((acc[0] + acc[4]) + (acc[1] + acc[5])) + ((acc[2] + acc[6]) + (acc[3] + acc[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_equal_integer_arithmetic_at_every_length() {
        for n in (0..100).chain([1023, 1024, 1025, 3000]) {
            let a: Vec<f64> = (0..n).map(|i| i as f64).collect();
            let b = vec![2.0; n];
            let want: usize = (0..n).map(|i| 3 * i + 2).sum();
            assert_eq!(sum3(&a, &b, &a, |a, b, c| a * b + b + c), want as f64, "length {n}");
        }
    }

    #[test]
    fn long_f32_sums_keep_their_digits() {
        let a = vec![0.1_f32; 1 << 20];
        let got = sum3(&a, &a, &a, |a, _, _| a);
        let want = 0.1_f32 as f64 * (1 << 20) as f64;
        assert!((got / want - 1.0).abs() < 1e-6, "{got} against {want}");
    }
}
