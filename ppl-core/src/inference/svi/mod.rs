//! Stochastic variational inference: the evidence lower bound, its guides and the loop that climbs it.

mod advance;
pub mod approximation;
mod compiled;
pub mod config;
mod guide_draws;
pub mod guides;
pub mod objective;
pub(crate) mod predict;
mod recover;
pub mod replay;
mod rows;
mod snapshot;
pub mod state;
mod stream;

pub use approximation::Approximation;
pub use config::{ElboEstimator, Svi};
pub use guides::{Approximates, AutoDelta, AutoNormal, Initial, ScaleLink};
pub use state::SviState;
