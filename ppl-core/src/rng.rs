//! Splittable random keys: one seed, split by chain, step, particle, site and chunk.

/// A key from which any number of independent streams can be split; copying it repeats its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// Returns the root key of a seed.
    pub fn new(seed: u64) -> Self {
        Key(mix(seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    /// Returns the child with this number: the same child each time, independent of its siblings.
    pub fn split(self, child: u64) -> Self {
        Key(mix(self.0 ^ mix(child.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// Returns the 64 bits that seed a generator.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// Returns a number for a name, the same on every machine: FNV-1a.
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
