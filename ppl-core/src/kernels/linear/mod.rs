//! Linear algebra: products of matrices and vectors, factorisations, triangular solves.

pub(crate) mod cholesky;
pub(crate) mod gemm_raw;
#[cfg(target_arch = "x86_64")]
pub(crate) mod gemm_tiles;
pub(crate) mod log_det;
pub(crate) mod matmul;
pub(crate) mod matvec;
pub(crate) mod triangular;
mod view;
