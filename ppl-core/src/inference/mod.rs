//! Inference: algorithms as configuration structs with a method `run`.

pub mod progress;
pub mod svi;
