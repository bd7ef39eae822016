//! Inference: algorithms as configuration structs with a method `run`.
//!
//! [`potential`] is the bridge from models to samplers, which know only
//! [`LogDensity`](crate::log_density::LogDensity): a [`transition`] is one step of a chain. [`nuts`] has the Hamiltonian
//! samplers, made of what is in [`hamiltonian`], and [`mh`] Metropolis–Hastings, made of what is in [`transitions`];
//! [`gibbs`] mixes [`moves`] of any kind, block by block. [`fit`] is what a sampler returns, [`predictive`] runs models
//! forward.

pub mod adapt;
pub mod attributes;
pub mod chain;
pub mod checkpoint;
pub mod discrete;
pub mod fit;
pub mod gibbs;
pub mod hamiltonian;
mod layout;
pub mod mh;
mod model_facts;
pub mod moves;
pub mod nuts;
pub mod persist;
mod pointwise;
pub mod potential;
mod predicted_sites;
pub mod predictive;
pub mod progress;
pub mod results;
mod row_words;
mod served_latents;
mod settings;
pub mod site_draws;
mod site_rows;
mod site_values;
mod sizes;
mod statistics;
pub mod svi;
pub mod transition;
pub mod transitions;
mod vector_chain;

pub use row_words::ForRows;
