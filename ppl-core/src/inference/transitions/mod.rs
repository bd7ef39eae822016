//! Transitions on vectors that need no gradient, and their composition.
//!
//! They know a [`LogDensity`](crate::log_density::LogDensity) and nothing of models. [`random_walk`] moves coordinates
//! together, [`single_site`] those of one latent, [`proposal`] as the user says; [`sequence`] makes one transition of
//! several.

pub mod proposal;
pub mod random_walk;
pub mod sequence;
pub mod single_site;
