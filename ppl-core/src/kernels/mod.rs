//! Compute loops on slices; a file per loop, each with a naive twin for its test.

pub mod dispatch;
pub mod gemm_raw;
pub mod lanes;
pub mod map;
pub mod matmul;
mod poly;
pub mod real;
pub mod reduce;
pub mod softmax;
mod write;

#[cfg(test)]
mod twin;
