//! What sampling a posterior gives: draws with typed accessors, and how the chains did.

use std::ops::Deref;
use std::sync::Arc;

use crate::diagnostics::{self, Comparison, Summary, Warning};
use crate::draws::Draws;
use crate::error::Result;
use crate::inference::chain::ChainInfo;
use crate::inference::predictive::{Predictive, predict};
use crate::inference::site_draws::SiteDraws;
use crate::inference::site_table::SiteTable;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::Recorder;
use crate::runtime::sites::DrawsBySite;

/// The child of the run's key that predictions draw from.
const PREDICTION: u64 = u64::MAX - 1;

/// Draws from the posterior of a model: its latents on their supports, and its tracked values.
///
/// Accessors read a site by its name, `fit.tau(): [chain, draw, plates…, event…]`; a site that does not exist does not
/// compile. `A` is the [`Accessors`](Model::Accessors) of the model, so that `Fit<eight_schools::Accessors>` names the type
/// of a fit; it borrows neither the model nor its data.
pub struct Fit<A> {
    draws: Arc<SiteDraws>,
    accessors: A,
    chains: Vec<ChainInfo>,
    /// What the run has to say beside its draws.
    notes: Vec<Warning>,
    key: Key,
}

impl<A> Fit<A> {
    /// Puts the draws of all chains together.
    pub(crate) fn new(tables: &[SiteTable], chains: Vec<ChainInfo>, notes: Vec<Warning>, key: Key) -> Result<Self>
    where
        A: From<Arc<dyn DrawsBySite>>,
    {
        let draws = Arc::new(SiteDraws::new(SiteTable::merge(tables)?));
        Ok(Fit {
            accessors: A::from(draws.clone()),
            draws,
            chains,
            notes,
            key,
        })
    }

    /// Returns the draws by name.
    pub fn draws(&self) -> &Draws {
        &self.draws.draws
    }

    /// Returns mean, spread, quantiles, errors and diagnostics of every scalar, with warnings in words; what the run itself
    /// has to say comes first, as that the model could not be replayed.
    pub fn summary(&self) -> Summary {
        let mut summary = diagnostics::summary(self.draws());
        summary.warnings.splice(..0, self.notes.iter().cloned());
        summary
    }

    /// Returns how each chain did.
    pub fn chains(&self) -> &[ChainInfo] {
        &self.chains
    }

    /// Runs a model once for each draw, its latents having the values of the draw.
    ///
    /// What the draws lack is drawn: missing observations, and latents in a plate of another length. These and tracked
    /// values are what the result holds.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::mh::Mh;
    /// use ppl_core::runtime::argument::Obs;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn mean_of(y: Obs<Array1<f64>>) {
    ///     let mu = sample(Normal(0, 10));
    ///     for i in plate(y) {
    ///         observe(y[i], Normal(mu, 1));
    ///     }
    /// }
    ///
    /// let y = array![4.0, 5.0, 6.0];
    /// let model = mean_of(&y);
    /// let fit = Mh::default().draws(200).seed(1).run(&model)?;
    /// let next = fit.predict(&mean_of(Obs::missing_like(&[1])))?;
    /// assert!((next.draws().mean("y")?[[0]] - 5.0).abs() < 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the model fails at a draw, draws from a distribution whose parameters are not allowed, or shares no latent with the
    /// draws.
    pub fn predict<N: Model + Sync>(&self, model: &N) -> Result<Predictive<N::Accessors>> {
        predict(model, self.draws(), self.key.split(PREDICTION), Recorder::record)
    }
}

impl<A> Deref for Fit<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.accessors
    }
}

/// The result of an algorithm that can be compared with others: it has draws.
pub trait HasDraws {
    /// Returns the draws by name.
    fn draws(&self) -> &Draws;
}

impl<A> HasDraws for Fit<A> {
    fn draws(&self) -> &Draws {
        Fit::draws(self)
    }
}

impl HasDraws for Draws {
    fn draws(&self) -> &Draws {
        self
    }
}

/// Returns posteriors side by side: `compare(&[("nuts", &fit), ("svi", &vi)])`.
pub fn compare(fits: &[(&str, &dyn HasDraws)]) -> Comparison {
    let sets: Vec<(&str, &Draws)> = fits.iter().map(|(name, fit)| (*name, fit.draws())).collect();
    diagnostics::compare(&sets)
}
