//! Compute loops on slices; a file per loop, each with a naive twin for its test.

pub mod affine;
pub mod aligned;
pub mod cholesky;
pub mod density;
pub mod dispatch;
pub mod gemm_raw;
#[cfg(target_arch = "x86_64")]
pub mod gemm_tiles;
pub mod lanes;
pub mod log_det;
pub mod log_sum_exp;
pub mod map;
pub mod matmul;
pub mod matvec;
mod poly;
pub mod random;
pub mod random_words;
pub mod real;
pub mod reduce;
mod row_exp;
mod rows;
pub mod scan;
pub mod segment;
pub mod softmax;
pub mod strided;
pub mod triangular;
pub mod vector;
mod view;
mod write;
mod xoshiro;

#[cfg(test)]
mod twin;
