//! Compute loops on slices; a file per loop, each with a naive twin for its test.

pub mod dispatch;
pub mod draw;
pub mod lanes;
pub mod map;
mod poly;
pub mod random;
pub mod real;
mod xoshiro;
