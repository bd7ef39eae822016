//! Stochastic variational inference: the evidence lower bound, its guides and the loop that climbs it.

pub mod approximation;
pub mod config;
pub mod guides;
pub mod objective;
pub(crate) mod predict;
pub mod replay;
mod snapshot;
pub mod state;

pub use approximation::Approximation;
pub use config::{ElboEstimator, Svi};
pub use guides::{Approximates, AutoDelta, AutoNormal, Initial, ScaleLink};
pub use state::SviState;
