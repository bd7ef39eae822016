//! What SVI found: a guide with its parameters, from which draws are made when they are asked for.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use ndarray::ArrayD;

use crate::diagnostics::columns::{columns, counted};
use crate::diagnostics::number::significant;
use crate::draws::Draws;
use crate::error::Result;
use crate::inference::fit::{HasDraws, site_lines};
use crate::inference::predictive::Predictive;
use crate::inference::row_words::{ForRows, RowWords};
use crate::inference::svi::guide_draws::GuideDraws;
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
    losses: Vec<f64>,
    params: Vec<(String, ArrayD<f64>)>,
    accessors: A,
}

impl<A> Approximation<A> {
    pub(crate) fn new(guide: GuideDraws, losses: Vec<f64>, params: Vec<(String, ArrayD<f64>)>) -> Self
    where
        A: From<Arc<dyn DrawsBySite>>,
    {
        let guide = Arc::new(guide);
        Approximation {
            accessors: A::from(Arc::clone(&guide) as Arc<dyn DrawsBySite>),
            guide,
            losses,
            params,
        }
    }

    /// Returns −ELBO of each step.
    pub fn losses(&self) -> &[f64] {
        &self.losses
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
        &self.params
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

    /// Returns the table of means, standard deviations and quantiles over the draws that accessors read.
    pub fn summary(&self) -> crate::diagnostics::Summary {
        crate::diagnostics::summary(&self.guide.all().draws)
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

/// Writes the number of steps and the bound that they ended at, and a line for each latent with its shape and the means of
/// its first elements; [`Approximation::summary`] says more.
impl<A> fmt::Display for Approximation<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.losses.len();
        write!(f, "a guide after {n} steps")?;
        let last = &self.losses[n - n.div_ceil(10)..];
        if n > 0 {
            let elbo = -last.iter().sum::<f64>() / last.len() as f64;
            write!(
                f,
                ", ELBO {} on average over the last {}",
                significant(elbo),
                last.len()
            )?;
        }
        writeln!(f, "; {}", counted(&self.guide.all().draws))?;
        columns(f, &site_lines(&self.guide.all().draws))
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
