//! The laws of the library as macros: a new op, distribution or layer gets its tests from one line.

#[cfg(test)]
pub(crate) mod bijector_check;
pub(crate) mod bijectors;
#[cfg(test)]
pub(crate) mod dist_check;
pub(crate) mod dists;
#[cfg(test)]
pub(crate) mod invariance;
#[cfg(test)]
pub(crate) mod op_check;
pub(crate) mod ops;
#[cfg(test)]
pub(crate) mod quadrature;
#[cfg(test)]
mod random_recordings;
#[cfg(test)]
pub(crate) mod rows_check;
