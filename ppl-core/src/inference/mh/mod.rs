//! Metropolis–Hastings: propose a state, accept it with the probability that leaves the posterior unchanged.
//!
//! [`Mh`] is the configuration. A chain on the vector of unconstrained latents makes a
//! [`Transition`](crate::inference::transition::Transition) made of
//! [`random_walk`](crate::inference::transitions::random_walk) or
//! [`single_site`](crate::inference::transitions::single_site) moves, or of the user's own
//! [`proposal`](crate::inference::transitions::proposal). A model whose sites change from run to run has no such vector;
//! its chain walks on traces, reusing values by address.

mod config;
pub mod proposal;
mod trace_chain;
mod trace_source;

pub use crate::inference::transitions::proposal::Propose;
pub use config::Mh;
pub use proposal::Proposal;
