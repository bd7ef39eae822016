//! Random numbers in bulk: generators side by side, their words as numbers, and slices filled with these.

mod fill;
pub(crate) mod words;
mod xoshiro;

pub use fill::{CHUNK, fill_normal, fill_normal_from, fill_uniform, fill_uniform_from, normal_chunk, uniform_chunk};
