//! Loops over elements: one or two operands, scaled noise, broadcast and permuted copies.

pub(crate) mod affine;
pub mod map;
pub(crate) mod strided;
