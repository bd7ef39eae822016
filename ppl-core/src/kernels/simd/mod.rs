//! Vectors of lanes on each instruction set, and sums in lanes that have the same bits on all of them.

pub(crate) mod lanes;
pub(crate) mod vector;
