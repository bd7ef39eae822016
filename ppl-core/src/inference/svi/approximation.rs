//! What SVI found: a guide with its parameters, from which draws are made when they are asked for.

use std::ops::Deref;
use std::sync::Arc;

use ndarray::ArrayD;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::fit::HasDraws;
use crate::inference::predictive::{Predictive, predict};
use crate::inference::svi::guide_draws::{GuideDraws, Origin};
use crate::inference::svi::predict::Predictor;
use crate::program::compile::Program;
use crate::runtime::model::Model;
use crate::runtime::recording::Recorder;
use crate::runtime::sites::DrawsBySite;
use crate::tape::store::Scalar;

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

/// The child of the run's key that predictions draw from.
const PREDICTION: u64 = u64::MAX - 1;

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
    /// If guide or model branch on values and `n` is larger than [`Svi::draws`](super::Svi::draws) was.
    pub fn draws(&self, n: usize) -> Draws {
        self.guide.draw(n)
    }

    /// Runs a model once for each of `n` draws from the guide, its latents having the values of the draw,
    /// its parameters the fitted ones.
    ///
    /// What the draws lack is drawn: missing observations, and latents in a plate of another length. These and tracked
    /// values are what the result holds. Plates run over all rows.
    ///
    /// # Errors
    ///
    /// If the model fails, draws from a distribution whose parameters are not allowed, has neither latents of the guide nor
    /// fitted parameters, or a parameter that was not fitted in its shape; if guide or model branch on values and `n` is
    /// larger than [`Svi::draws`](super::Svi::draws) was.
    pub fn predict<N: Model + Sync>(&self, model: &N, n: usize) -> Result<Predictive<N::Accessors>> {
        match &self.guide.origin {
            Origin::F64(program) => self.predict_as(program, model, n),
            Origin::F32(program) => self.predict_as(program, model, n),
            Origin::Recorded(draws) if n > draws.n_draws() => Err(Error::Invalid(format!(
                "{n} predictions by a guide that branches on values, of which {} draws were made: set `Svi::draws` before the run",
                draws.n_draws()
            ))),
            Origin::Recorded(_) => self.predict_by_recording(model, n),
        }
    }

    fn predict_by_recording<N: Model + Sync>(&self, model: &N, n: usize) -> Result<Predictive<N::Accessors>> {
        let sampler = &self.guide.sampler;
        let record = |recorder: &Recorder, model: &N| sampler.record(recorder, model);
        predict(model, &self.draws(n), sampler.key.split(PREDICTION), record)
    }

    fn predict_as<F: Scalar, N: Model + Sync>(
        &self,
        program: &Program<F>,
        model: &N,
        n: usize,
    ) -> Result<Predictive<N::Accessors>> {
        let key = self.guide.sampler.key.split(PREDICTION);
        let first = self.guide.draw(1);
        let draw = self.guide.sites.iter().map(|site| {
            let (shape, view) = (first.shape(site).unwrap_or(&[]), first.get(site));
            (
                site.clone(),
                (
                    shape.to_vec(),
                    view.map(|v| v.iter().copied().collect()).unwrap_or_default(),
                ),
            )
        });
        let Some(predictor) = Predictor::<F>::new(model, draw.collect(), key, &self.guide.sampler)? else {
            return self.predict_by_recording(model, n);
        };
        let (theta, guide) = (self.guide.theta::<F>(), &*self.guide);
        let table = predictor.run(n, (model, key, &guide.sampler), |i, put| {
            let mut workspace = program.workspace();
            workspace.key = guide.sampler.key.split(i as u64);
            program.value(&mut workspace, &theta);
            for (k, site) in guide.sites.iter().enumerate() {
                put(site, program.output(&workspace, &theta, k).0);
            }
        })?;
        Predictive::new(&[table])
    }

    /// Returns the table of means, standard deviations and quantiles over the draws that accessors read.
    pub fn summary(&self) -> crate::diagnostics::Summary {
        crate::diagnostics::summary(&self.guide.all().draws)
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
