//! Splittable random keys: one seed, split by chain, step, particle, site and chunk.
//!
//! Keys are split in the order seed → chain → step → particle → site → chunk:
//!
//! ```text
//! Key::new(seed).split(chain).split(step).split(particle).split(site).split(chunk)
//! ```
//!
//! A level that does not exist is left out (an optimiser has no chain, a sampler no particle). The last level is split
//! by [`kernels::random`](crate::kernels::random), which draws normal and uniform numbers in bulk; a site that needs
//! other numbers (gamma, Poisson) draws them one by one from [`Key::generator`]. A key is either split or drawn from,
//! and drawn from once: then no number depends on how many others were drawn, nor by which thread.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A key from which any number of independent streams can be split; copying it repeats its numbers.
///
/// # Examples
/// ```
/// use ppl_core::rng::Key;
/// use rand::Rng;
///
/// let step = Key::new(42).split(3);
/// let (site_a, site_b) = (step.split(0), step.split(1));
/// assert_ne!(site_a, site_b);
/// assert_eq!(site_a.generator().random::<u64>(), site_a.generator().random::<u64>());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// Returns the root key of a seed.
    pub fn new(seed: u64) -> Self {
        Key(mix(seed ^ GOLDEN_GAMMA))
    }

    /// Returns the child with this number: the same child each time, independent of its siblings.
    pub fn split(self, child: u64) -> Self {
        // Without the product a seed and a child would be interchangeable: 0/2 would be 2/0.
        Key(mix(
            self.0.wrapping_mul(MULTIPLIER) ^ mix(child.wrapping_add(GOLDEN_GAMMA))
        ))
    }

    /// Returns the 64 bits that seed a generator.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Returns a generator for draws one by one, with the distributions of `rand_distr`; each call starts it anew.
    pub fn generator(self) -> Generator {
        Xoshiro256PlusPlus::seed_from_u64(self.0)
    }
}

/// The generator of a [`Key`]: xoshiro256++ of Blackman and Vigna, its state from SplitMix64.
pub type Generator = Xoshiro256PlusPlus;

/// Returns a number for a name, the same on every machine: FNV-1a.
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The odd number next to 2⁶⁴ divided by the golden ratio, the increment of SplitMix64.
pub(crate) const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// An odd number whose products spread well, from the tables of Steele and Vigna (2021), «Computationally easy,
/// spectrally good multipliers for congruential pseudorandom number generators».
const MULTIPLIER: u64 = 0xd134_2543_de82_ef95;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::RngCore;

    use super::*;

    #[test]
    fn mixing_increments_gives_the_published_outputs_of_splitmix() {
        // The first outputs of SplitMix64 from the state 1234567, as its reference implementation prints them.
        let outputs = [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
        ];
        for (i, want) in outputs.into_iter().enumerate() {
            let state = GOLDEN_GAMMA.wrapping_mul(i as u64 + 1).wrapping_add(1234567);
            assert_eq!(mix(state), want);
        }
    }

    #[test]
    fn names_hash_to_the_published_values_of_fnv() {
        assert_eq!(name_hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(name_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(name_hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn keys_of_different_paths_differ() {
        let mut seen = HashSet::new();
        for seed in 0..20 {
            let root = Key::new(seed);
            assert!(seen.insert(root));
            for i in 0..20 {
                assert!(seen.insert(root.split(i)), "{seed}/{i}");
                for j in 0..20 {
                    assert!(seen.insert(root.split(i).split(j)), "{seed}/{i}/{j}");
                }
            }
        }
    }

    #[test]
    fn flipping_a_bit_of_the_child_flips_half_the_bits_of_the_key() {
        let root = Key::new(1);
        let (mut flipped, mut n) = (0, 0);
        for child in 0..1000_u64 {
            for bit in 0..64 {
                flipped += (root.split(child).bits() ^ root.split(child ^ 1 << bit).bits()).count_ones();
                n += 64;
            }
        }
        let score = (flipped as f64 / n as f64 - 0.5) / (0.25 / n as f64).sqrt();
        assert!(score.abs() < 4.0, "{flipped} of {n} bits flip");
    }

    #[test]
    fn first_numbers_stay_as_they_are() {
        let key = Key::new(42).split(1).split(2);
        assert_eq!(key.bits(), 13527023063034609088);
        let mut generator = key.generator();
        let words = [generator.next_u64(), generator.next_u64(), generator.next_u64()];
        assert_eq!(words, [17858625099817139756, 109714524019483814, 7405637867494098910]);
    }
}
