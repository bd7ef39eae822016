//! Compute loops on slices; a file per loop, each with a naive twin for its test.

pub mod affine;
pub mod density;
pub mod dispatch;
pub mod draw;
pub mod gemm_raw;
pub mod lanes;
pub mod log_sum_exp;
pub mod map;
pub mod matmul;
pub mod matvec;
mod poly;
pub mod random;
pub mod real;
pub mod reduce;
mod row_exp;
pub mod segment;
pub mod softmax;
pub mod strided;
pub mod vector;
mod write;
mod xoshiro;

#[cfg(test)]
mod twin;
