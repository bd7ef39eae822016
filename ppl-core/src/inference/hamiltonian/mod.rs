//! Hamiltonian dynamics: transitions that follow the gradient.
//!
//! A point has a momentum, and both move by the leapfrog scheme ([`leapfrog`]) in coordinates that a [`metric`] has made
//! alike. [`nuts`] goes on until the path turns back ([`tree`]), [`hmc`] for a fixed number of steps. [`warmup`] finds
//! step size and metric.

pub mod hmc;
pub mod leapfrog;
pub mod metric;
pub mod nuts;
mod tree;
pub mod warmup;
