//! Hamiltonian dynamics: transitions that follow the gradient.
//!
//! A point has a momentum, and both move by the leapfrog scheme ([`leapfrog`]) in coordinates that a [`metric`] has made
//! alike. [`nuts`] goes on until the path turns back, [`hmc`] for a fixed number of steps, and [`mclmc`] moves with a velocity
//! of one length. [`warmup`] finds step size and metric.

mod fisher;
pub mod hmc;
pub mod leapfrog;
mod learning;
pub mod mclmc;
pub mod metric;
pub mod nuts;
mod tree;
pub mod warmup;
