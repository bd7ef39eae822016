//! First-order optimisers: they descend, given the gradient of a loss.
//!
//! An optimiser is a struct of its settings; what it remembers between steps is a [`State`] that the caller holds.
//! Whoever maximises something, an ELBO say, hands over the gradient of its negative.
//!
//! ```
//! use ppl_core::optim::{Adam, Optimizer, Schedule};
//!
//! let adam = Adam::new(Schedule::ExponentialDecay { initial: 0.1, rate: 0.5, every: 100.0 });
//! let mut params = [3.0_f64, -1.0];
//! let mut state = adam.init(params.len());
//! for _ in 0..500 {
//!     let grad = params.map(|x| 2.0 * x);
//!     adam.step(&mut state, &mut params, &grad);
//! }
//! assert!(params.iter().all(|x| x.abs() < 1e-3));
//! ```

mod adam;
mod clip;
mod clipped_adam;
mod optimizer;
mod schedule;
mod settings;
mod sgd;

pub use adam::Adam;
pub use clip::Clip;
pub use clipped_adam::ClippedAdam;
pub use optimizer::{Optimizer, Pace, State};
pub use schedule::Schedule;
pub use sgd::{Momentum, Sgd};
