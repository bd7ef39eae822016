//! The laws of the library as macros: a new op, distribution or layer gets its tests from one line.

pub(crate) mod bent;
pub(crate) mod bijector_check;
pub(crate) mod bijectors;
pub(crate) mod dist_check;
pub(crate) mod dists;
pub(crate) mod invariance;
pub(crate) mod op_check;
pub(crate) mod ops;
pub(crate) mod own_draw;
pub(crate) mod quadrature;
mod random_recordings;
pub(crate) mod resumed;
pub(crate) mod rows_check;
