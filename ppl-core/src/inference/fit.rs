//! What sampling a posterior gives: draws with typed accessors, and how the chains did.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::diagnostics::columns::{columns, counted, means};
use crate::diagnostics::{self, Comparison, Summary, Warning};
use crate::diagnostics::{path_warnings, warnings_of};
use crate::draws::Draws;
use crate::error::Result;
use crate::inference::attributes::Begun;
use crate::inference::chain::{ChainInfo, Drawn, join};
use crate::inference::pointwise::AtDraws;
use crate::inference::potential::{Potential, recorder};
use crate::inference::predictive::{PREDICTION, Predictive, predict};
use crate::inference::results::{Group, Results};
use crate::inference::row_words::{ForRows, RowWords};
use crate::inference::statistics;
use crate::rng::Key;
use crate::runtime::handlers::{Choose, SiteChoice};
use crate::runtime::model::{Body, Model};
use crate::runtime::recording::Recorder;
use crate::runtime::sites::{DrawsBySite, SiteAccessors};

/// Draws from the posterior of a model: its latents on their supports, and its tracked values.
///
/// Accessors read a site by its name, `fit.tau(): [chain, draw, plates…, event…]`; a site that does not exist does not
/// compile. `A` is the [`Accessors`](Model::Accessors) of the model, so that `Fit<eight_schools::Accessors>` names the type
/// of a fit; it borrows neither the model nor its data.
pub struct Fit<A> {
    results: Results,
    accessors: A,
    chains: Vec<ChainInfo>,
    notes: Notes,
}

/// What a run has to say beside its draws.
pub(crate) struct Notes {
    /// What may be wrong.
    pub warnings: Vec<Warning>,
    /// The scalars that data give, the same in every draw: sites with numbers of elements.
    pub given: HashSet<(String, usize)>,
}

impl Notes {
    /// Returns what is known of a run before its first draw.
    pub fn of(potential: &Potential<'_>) -> Self {
        Notes {
            warnings: potential.hindrance().cloned().into_iter().collect(),
            given: potential.given().clone(),
        }
    }

    /// Puts the warnings of the run in front of those about its draws, and leaves out that given scalars do not move.
    pub fn complete(&self, summary: &mut Summary, draws: &Draws) {
        let given: HashSet<String> = self
            .given
            .iter()
            .filter_map(|(site, k)| draws.label(site, *k))
            .collect();
        let is_given = |w: &Warning| matches!(w, Warning::Constant { label, .. } if given.contains(label));
        summary.warnings.retain(|w| !is_given(w));
        summary.warnings.splice(..0, self.warnings.iter().cloned());
    }
}

impl<A> Fit<A> {
    /// Puts the draws of all chains together.
    ///
    /// # Errors
    ///
    /// If they do not go together: the error holds the draws of each chain.
    pub(crate) fn new(drawn: Vec<Drawn>, potential: &Potential<'_>, begun: Begun) -> Result<Self>
    where
        A: From<Arc<dyn DrawsBySite>>,
    {
        let facts = potential.facts();
        let attributes = begun.end(facts.name.clone(), facts.fingerprint.clone());
        let (mut draws, mut statistics, mut chains) = (Vec::new(), Vec::new(), Vec::new());
        let (mut warmup, mut warmup_statistics) = (Vec::new(), Vec::new());
        for chain in drawn {
            draws.push(chain.draws);
            statistics.push(chain.statistics);
            warmup.push(chain.warmup.0);
            warmup_statistics.push(chain.warmup.1);
            chains.push(chain.info);
        }
        let (draws, warmup) = (join(draws)?, join(warmup)?);
        let groups = [
            (Group::SampleStats, statistics::merge(&statistics, draws.n_draws())),
            (
                Group::WarmupSampleStats,
                statistics::merge(&warmup_statistics, warmup.n_draws()),
            ),
            (Group::WarmupPosterior, warmup),
            (Group::ObservedData, facts.observed.clone()),
            (Group::ConstantData, facts.constant.clone()),
        ];
        let mut results = Results::new(draws, attributes);
        let is_kept = |draws: &Draws| draws.n_draws() > 0;
        for (group, draws) in groups.into_iter().filter(|(_, draws)| is_kept(draws)) {
            results.put(group, draws)?;
        }
        Ok(Fit {
            accessors: A::from(Arc::clone(results.sites()) as Arc<dyn DrawsBySite>),
            results,
            chains,
            notes: Notes::of(potential),
        })
    }

    /// Returns the draws by name.
    pub fn draws(&self) -> &Draws {
        self.results.posterior()
    }

    /// Returns all that the run left behind, in groups: draws, statistics, the warm-up if it was kept, data, and what was added;
    /// and how it came about.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// Adds draws from the prior, or predictions at the draws of this fit, to its results: an earlier such group is replaced.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::nuts::Nuts;
    /// use ppl_core::inference::results::Group;
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
    /// let y = array![4.0, 5.0];
    /// let mut fit = Nuts::default().draws(100).run(&mean_of(&y))?;
    /// let predicted = fit.predict(&mean_of(Obs::missing_like(&[2])))?;
    /// fit.add(&predicted)?;
    /// let groups: Vec<&str> = fit.results().groups().map(|(group, _)| group.name()).collect();
    /// assert_eq!(groups, ["posterior", "sample_stats", "posterior_predictive", "observed_data"]);
    /// assert_eq!(fit.results().group(Group::ObservedData).unwrap().get("y").unwrap()[[0, 0, 1]], 5.0);
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If predictions have another number of chains or draws than this fit.
    pub fn add<B>(&mut self, predicted: &Predictive<B>) -> Result<()> {
        predicted
            .grouped()
            .into_iter()
            .try_for_each(|(group, draws)| self.results.put(group, draws))
    }

    /// Gives a dimension coordinates in all groups, by which elements are called from now on, as in `theta[north]`;
    /// plates are dimensions, under the names of their indexes or the names that they were given.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::nuts::Nuts;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn schools(y: Obs<Array1<f64>>) {
    ///     for school in plate(y) {
    ///         let theta = sample(Normal(0, 5));
    ///         observe(y[school], Normal(theta, 10));
    ///     }
    /// }
    ///
    /// let y = array![28.0, 8.0];
    /// let mut fit = Nuts::default().draws(100).run(&schools(&y))?;
    /// fit.set_coords("school", ["Andover", "Boston"])?;
    /// assert_eq!(fit.summary().rows[1].label, "theta[Boston]");
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no dimension of this name, or the coordinates are not as many as it is long, or two are the same.
    pub fn set_coords<L: Into<String>>(&mut self, dimension: &str, labels: impl IntoIterator<Item = L>) -> Result<()> {
        let labels = labels.into_iter().map(L::into).collect();
        Ok(self.results.set_coords(dimension, labels)?)
    }

    /// Returns the statistics of the steps by name, each `[chain, draw]`: `lp`, the log density of the unconstrained latents
    /// up to a constant, and what the sampler tells of itself, under the names of ArviZ.
    ///
    /// A statistic of one part of a composition has its name in brackets, as in `acceptance_rate[theta]`.
    pub fn statistics(&self) -> &Draws {
        let statistics = self.results.group(Group::SampleStats);
        statistics.expect("each run has statistics")
    }

    /// Returns mean, spread, quantiles, errors and diagnostics of every scalar, with warnings in words; what the run itself
    /// has to say comes first, as that the model could not be replayed, or that paths diverged.
    pub fn summary(&self) -> Summary {
        let mut summary = diagnostics::summary(self.draws());
        self.notes.complete(&mut summary, self.draws());
        let of_paths = path_warnings(self.statistics()).into_iter().map(Warning::Path);
        summary.warnings.splice(..0, of_paths);
        summary
    }

    /// Returns the log densities of the model's observations at each draw, `[chain, draw, plates…]` for each observed site: what
    /// leave-one-out cross-validation takes.
    ///
    /// A row of the plates is one observation: what it observes is summed over its event. Neither `.scale()` nor N/B of a
    /// subsampled plate counts, whose rows are all there. NaN stands for what is no observation: rows that are masked, and
    /// elements that are missing. The model can be that of the fit, or the same with other data, where it observes them at the
    /// same latents.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::nuts::Nuts;
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
    /// let fit = Nuts::default().draws(100).run(&mean_of(&y))?;
    /// let log_likelihood = fit.log_likelihood(&mean_of(&y))?;
    /// let of_y = log_likelihood.get("y").unwrap();
    /// assert_eq!(of_y.shape(), [4, 100, 3]);
    /// let z = 5.0 - fit.mu()[[2, 7]];
    /// assert!((of_y[[2, 7, 1]] + 0.5 * z * z + 0.5 * std::f64::consts::TAU.ln()).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the model fails at a draw or observes nothing; if it has a latent that the fit lacks, on which an observation depends,
    /// or one in a plate that had another length in the fit.
    pub fn log_likelihood<N: Model + Sync>(&self, model: &N) -> Result<Draws> {
        self.log_densities(model, true)
    }

    /// Returns the log densities of the latents under their distributions in the model at each draw, as
    /// [`Fit::log_likelihood`] does of observations: on the supports of the latents, without any change of coordinates.
    ///
    /// # Errors
    ///
    /// As [`Fit::log_likelihood`].
    pub fn log_prior<N: Model + Sync>(&self, model: &N) -> Result<Draws> {
        self.log_densities(model, false)
    }

    /// Adds [`Fit::log_likelihood`] and [`Fit::log_prior`] of the model to the results.
    ///
    /// # Errors
    ///
    /// As [`Fit::log_likelihood`].
    pub fn add_log_densities<N: Model + Sync>(&mut self, model: &N) -> Result<()> {
        let (likelihood, prior) = (self.log_likelihood(model)?, self.log_prior(model)?);
        self.results.put(Group::LogLikelihood, likelihood)?;
        self.results.put(Group::LogPrior, prior)
    }

    fn log_densities(&self, model: &(dyn Body + Sync), of_observed: bool) -> Result<Draws> {
        let draws = self.draws();
        let at = AtDraws {
            model,
            draws,
            of_observed,
        };
        at.log_densities()
    }

    /// Returns how each chain did.
    pub fn chains(&self) -> &[ChainInfo] {
        &self.chains
    }

    /// Runs a model once for each draw, its latents having the values of the draw.
    ///
    /// What the draws lack is drawn: missing observations, and latents that the fit has not. These and tracked values are
    /// what the result holds, and it prints where each site comes from.
    ///
    /// Latents in a plate are those of the same rows. If the rows are others, say [`Fit::new_rows`]; if there are more of
    /// them, say [`Fit::more_rows`]. Loops over steps keep the steps of the fit, and later ones are drawn.
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
    /// If the model fails at a draw, draws from a distribution whose parameters are not allowed, shares no latent with the
    /// draws, or has a latent in a plate that had another length in the fit.
    pub fn predict<N: Model + Sync>(&self, model: &N) -> Result<Predictive<N::Accessors>> {
        self.predict_rows(model, &RowWords::default())
    }

    fn predict_rows<N: Model + Sync>(&self, model: &N, words: &RowWords) -> Result<Predictive<N::Accessors>> {
        let key = Key::new(self.results.attributes().seed).split(PREDICTION);
        let recorder = |chain_idx, draw_idx| recorder(key.split(chain_idx as u64).split(draw_idx as u64));
        let record = |recorder: &Recorder, model: &dyn Body| recorder.record(model);
        predict(model, self.draws(), words, &recorder, &record)?.finish()
    }
}

impl<A: SiteAccessors> Fit<A> {
    /// Says before [`ForRows::predict`] that the rows of some sites' plates are not those of the fit: their latents are drawn
    /// anew.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::{HalfNormal, Normal};
    /// use ppl_core::inference::mh::Mh;
    /// use ppl_core::runtime::argument::Obs;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    ///     let mu = sample(Normal(0, 5));
    ///     let tau = sample(HalfNormal(5));
    ///     for j in plate(sigma) {
    ///         let theta = sample(Normal(mu, tau));
    ///         observe(y[j], Normal(theta, sigma[j]));
    ///     }
    /// }
    ///
    /// let (sigma, y) = (array![15.0, 10.0, 16.0], array![28.0, 8.0, -3.0]);
    /// let fit = Mh::default().draws(200).seed(1).run(&schools(&sigma, &y))?;
    /// let other = array![12.0];
    /// let ppc = fit.new_rows(|s| s.theta()).predict(&schools(&other, Obs::missing()))?;
    /// assert_eq!(ppc.theta().shape(), [4, 200, 1]);
    /// assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["theta"]);
    /// assert!(fit.predict(&schools(&other, Obs::missing())).is_err());
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    pub fn new_rows<S: SiteChoice>(&self, sites: impl Choose<A::Names, S>) -> ForRows<'_, Self, A> {
        ForRows::of(self).new_rows(sites)
    }

    /// Says before [`ForRows::predict`] that some sites' plates have the rows of the fit and more: the rows of the fit keep
    /// their draws, later ones are drawn anew.
    pub fn more_rows<S: SiteChoice>(&self, sites: impl Choose<A::Names, S>) -> ForRows<'_, Self, A> {
        ForRows::of(self).more_rows(sites)
    }
}

impl<A: SiteAccessors> ForRows<'_, Fit<A>, A> {
    /// Runs a model once for each draw, as [`Fit::predict`] does, with the rows that were spoken of.
    ///
    /// # Errors
    ///
    /// Those of [`Fit::predict`]; a word that names a site that the model does not draw, or that lies in no plate and no
    /// loop; a plate with fewer rows than the fit had, of which more were said; a `param` in a plate that was spoken of.
    pub fn predict<N: Model + Sync>(&self, model: &N) -> Result<Predictive<N::Accessors>> {
        self.fit.predict_rows(model, &self.words)
    }
}

/// Writes the number of draws and the acceptance of each chain, if any of its moves can be refused, a line for each site with its shape and the means of its
/// first elements, and what may be wrong; [`Fit::summary`] says more.
impl<A> fmt::Display for Fit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acceptance = self.chains.iter().map(ChainInfo::acceptance);
        let acceptance: Vec<String> = acceptance
            .filter(|a| a.is_finite())
            .map(|a| format!("{a:.2}"))
            .collect();
        match acceptance.as_slice() {
            [] => writeln!(f, "{}", counted(self.draws()))?,
            some => writeln!(f, "{}, acceptance {}", counted(self.draws()), some.join(", "))?,
        }
        columns(f, &site_lines(self.draws()))?;
        warnings_of(f, &self.summary().warnings)
    }
}

/// Returns a line for each site of some draws: name, shape, means.
pub(crate) fn site_lines(draws: &Draws) -> Vec<[String; 3]> {
    let line = |site: &str| {
        let values = draws.get(site)?;
        let shape = format!("{:?}", &values.shape()[2..]);
        Some([site.to_string(), shape, means(values)])
    };
    draws.names().filter_map(line).collect()
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

/// Returns posteriors side by side: `compare(&[("mh", &fit), ("svi", &vi)])`.
pub fn compare(fits: &[(&str, &dyn HasDraws)]) -> Comparison {
    let sets: Vec<(&str, &Draws)> = fits.iter().map(|(name, fit)| (*name, fit.draws())).collect();
    diagnostics::compare(&sets)
}
