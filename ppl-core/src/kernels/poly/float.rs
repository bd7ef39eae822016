//! The bits of f64 and f32 that argument reductions work on, and the evaluation of polynomials.

use crate::kernels::real::Real;

/// A [`Real`] whose exponent can be read and written.
pub trait Float: Real {
    /// 1.5 · 2^(mantissa bits): x + `ROUND` holds the integer nearest to x in its lowest bits.
    const ROUND: Self;
    /// The smallest normal number.
    const MIN_POSITIVE: Self;
    /// The upper bits of ln 2, so few that their product with every exponent is exact, and the rest.
    const LN_2: (Self, Self);

    /// Returns 2ⁿ for `shifted` = n + `ROUND`, where 2ⁿ is a normal number.
    fn exp2_shifted(shifted: Self) -> Self;
    /// Returns two normal numbers with the product 2ⁿ for `shifted` = n + `ROUND`, where 2ⁿ itself may be out of range.
    fn exp2_halves(shifted: Self) -> (Self, Self);
    /// Returns (k, m, 2⁻ᵏ) with x = m · 2ᵏ and m in [√½, √2), for a normal positive x.
    fn split(self) -> (Self, Self, Self);
    /// Returns the magnitude with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
}

macro_rules! float {
    ($t:ident, $bits:ident, $mantissa:literal, $sqrt_half:literal, $ln_2:expr) => {
        impl Float for $t {
            const ROUND: Self = 1.5 * (1u64 << $mantissa) as $t;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const LN_2: (Self, Self) = $ln_2;

            #[inline(always)]
            fn exp2_shifted(shifted: Self) -> Self {
                $t::from_bits((shifted.to_bits() << $mantissa).wrapping_add((1.0 as $t).to_bits()))
            }
            #[inline(always)]
            fn exp2_halves(shifted: Self) -> (Self, Self) {
                const ONE: $bits = (1.0 as $t).to_bits();
                // The shifts to the exponent keep only the lowest bits: ⌊n / 2⌋ and n − ⌊n / 2⌋.
                let n = shifted.to_bits();
                let first = n >> 1;
                let second = n.wrapping_sub(first);
                (
                    $t::from_bits((first << $mantissa).wrapping_add(ONE)),
                    $t::from_bits((second << $mantissa).wrapping_add(ONE)),
                )
            }
            #[inline(always)]
            fn split(self) -> (Self, Self, Self) {
                const ONE: $bits = (1.0 as $t).to_bits();
                const MANTISSA: $bits = (1 << $mantissa) - 1;
                // An integer below 2^(mantissa bits) becomes a float when its bits are put below this exponent.
                const BASE: $t = (1u64 << $mantissa) as $t;
                const BIAS: $t = BASE + (ONE >> $mantissa) as $t;
                let moved = self.to_bits().wrapping_add(ONE - $sqrt_half);
                let k = $t::from_bits((moved >> $mantissa) | BASE.to_bits()) - BIAS;
                let m = (moved & MANTISSA).wrapping_add($sqrt_half);
                (
                    k,
                    $t::from_bits(m),
                    $t::from_bits(m.wrapping_sub(self.to_bits()).wrapping_add(ONE)),
                )
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $t::copysign(self, sign)
            }
        }
    };
}

float!(
    f64,
    u64,
    52,
    0x3fe6_a09e_667f_3bcd,
    (0.6931471805598903, 5.497923018708371e-14)
);
float!(f32, u32, 23, 0x3f35_04f3, (0.69314575, 1.4286068e-06));

/// Returns c₀ + c₁ x + c₂ x² + …, by groups of four, so that the chain of dependent operations is short.
#[inline(always)]
pub fn polynomial<F: Real, const N: usize>(x: F, c: [F; N]) -> F {
    let x2 = x * x;
    let x4 = x2 * x2;
    let mut sum = group(x, x2, &c, (N - 1) / 4);
    let mut i = (N - 1) / 4;
    while i > 0 {
        i -= 1;
        sum = sum * x4 + group(x, x2, &c, i);
    }
    sum
}

/// Returns the terms 4 i … 4 i + 3, divided by x to the 4 i.
#[inline(always)]
fn group<F: Real, const N: usize>(x: F, x2: F, c: &[F; N], i: usize) -> F {
    let i = 4 * i;
    match N - i {
        1 => c[i],
        2 => c[i + 1] * x + c[i],
        3 => c[i + 2] * x2 + (c[i + 1] * x + c[i]),
        _ => (c[i + 3] * x + c[i + 2]) * x2 + (c[i + 1] * x + c[i]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_of_every_length_equal_their_geometric_sums() {
        fn check<const N: usize>() {
            let want = (3_i64.pow(N as u32) - 1) / 2;
            assert_eq!(polynomial(3.0_f64, [1.0; N]), want as f64, "{N} terms");
        }
        check::<1>();
        check::<2>();
        check::<3>();
        check::<4>();
        check::<5>();
        check::<6>();
        check::<7>();
        check::<8>();
        check::<9>();
    }

    #[test]
    fn splitting_is_exact_and_reduced() {
        for x in [
            f64::MIN_POSITIVE,
            1e-9,
            0.5,
            0.5_f64.sqrt().next_down(),
            0.5_f64.sqrt(),
            1.0,
            1.5,
            3.0,
            1e300,
        ] {
            let (k, m, inverse) = x.split();
            assert_eq!(m * 2.0_f64.powi(k as i32), x);
            assert!((0.5_f64.sqrt()..2.0_f64.sqrt()).contains(&m), "{x}: {m}");
            assert_eq!(inverse, 2.0_f64.powi(-k as i32));
            let (k, m, inverse) = (x as f32).clamp(1e-37, 1e37).split();
            assert!((0.5_f32.sqrt()..2.0_f32.sqrt()).contains(&m), "{x}: {m}");
            assert_eq!(inverse, 2.0_f32.powi(-k as i32));
        }
    }

    #[test]
    fn halves_of_a_power_of_two_have_it_as_product() {
        for n in [-1075, -1074, -1022, -3, 0, 7, 1023] {
            let (first, second) = f64::exp2_halves(n as f64 + f64::ROUND);
            assert_eq!((first.log2() + second.log2()) as i32, n);
        }
        for n in [-150, -149, -126, -3, 0, 7, 127] {
            let (first, second) = f32::exp2_halves(n as f32 + f32::ROUND);
            assert_eq!((first.log2() + second.log2()) as i32, n);
        }
    }

    #[test]
    fn shifted_exponents_are_powers_of_two() {
        for n in [-1022, -5, 0, 1, 1023] {
            assert_eq!(f64::exp2_shifted(n as f64 + f64::ROUND), 2.0_f64.powi(n));
        }
        for n in [-126, -5, 0, 1, 127] {
            assert_eq!(f32::exp2_shifted(n as f32 + f32::ROUND), 2.0_f32.powi(n));
        }
    }
}
