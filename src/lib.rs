//! Probabilistic programming in Rust: models are functions, inference is a configuration struct.
#![doc = include_str!("../README.md")]

pub mod prelude;

pub use ppl_core as core;
#[doc(hidden)]
pub use ppl_core::__private;
pub use ppl_macros::*;
pub use ppl_nn as nn;
