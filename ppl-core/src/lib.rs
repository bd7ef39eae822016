//! The engine of `posterior`, floor by floor: mathematics, kernels, tape, program, ops, distributions, runtime, inference.

pub mod diagnostics;
pub mod draws;
pub mod kernels;
pub mod math;
pub mod optim;
pub mod rng;
