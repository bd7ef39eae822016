//! Numbers and labels to observe: functions of a seed alone.

use posterior::core::kernels::random::{fill_normal, fill_uniform};
use posterior::core::rng::Key;
use posterior::prelude::*;

/// Numbers from the standard normal distribution.
pub fn normals(seed: u64, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    fill_normal(Key::new(seed), &mut out);
    out
}

/// Numbers below `n`.
pub fn labels(seed: u64, len: usize, n: usize) -> Array1<usize> {
    let mut u = vec![0.0_f64; len];
    fill_uniform(Key::new(seed), &mut u);
    u.iter().map(|u| (u * n as f64) as usize).collect()
}
