//! The generator of random numbers that a key seeds.

use ppl_core::rng::Key;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Returns the stream of random numbers of a key.
pub(crate) fn stream(key: Key) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(key.bits())
}
