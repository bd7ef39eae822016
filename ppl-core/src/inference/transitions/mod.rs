//! Transitions on vectors that need no gradient, and compositions of any.
//!
//! They know a [`LogDensity`](crate::log_density::LogDensity) and nothing of models. [`random_walk`] moves coordinates
//! together, [`single_site`] those of one latent, [`exact`] draws a discrete latent from its conditional distribution,
//! [`proposal`] goes where the user says. [`block`] restricts any transition to some coordinates, and [`sequence`] makes
//! one transition of several.

pub mod block;
pub mod exact;
pub mod proposal;
pub mod random_walk;
pub mod sequence;
pub mod single_site;
