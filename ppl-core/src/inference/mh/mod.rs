//! Metropolis–Hastings: propose a state, accept it with the probability that leaves the posterior unchanged.
//!
//! [`Mh`] is the configuration. A chain on the vector of unconstrained latents is made of moves: [`random_walk`] for all
//! continuous coordinates together, [`single_site`] for one latent at a time, or the user's own ([`proposal`]). [`adapt`]
//! is what the warm-up learns. A model whose sites change from run to run has no such vector; its chain walks on traces,
//! reusing values by address.

pub mod adapt;
mod config;
pub mod proposal;
pub mod random_walk;
pub mod single_site;
pub mod state;
mod trace_chain;
mod trace_source;
mod vector_chain;

pub use config::Mh;
pub use proposal::{Proposal, Propose};
pub use state::{MhInfo, MhState};
