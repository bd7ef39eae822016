//! Compute loops on slices; a file per loop, each with a naive twin for its test.
//!
//! What an operation or a distribution is written with is public; the loops themselves are the crate's own.

pub(crate) mod aligned;
pub mod density;
pub(crate) mod dispatch;
pub mod elementwise;
pub(crate) mod linear;
mod poly;
pub mod random;
pub mod real;
pub(crate) mod reduce;
pub(crate) mod simd;
#[cfg(test)]
mod twin;
