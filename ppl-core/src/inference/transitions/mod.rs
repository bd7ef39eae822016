//! Transitions on vectors that need no gradient, and compositions of any.
//!
//! They know a [`LogDensity`](crate::log_density::LogDensity) and nothing of models. [`random_walk`] moves coordinates
//! together, [`single_site`] those of one latent, [`independence`] proposes from a [`normal`] distribution, [`proposal`] where
//! the user says. [`slice`](mod@slice) and [`elliptical_slice`] draw from where the density is above a level, [`ensemble`]
//! moves walkers along the lines between them, [`exact`] draws a discrete latent from its conditional distribution.
//! [`tempering`] runs any of them on flatter copies of the target too. [`block`] restricts any transition to some coordinates, and [`sequence`] makes
//! one transition of several.

pub mod block;
pub mod elliptical_slice;
pub mod ensemble;
pub mod exact;
pub mod independence;
pub mod normal;
pub mod proposal;
pub mod random_walk;
pub mod sequence;
pub mod single_site;
pub mod slice;
pub mod tempering;
