//! What SVI found: a guide with its parameters, from which draws are made when they are asked for.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use ndarray::ArrayD;

use crate::diagnostics::columns::{columns, counted};
use crate::diagnostics::number::significant;
use crate::diagnostics::{self, Summary, Warning, warnings_of};
use crate::draws::Draws;
use crate::error::Result;
use crate::inference::fit::{HasDraws, Notes, site_lines};
use crate::inference::predictive::Predictive;
use crate::inference::row_words::{ForRows, RowWords};
use crate::inference::svi::guide_draws::GuideDraws;
use crate::inference::svi::iterates::Iterates;
use crate::inference::svi::weights::{Tail, Weights};
use crate::inference::svi::{course, jitter};
use crate::runtime::handlers::{Choose, SiteChoice};
use crate::runtime::model::Model;
use crate::runtime::sites::{DrawsBySite, SiteAccessors};

/// A fitted guide: an approximation of the posterior.
///
/// It dereferences to the model's typed accessors, which read [`Svi::draws`](super::Svi::draws) draws. They are made at the
/// first look; where guide or model branch on values, each is recorded when the run ends, and there are no more. `A` is the
/// [`Accessors`](Model::Accessors) of the model, which the approximation does not borrow, nor its data.
pub struct Approximation<A> {
    guide: Arc<GuideDraws>,
    course: Course,
    warnings: OnceLock<Vec<Warning>>,
    accessors: A,
}

/// What is kept of a run beside the guide.
pub(super) struct Course {
    /// −ELBO of each step.
    pub losses: Vec<f64>,
    /// The parameters, unconstrained, with their names.
    pub params: Vec<(String, ArrayD<f64>)>,
    /// What the run itself has to say.
    pub notes: Notes,
    pub iterates: Iterates,
    pub weights: Option<Weights>,
}

impl<A> Approximation<A> {
    pub(super) fn new(guide: GuideDraws, course: Course) -> Self
    where
        A: From<Arc<dyn DrawsBySite>>,
    {
        let guide = Arc::new(guide);
        Approximation {
            accessors: A::from(Arc::clone(&guide) as Arc<dyn DrawsBySite>),
            guide,
            course,
            warnings: OnceLock::new(),
        }
    }

    /// Returns −ELBO of each step.
    pub fn losses(&self) -> &[f64] {
        &self.course.losses
    }

    /// Returns a parameter of guide or model in its domain, by the name of its site: `[plates…, event…]`.
    ///
    /// A parameter of the model that shares its name with one of the guide is called `name (model)`.
    pub fn param(&self, name: &str) -> Option<ArrayD<f64>> {
        self.guide.sampler.param(name)
    }

    /// Returns the parameters of guide and model, unconstrained, with their names; [`Approximation::param`] gives one in its
    /// domain.
    pub fn params(&self) -> &[(String, ArrayD<f64>)] {
        &self.course.params
    }

    /// Returns `n` draws of all latents from the guide, as one chain; draw i is the same whatever `n` is.
    ///
    /// # Panics
    ///
    /// If guide or model branch on values and `n` is larger than [`Svi::draws`](super::Svi::draws) was, or if so many draws
    /// find no room in memory.
    pub fn draws(&self, n: usize) -> Draws {
        self.guide.draw(n)
    }

    /// Runs a model once for each of `n` draws from the guide, its latents having the values of the draw,
    /// its parameters the fitted ones.
    ///
    /// What the draws lack is drawn: missing observations, and latents that the guide has not. These and tracked values are
    /// what the result holds, and it prints where each site comes from. Plates run over all rows.
    ///
    /// Latents in a plate are those of the same rows. If the rows are others, say [`Approximation::new_rows`]; if there are
    /// more of them, say [`Approximation::more_rows`]. Loops over steps keep the steps of the fit, and later ones are drawn.
    ///
    /// # Errors
    ///
    /// If the model fails, draws from a distribution whose parameters are not allowed, has neither latents of the guide nor
    /// fitted parameters, a latent in a plate that had another length in the fit, or a parameter that was not fitted in its
    /// shape; if guide or model branch on values and `n` is larger than [`Svi::draws`](super::Svi::draws) was; if `n` is zero.
    pub fn predict<N: Model + Sync>(&self, model: &N, n: usize) -> Result<Predictive<N::Accessors>> {
        self.guide.predict(model, n, &RowWords::default())?.finish()
    }

    /// Returns the table of means, standard deviations and quantiles over the draws that accessors read, with the warnings of
    /// the run, [`Approximation::warnings`], before those of draws that are not finite or all the same.
    ///
    /// Draws of a guide are independent: what is said of chains that do not mix does not concern them.
    pub fn summary(&self) -> Summary {
        let mut summary = diagnostics::summary(&self.guide.all().draws);
        let is_of_chains = |w: &Warning| matches!(w, Warning::HighRhat { .. } | Warning::LowEss { .. });
        summary.warnings.retain(|w| !is_of_chains(w));
        let notes = Notes {
            warnings: self.warnings().to_vec(),
            given: self.course.notes.given.clone(),
        };
        notes.complete(&mut summary, &self.guide.all().draws);
        summary
    }

    /// Returns why the guide should not be trusted, if there is a reason, in words with the remedy.
    ///
    /// - Guide or model were recorded anew at each step, or at those on batches, with the line or the argument that is to
    ///   blame; sites whose divergence
    ///   [`AnalyticKl`](super::ElboEstimator::AnalyticKl) sampled; steps that were refused in a loop of one's own.
    /// - The bound of the last tenth of the steps still moves, was higher before, swings more than its noise explains, or has
    ///   spikes.
    /// - The parameters of the last steps move the guide's draws by more than half a standard deviation. This is not looked
    ///   at beyond 2¹⁷ parameters, nor where guide or model branch on values.
    /// - By the importance weights p(x, z) / q(z) a draw of the guide is worth less than a quarter of one from the posterior,
    ///   or less than half and [`Approximation::pareto_k`] is above 0.7.
    ///
    /// They are computed at the first call, from some hundred draws of the guide and what `pareto_k` takes.
    ///
    /// ```
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::svi::{AutoNormal, Svi};
    /// use ppl_core::optim::Adam;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn far_away() {
    ///     let x = sample(Normal(30, 1));
    /// }
    ///
    /// let fit = Svi::new(AutoNormal::default(), Adam::new(0.01)).steps(100).run(&far_away())?;
    /// assert!(fit.warnings()[0].to_string().starts_with("the ELBO still rises, by "));
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    pub fn warnings(&self) -> &[Warning] {
        self.warnings.get_or_init(|| {
            let Course {
                losses,
                notes,
                iterates,
                ..
            } = &self.course;
            let mut found = course::warnings(losses);
            found.extend(jitter::warning(&self.guide, &iterates.kept()));
            found.extend(self.tail().and_then(|tail| tail.warning()));
            notes
                .warnings
                .iter()
                .cloned()
                .chain(found.into_iter().map(Warning::Guide))
                .collect()
        })
    }

    /// Returns Pareto k̂ of the guide, the shape of the tail of p(x, z) / q(z) at its draws: up to 0.5 the guide covers the
    /// posterior well, beyond 0.7 it lacks parts of it, unless they are so small that the weights are near each other, as
    /// [`Approximation::warnings`] checks. −∞ if the weights hardly differ.
    ///
    /// `None` for points, after steps on batches, where guide or model are recorded anew at each step, and under
    /// [`AnalyticKl`](super::ElboEstimator::AnalyticKl) beyond 2¹⁷ parameters. The first call evaluates guide and model at two
    /// thousand draws, without derivatives: that takes as long as about a thousand steps with one particle.
    ///
    /// See [`pareto_k`](crate::diagnostics::pareto_k) for the method.
    pub fn pareto_k(&self) -> Option<f64> {
        self.tail().map(|tail| tail.k)
    }

    fn tail(&self) -> Option<Tail> {
        self.course.weights.as_ref()?.tail()
    }
}

impl<A: SiteAccessors> Approximation<A> {
    /// Says before [`ForRows::predict`] that the rows of some sites' plates are not those of the fit: their latents are drawn
    /// anew. See [`Fit::new_rows`](crate::inference::fit::Fit::new_rows).
    pub fn new_rows<S: SiteChoice>(&self, sites: impl Choose<A::Names, S>) -> ForRows<'_, Self, A> {
        ForRows::of(self).new_rows(sites)
    }

    /// Says before [`ForRows::predict`] that some sites' plates have the rows of the fit and more: the rows of the fit keep
    /// their draws, later ones are drawn anew. See [`Fit::more_rows`](crate::inference::fit::Fit::more_rows).
    pub fn more_rows<S: SiteChoice>(&self, sites: impl Choose<A::Names, S>) -> ForRows<'_, Self, A> {
        ForRows::of(self).more_rows(sites)
    }
}

impl<A: SiteAccessors> ForRows<'_, Approximation<A>, A> {
    /// Runs a model once for each of `n` draws, as [`Approximation::predict`] does, with the rows that were spoken of.
    ///
    /// # Errors
    ///
    /// Those of [`Approximation::predict`]; a word that names a site that the model does not draw, or that lies in no plate
    /// and no loop; a plate with fewer rows than the fit had, of which more were said; a `param` in a plate that was spoken of.
    pub fn predict<N: Model + Sync>(&self, model: &N, n: usize) -> Result<Predictive<N::Accessors>> {
        self.fit.guide.predict(model, n, &self.words)?.finish()
    }
}

/// Writes the number of steps, the bound that they ended at and Pareto k, a line for each latent with its shape and the means
/// of its first elements, and what may be wrong; [`Approximation::summary`] says more.
impl<A> fmt::Display for Approximation<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let losses = self.losses();
        let n = losses.len();
        write!(f, "a guide after {n} steps")?;
        let last = &losses[n - n.div_ceil(10)..];
        if n > 0 {
            let elbo = -last.iter().sum::<f64>() / last.len() as f64;
            write!(
                f,
                ", ELBO {} on average over the last {}",
                significant(elbo),
                last.len()
            )?;
        }
        if let Some(k) = self.pareto_k() {
            write!(f, ", Pareto k {k:.2}")?;
        }
        writeln!(f, "; {}", counted(&self.guide.all().draws))?;
        columns(f, &site_lines(&self.guide.all().draws))?;
        warnings_of(f, self.warnings())
    }
}

impl<A> Deref for Approximation<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.accessors
    }
}

impl<A> HasDraws for Approximation<A> {
    fn draws(&self) -> &Draws {
        &self.guide.all().draws
    }
}
