//! What SVI found: a guide with its parameters, from which draws are made when they are asked for.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use ndarray::ArrayD;
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::Result;
use crate::inference::fit::HasDraws;
use crate::inference::predictive::{Predictive, predict};
use crate::inference::svi::predict::Predictor;
use crate::program::compile::Program;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::Recording;
use crate::runtime::sites::DrawsBySite;
use crate::runtime::state::SiteKind;
use crate::tape::store::{Precision, Scalar};

/// The parameters of a guide after a run.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    pub values: Vec<f64>,
    pub precision: Precision,
    pub key: Key,
}

/// A fitted guide: an approximation of the posterior.
///
/// It dereferences to the model's typed accessors, which read 1000 draws made at the first look.
pub struct Approximation<M: Model> {
    guide: Arc<GuideDraws>,
    losses: Vec<f64>,
    params: Vec<(String, ArrayD<f64>)>,
    accessors: M::Accessors,
    model: PhantomData<fn() -> M>,
}

/// Draws that typed accessors read, made when first asked for.
struct GuideDraws {
    sampler: Sampler,
    program: AnyProgram,
    sites: Vec<String>,
    draws: OnceLock<Draws>,
}

enum AnyProgram {
    F64(Program<f64>),
    F32(Program<f32>),
}

/// The child of the run's key that predictions draw from.
const PREDICTION: u64 = u64::MAX - 1;

/// The number of draws that accessors read.
const N_DRAWS: usize = 1000;

impl<M: Model> Approximation<M> {
    pub(crate) fn new(
        sampler: Sampler,
        recording: Recording,
        losses: Vec<f64>,
        params: Vec<(String, ArrayD<f64>)>,
    ) -> Result<Self> {
        let sites: Vec<_> = recording
            .sites
            .iter()
            .filter(|s| s.kind == SiteKind::Latent && !s.is_guide)
            .collect();
        let program = match sampler.precision {
            Precision::F64 => AnyProgram::F64(recording.values(&sites)?),
            Precision::F32 => AnyProgram::F32(recording.values(&sites)?),
        };
        let sites = sites.iter().map(|s| s.address.clone()).collect();
        let guide = Arc::new(GuideDraws {
            sampler,
            program,
            sites,
            draws: OnceLock::new(),
        });
        let accessors = M::Accessors::from(Arc::clone(&guide) as Arc<dyn DrawsBySite>);
        Ok(Approximation {
            guide,
            losses,
            params,
            accessors,
            model: PhantomData,
        })
    }

    /// Returns −ELBO of each step.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// Returns the parameters of the guide, unconstrained, with their names.
    pub fn params(&self) -> &[(String, ArrayD<f64>)] {
        &self.params
    }

    /// Returns `n` draws of all latents from the guide, as one chain; draw i is the same whatever `n` is.
    pub fn draws(&self, n: usize) -> Draws {
        self.guide.draw(n)
    }

    /// Runs a model once for each of `n` draws from the guide, its latents having the values of the draw.
    ///
    /// What the draws lack is drawn: missing observations, and latents in a plate of another length. These and tracked
    /// values are what the result holds. Plates run over all rows.
    ///
    /// # Errors
    ///
    /// If the model fails, or shares no latent with the guide.
    pub fn predict<N: Model + Sync>(&self, model: &N, n: usize) -> Result<Predictive<N>> {
        match &self.guide.program {
            AnyProgram::F64(program) => self.predict_as(program, model, n),
            AnyProgram::F32(program) => self.predict_as(program, model, n),
        }
    }

    fn predict_as<F: Scalar, N: Model + Sync>(
        &self,
        program: &Program<F>,
        model: &N,
        n: usize,
    ) -> Result<Predictive<N>> {
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
        let Some(predictor) = Predictor::<F>::new(model, draw.collect(), key)? else {
            return predict(model, &self.draws(n), key);
        };
        let (theta, guide) = (self.guide.theta::<F>(), &*self.guide);
        let table = predictor.run(n, key, |i, put| {
            let mut workspace = program.workspace();
            workspace.key = guide.sampler.key.split(i as u64);
            program.value(&mut workspace, &theta);
            for (k, site) in guide.sites.iter().enumerate() {
                put(site, program.output(&workspace, &theta, k).0);
            }
        })?;
        Predictive::new(&[table])
    }

    /// Returns the table of means, standard deviations and quantiles over 1000 draws.
    pub fn summary(&self) -> crate::diagnostics::Summary {
        crate::diagnostics::summary(self.guide.draws())
    }
}

impl<M: Model> Deref for Approximation<M> {
    type Target = M::Accessors;

    fn deref(&self) -> &M::Accessors {
        &self.accessors
    }
}

impl<M: Model> HasDraws for Approximation<M> {
    fn draws(&self) -> &Draws {
        self.guide.draws()
    }
}

impl GuideDraws {
    fn draws(&self) -> &Draws {
        self.draws.get_or_init(|| self.draw(N_DRAWS))
    }

    fn theta<F: Scalar>(&self) -> Vec<F> {
        self.sampler.values.iter().map(|&x| F::from_f64(x)).collect()
    }

    fn draw(&self, n: usize) -> Draws {
        match &self.program {
            AnyProgram::F64(program) => self.draw_as(program, n),
            AnyProgram::F32(program) => self.draw_as(program, n),
        }
    }

    fn draw_as<F: Scalar>(&self, program: &Program<F>, n: usize) -> Draws {
        let theta = self.theta::<F>();
        let one = |i: usize| {
            let mut workspace = program.workspace();
            workspace.key = self.sampler.key.split(i as u64);
            program.value(&mut workspace, &theta);
            let value = |k| {
                program
                    .output(&workspace, &theta, k)
                    .0
                    .iter()
                    .map(|x| x.to_f64())
                    .collect::<Vec<_>>()
            };
            (0..self.sites.len()).map(value).collect::<Vec<_>>()
        };
        let rows: Vec<_> = (0..n).into_par_iter().map(one).collect();
        let workspace = program.workspace();
        let mut draws = Draws::new(1, n);
        for (k, site) in self.sites.iter().enumerate() {
            let values = rows.iter().flat_map(|row| row[k].iter().copied()).collect();
            let shape = program.output(&workspace, &theta, k).1;
            draws
                .insert(site, shape, values)
                .expect("each draw has the shape of its site");
        }
        draws
    }
}

impl DrawsBySite for GuideDraws {
    fn draws_of(&self, site: &str) -> ndarray::ArrayViewD<'_, f64> {
        self.draws().get(site).unwrap_or_else(|| {
            panic!(
                "there are no draws of `{site}`; there are draws of {}",
                self.sites.join(", ")
            )
        })
    }
}
