//! Sixteen xoshiro128++ generators side by side, so that one step of all is a few vector instructions.
//!
//! The generator is that of Blackman and Vigna (2021), «Scrambled linear pseudorandom number generators», and its state
//! comes from SplitMix64, as they advise.

use crate::rng::{GOLDEN_GAMMA, Key, mix};

/// The number of generators.
pub const LANES: usize = 16;

/// Sixteen xoshiro128++ generators side by side; `state[i][lane]` is word i of a lane.
pub struct Lanes {
    state: [[u32; LANES]; 4],
}

impl Lanes {
    /// Takes the 2048 bits of the state from SplitMix64, two numbers a lane; no lane is all zero, since they differ.
    #[inline(always)]
    pub fn new(key: Key) -> Self {
        let mut state = [[0; LANES]; 4];
        let [s0, s1, s2, s3] = &mut state;
        for lane in 0..LANES {
            let first = mix(key.bits().wrapping_add(GOLDEN_GAMMA.wrapping_mul(2 * lane as u64 + 1)));
            let second = mix(key.bits().wrapping_add(GOLDEN_GAMMA.wrapping_mul(2 * lane as u64 + 2)));
            (s0[lane], s1[lane]) = (first as u32, (first >> 32) as u32);
            (s2[lane], s3[lane]) = (second as u32, (second >> 32) as u32);
        }
        Lanes { state }
    }

    /// Returns the next word of each lane.
    #[inline(always)]
    pub fn next(&mut self) -> [u32; LANES] {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut words = [0; LANES];
        for lane in 0..LANES {
            let (a, b, c, d) = (s0[lane], s1[lane], s2[lane], s3[lane]);
            words[lane] = a.wrapping_add(d).rotate_left(7).wrapping_add(a);
            let (c, d) = (c ^ a, d ^ b);
            s1[lane] = b ^ c;
            s0[lane] = a ^ d;
            s2[lane] = c ^ (b << 9);
            s3[lane] = d.rotate_left(11);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_of_each_lane_is_one_half_of_the_time() {
        const STEPS: usize = 20_000;
        let mut lanes = Lanes::new(Key::new(5));
        let mut ones = [[0_u32; 32]; LANES];
        for _ in 0..STEPS {
            for (ones, word) in ones.iter_mut().zip(lanes.next()) {
                for (bit, count) in ones.iter_mut().enumerate() {
                    *count += word >> bit & 1;
                }
            }
        }
        let half = STEPS as f64 / 2.0;
        let chi_square: f64 = ones
            .as_flattened()
            .iter()
            .map(|&n| (n as f64 - half).powi(2) / (half / 2.0))
            .sum();
        // 512 degrees of freedom: mean 512, deviation 32.
        assert!((chi_square - 512.0).abs() < 3.5 * 32.0, "chi-square {chi_square}");
    }

    #[test]
    fn bytes_of_the_words_are_equally_frequent() {
        const STEPS: usize = 20_000;
        let mut lanes = Lanes::new(Key::new(6));
        let mut counts = [0_u32; 256];
        for _ in 0..STEPS {
            for byte in lanes.next().into_iter().flat_map(u32::to_le_bytes) {
                counts[byte as usize] += 1;
            }
        }
        let expected = (STEPS * LANES * 4) as f64 / 256.0;
        let chi_square: f64 = counts.iter().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
        // 255 degrees of freedom: deviation √510.
        assert!(
            (chi_square - 255.0).abs() < 3.5 * 510.0_f64.sqrt(),
            "chi-square {chi_square}"
        );
    }

    #[test]
    fn a_lane_is_xoshiro128_plus_plus() {
        // The first outputs of the reference implementation from the state 1, 2, 3, 4.
        let mut lanes = Lanes {
            state: [[1; LANES], [2; LANES], [3; LANES], [4; LANES]],
        };
        for want in [
            641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295,
        ] {
            assert_eq!(lanes.next(), [want; LANES]);
        }
    }
}
