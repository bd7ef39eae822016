//! The same densities by hand: what a patient programmer would write, with the library's SIMD functions but without tape.

pub mod chain;
pub mod eight_schools;
pub mod logistic;
pub mod mlp;
pub mod radon;
pub mod svi_step;

/// ln(2π) / 2.
pub const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Returns the log density of the standard normal distribution.
#[inline(always)]
pub fn standard_normal(z: f64) -> f64 {
    -0.5 * z * z - HALF_LN_TWO_PI
}
