//! Random words into numbers: uniform ones, and pairs of normal ones by the transform of Box and Muller (1958).

use crate::kernels::poly::ln::{LnTable, ln_normal};
use crate::kernels::poly::trig::TrigTable;

/// A number that can be made from random words; `WORDS` of them make one.
pub trait FromWords: Sized {
    /// The words of 32 bits that one number consumes.
    const WORDS: usize;
    /// Returns a number of the open interval (0, 1); f32 uses the first word only.
    fn uniform(words: [u32; 2]) -> Self;
    /// Returns two independent standard normal numbers, √(−2 ln u) (cos φ, sin φ), with u from `radius` and φ from `angle`.
    fn normal_pair(radius: [u32; 2], angle: [u32; 2]) -> (Self, Self);
}

/// Returns √(−2 ln u) (cos φ, sin φ) for the angle φ = `angle` + `quadrant` π / 2.
#[inline(always)]
fn polar<F: TrigTable + LnTable>(u: F, angle: F, quadrant: u32) -> (F, F) {
    let radius = (F::from_f64(-2.0) * ln_normal(u)).sqrt();
    let (sin, cos) = (angle.sin_reduced(), angle.cos_reduced());
    let even = quadrant & 1 == 0;
    let x = F::select(even, cos, sin).negate_in(quadrant.wrapping_add(1) as u64);
    let y = F::select(even, sin, cos).negate_in(quadrant as u64);
    (radius * x, radius * y)
}

impl FromWords for f32 {
    const WORDS: usize = 1;

    #[inline(always)]
    fn uniform(words: [u32; 2]) -> f32 {
        const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;
        let u = unit_f32(words[0]);
        if u < BELOW_ONE { u } else { BELOW_ONE }
    }

    #[inline(always)]
    fn normal_pair(radius: [u32; 2], angle: [u32; 2]) -> (f32, f32) {
        const STEP: f32 = std::f32::consts::FRAC_PI_4 / (1u64 << 31) as f32;
        let signed = (angle[0] << 2) as i32;
        polar(unit_f32(radius[0]), signed as f32 * STEP, angle[0] >> 30)
    }
}

/// Returns (word + ½) / 2³², rounded to the 24 bits of an f32: the numbers near zero keep all bits of the word.
#[inline(always)]
fn unit_f32(word: u32) -> f32 {
    (word as f32 + 0.5) * (1.0 / (1u64 << 32) as f32)
}

impl FromWords for f64 {
    const WORDS: usize = 2;

    #[inline(always)]
    fn uniform(words: [u32; 2]) -> f64 {
        const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
        let u = unit_f64(words);
        if u < BELOW_ONE { u } else { BELOW_ONE }
    }

    #[inline(always)]
    fn normal_pair(radius: [u32; 2], angle: [u32; 2]) -> (f64, f64) {
        let turn = unit_f64([angle[0] << 2, angle[1]]);
        polar(
            unit_f64(radius),
            (turn - 0.5) * std::f64::consts::FRAC_PI_2,
            angle[0] >> 30,
        )
    }
}

/// Returns (words + ½) / 2⁶⁴, rounded to the 53 bits of an f64, with the higher word first.
#[inline(always)]
fn unit_f64(words: [u32; 2]) -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 32) as f64;
    // A word put below the exponent of 2⁵² is exact, on instruction sets without conversions of unsigned words too.
    const BASE: f64 = (1u64 << 52) as f64;
    let float = |word: u32| f64::from_bits(BASE.to_bits() | word as u64) - BASE;
    float(words[0]) * SCALE + (float(words[1]) + 0.5) * (SCALE * SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::real::Real;

    #[test]
    fn extreme_words_give_extreme_but_finite_numbers() {
        let far = f32::normal_pair([0, 0], [1 << 31, 0]);
        assert!((far.0.hypot(far.1) - 6.7637).abs() < 1e-3, "{far:?}");
        let far = f64::normal_pair([0, 0], [1 << 31, 0]);
        assert!((far.0.hypot(far.1) - 9.4927).abs() < 1e-3, "{far:?}");
        assert_eq!(f32::normal_pair([u32::MAX; 2], [0; 2]).0.abs(), 0.0);
        assert_eq!(f64::normal_pair([u32::MAX; 2], [0; 2]).0.abs(), 0.0);
        assert_eq!(f32::uniform([u32::MAX; 2]), 1.0_f32.next_down());
        assert_eq!(f64::uniform([u32::MAX; 2]), 1.0_f64.next_down());
        assert_eq!(f32::uniform([0; 2]), 0.5_f32.powi(33));
        assert_eq!(f64::uniform([0; 2]), 0.5_f64.powi(65));
    }

    #[test]
    fn the_first_two_bits_turn_through_the_quadrants() {
        fn check<F: Real>(quadrant: u32, axis: u32) {
            let (x, y) = F::normal_pair([1 << 20, 0], [quadrant << 30 | axis, 0]);
            let turn = (y.to_f64().atan2(x.to_f64()) / std::f64::consts::FRAC_PI_2).rem_euclid(4.0);
            let distance = (turn - quadrant as f64).abs();
            assert!(
                distance.min(4.0 - distance) < 1e-6,
                "a turn of {turn} in quadrant {quadrant}"
            );
        }
        for quadrant in 0..4 {
            // An f64 has its axis in the middle of the quadrant's words, an f32, which reads a signed word, at zero.
            check::<f64>(quadrant, 1 << 29);
            check::<f32>(quadrant, 0);
        }
    }
}
