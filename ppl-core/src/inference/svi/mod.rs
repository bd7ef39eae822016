//! Stochastic variational inference: the evidence lower bound, its guides and the loop that climbs it.

mod advance;
pub mod approximation;
pub mod config;
mod course;
mod finish;
mod guide_draws;
pub mod guides;
mod iterates;
mod jitter;
mod loss_program;
pub mod objective;
pub(crate) mod predict;
mod recover;
mod row_order;
mod snapshot;
pub mod sources;
pub mod state;
mod stream;
mod weights;

pub use approximation::Approximation;
pub use config::{ElboEstimator, Svi};
pub use guides::{AutoDelta, AutoNormal, GuideFor, Initial, ScaleLink};
pub use state::SviState;
