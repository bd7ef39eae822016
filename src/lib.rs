//! Probabilistic programming in Rust: models are functions, inference is a configuration struct.

pub use ppl_core as core;
pub use ppl_macros::*;
pub use ppl_nn as nn;
