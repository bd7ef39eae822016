//! The configuration of SVI.

use crate::error::Result;
use crate::inference::progress::Progress;
use crate::inference::svi::approximation::Approximation;
use crate::inference::svi::guides::GuideFor;
use crate::inference::svi::state::SviState;
use crate::optim::Optimizer;
use crate::runtime::model::Model;
use crate::tape::store::Precision;

/// How the evidence lower bound is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElboEstimator {
    /// log p − log q at draws of the guide.
    #[default]
    Sampled,
    /// The divergence of the guide from the prior in closed form, for each site where one is known; the rest is sampled.
    ///
    /// Sites that are scaled or masked, in the guide or in the model, are sampled: with scales v and w what counts of them
    /// is w log p − v log q, which is no divergence.
    AnalyticKl,
}

/// Stochastic variational inference: climbs the evidence lower bound
///
/// ELBO = E_q[log p(x, z) − log q(z)] ≤ log p(x)
///
/// by the gradient at reparameterised draws of the guide q.
///
/// The derivatives are those along draws. A density that jumps where a continuous latent crosses a border, by an `if` or a
/// comparison in the model, has none at the jump, and the optimum that is found is off; [`Mh`](crate::inference::mh::Mh)
/// samples such models correctly.
///
/// References: Hoffman et al. 2013; Kingma and Welling 2014; Ranganath et al. 2014.
#[derive(Clone, Debug)]
pub struct Svi<G, O> {
    /// The variational family.
    pub guide: G,
    /// The optimiser of its parameters.
    pub optimizer: O,
    /// The number of steps.
    pub steps: usize,
    /// The number of guide draws per step, whose gradients are averaged.
    pub particles: usize,
    /// The number of draws that accessors of the fit read.
    pub draws: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The precision of values and parameters.
    pub precision: Precision,
    /// How the bound is estimated.
    pub estimator: ElboEstimator,
    /// Whether a progress bar is shown.
    pub progress: Progress,
}

impl<G, O> Svi<G, O> {
    /// Returns SVI with a guide and an optimiser, 10,000 steps, one particle, 1000 draws, seed 0, in double
    /// precision.
    pub fn new(guide: G, optimizer: O) -> Self {
        Svi {
            guide,
            optimizer,
            steps: 10_000,
            particles: 1,
            draws: 1000,
            seed: 0,
            precision: Precision::F64,
            estimator: ElboEstimator::Sampled,
            progress: Progress::default(),
        }
    }

    /// Sets the number of steps.
    pub fn steps(self, steps: usize) -> Self {
        Svi { steps, ..self }
    }

    /// Sets the number of guide draws per step.
    pub fn particles(self, particles: usize) -> Self {
        Svi { particles, ..self }
    }

    /// Sets the number of draws that accessors of the fit read.
    pub fn draws(self, draws: usize) -> Self {
        Svi { draws, ..self }
    }

    /// Sets the seed.
    pub fn seed(self, seed: u64) -> Self {
        Svi { seed, ..self }
    }

    /// Sets the precision: `Precision::F32` for networks.
    pub fn precision(self, precision: Precision) -> Self {
        Svi { precision, ..self }
    }

    /// Sets the estimator of the bound.
    pub fn estimator(self, estimator: ElboEstimator) -> Self {
        Svi { estimator, ..self }
    }

    /// Sets whether a progress bar is shown.
    pub fn progress(self, progress: Progress) -> Self {
        Svi { progress, ..self }
    }

    /// Records guide and model and returns the state before the first step, for custom loops.
    ///
    /// # Errors
    ///
    /// If a site is at fault: shapes, names, a density that is not finite at the start; a guide that does not fit; settings
    /// of the optimiser, or a first learning rate, that [`Optimizer::check`] refuses.
    pub fn start<'m, M>(&'m self, model: &'m M) -> Result<SviState<'m, M, G, O>>
    where
        M: Model + Sync,
        G: GuideFor<M>,
        O: Optimizer<f32> + Optimizer<f64>,
    {
        SviState::new(self, model)
    }

    /// Runs all steps.
    ///
    /// # Errors
    ///
    /// As [`Svi::start`]; and [`Error::NotFinite`](crate::error::Error::NotFinite) if the bound is not finite at some
    /// step, with the site to blame and the last good parameters. Any other error after the first step is wrapped in
    /// [`Error::Stopped`](crate::error::Error::Stopped) with the last good parameters.
    pub fn run<M>(&self, model: &M) -> Result<Approximation<M::Accessors>>
    where
        M: Model + Sync,
        G: GuideFor<M>,
        O: Optimizer<f32> + Optimizer<f64>,
    {
        let mut state = self.start(model)?;
        let bar = self.progress.bar(self.steps as u64, "svi");
        for step in 0..self.steps {
            let elbo = state.step().map_err(|error| state.stopped(error))?;
            if step % 50 == 0 {
                bar.set_message(format!("ELBO {elbo:.1}"));
                bar.set_position(step as u64);
            }
        }
        bar.finish_and_clear();
        state.finish()
    }
}
