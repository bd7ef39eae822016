//! The engine of `posterior`, floor by floor: mathematics, kernels, tape, program, ops, distributions, runtime, inference.

pub mod bijectors;
pub mod constraints;
pub mod diagnostics;
pub mod distributions;
pub mod draws;
pub mod error;
pub mod inference;
pub mod kernels;
pub mod log_density;
pub mod math;
pub mod ops;
pub mod optim;
pub mod program;
pub mod rng;
pub mod runtime;
pub mod tape;
pub mod tensor;
#[cfg(test)]
pub(crate) mod testing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
