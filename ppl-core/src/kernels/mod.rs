//! Compute loops on slices; a file per loop, each with a naive twin for its test.

pub mod affine;
pub mod density;
pub mod dispatch;
pub mod gemm_raw;
pub mod lanes;
pub mod map;
pub mod matmul;
pub mod random;
pub mod real;

#[cfg(test)]
mod twin;
