//! Stochastic variational inference: the evidence lower bound, its guides and the loop that climbs it.

mod advance;
pub mod approximation;
pub mod config;
mod guide_draws;
pub mod guides;
mod loss_program;
pub mod objective;
pub(crate) mod predict;
mod recover;
mod row_order;
mod snapshot;
pub mod sources;
pub mod state;
mod stream;

pub use approximation::Approximation;
pub use config::{ElboEstimator, Svi};
pub use guides::{AutoDelta, AutoNormal, GuideFor, Initial, ScaleLink};
pub use state::SviState;
