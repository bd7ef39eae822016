//! Bulk random numbers.

use rand::SeedableRng;
use rand_distr::Distribution;

use crate::kernels::real::Real;
use crate::rng::Key;

/// Fills with standard normal numbers.
pub fn fill_normal<F: Real>(key: Key, out: &mut [F]) {
    let mut rng = rand::rngs::SmallRng::seed_from_u64(key.bits());
    out.fill_with(|| F::from_f64(rand_distr::StandardNormal.sample(&mut rng)));
}

/// Fills with numbers between zero and one.
pub fn fill_uniform<F: Real>(key: Key, out: &mut [F]) {
    let mut rng = rand::rngs::SmallRng::seed_from_u64(key.bits());
    out.fill_with(|| F::from_f64(rand_distr::Open01.sample(&mut rng)));
}
