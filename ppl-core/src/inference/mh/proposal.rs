//! How a Metropolis–Hastings chain proposes its next state.

use std::fmt;
use std::sync::Arc;

use rand::RngCore;

/// The proposals of [`Mh`](crate::inference::mh::Mh).
#[derive(Clone, Debug, Default)]
pub enum Proposal {
    /// [`Proposal::RandomWalk`] if the model has one structure, else [`Proposal::SingleSite`].
    #[default]
    Auto,
    /// All continuous latents walk together along a covariance that the warm-up learns; then each discrete one moves.
    RandomWalk,
    /// One site at a time, each with its own scale; sites may come and go from draw to draw.
    SingleSite,
    /// The user's own.
    Custom(Arc<dyn Propose>),
}

impl Proposal {
    /// Returns a proposal of the user's own, on the vector of all latents.
    ///
    /// ```
    /// use ppl_core::inference::mh::Proposal;
    /// use rand::{Rng, RngCore};
    ///
    /// // An independence proposal: uniform on (0, 1), so that both densities are one.
    /// let proposal = Proposal::custom(|_old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]| {
    ///     new.iter_mut().for_each(|x| *x = rng.random());
    ///     0.0
    /// });
    /// # let _ = proposal;
    /// ```
    pub fn custom(propose: impl Propose + 'static) -> Self {
        Proposal::Custom(Arc::new(propose))
    }
}

/// A proposal on the vector of latents, in the order of
/// [`Potential::slots`](crate::inference::potential::Potential::slots): unconstrained coordinates, discrete ones as
/// they are.
pub trait Propose: Send + Sync {
    /// Changes `new`, which holds a copy of `old`, and returns ln q(old | new) − ln q(new | old); −∞ where the way back is
    /// impossible. A ratio that is NaN or +∞ and elements of `new` that are not finite end the run with an error.
    fn propose(&self, old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]) -> f64;
}

impl<F> Propose for F
where
    F: Fn(&[f64], &mut dyn RngCore, &mut [f64]) -> f64 + Send + Sync,
{
    fn propose(&self, old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]) -> f64 {
        self(old, rng, new)
    }
}

impl fmt::Debug for dyn Propose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Propose")
    }
}
