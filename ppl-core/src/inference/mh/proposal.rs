//! The proposals of [`Mh`](crate::inference::mh::Mh).

use std::sync::Arc;

use crate::inference::transitions::proposal::Propose;

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
