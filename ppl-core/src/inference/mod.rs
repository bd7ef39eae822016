//! Inference: algorithms as configuration structs with a method `run`.
//!
//! [`potential`] is the bridge from models to samplers, which know only
//! [`LogDensity`](crate::log_density::LogDensity). [`mh`] is Metropolis–Hastings. [`fit`] is what a sampler returns,
//! [`predictive`] runs models forward.

pub mod chain;
pub mod discrete;
pub mod fit;
pub mod mh;
pub mod potential;
mod predicted_sites;
pub mod predictive;
pub mod progress;
mod row_words;
mod served_latents;
pub mod site_draws;
pub mod site_table;
mod site_values;
mod sizes;
pub mod svi;

pub use row_words::ForRows;
