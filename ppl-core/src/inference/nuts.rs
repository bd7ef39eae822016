//! The configurations of Hamiltonian samplers: [`Nuts`], the first choice, and [`Hmc`].

use crate::error::{Error, Result};
use crate::inference::attributes::Begun;
use crate::inference::chain::{ChainPlan, run_chains};
use crate::inference::checkpoint::Checkpoint;
use crate::inference::fit::Fit;
use crate::inference::hamiltonian::hmc::HmcTransition;
use crate::inference::hamiltonian::nuts::NutsTransition;
use crate::inference::hamiltonian::warmup::{MetricKind, Warmup};
use crate::inference::potential::Potential;
use crate::inference::progress::Progress;
use crate::inference::settings::{plan, settings};
use crate::inference::transition::Transition;
use crate::inference::vector_chain::VectorChain;
use crate::runtime::model::Model;
use crate::tensor::room::room;

/// The child of the seed's key that records the model; chains take the children 0, 1, ….
const RECORDING: u64 = u64::MAX;

/// The best acceptance of the Metropolis-adjusted Langevin algorithm in many dimensions.
pub(crate) const MALA_TARGET: f64 = 0.574;

/// The most doublings that a path can be asked for.
const MOST_DOUBLINGS: usize = 20;

/// The No-U-Turn sampler: the first choice for models whose latents are all continuous.
///
/// Each chain learns a step size and a metric during the warm-up ([`MetricKind`]), and then makes paths along the gradient
/// that are as long as they lead away. Where its steps were too long for the posterior, [`Fit::summary`] says so. The same
/// seed gives the same draws for any number of threads.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::distributions::{HalfNormal, Normal};
/// use ppl_core::inference::nuts::Nuts;
/// use ppl_macros::model;
///
/// #[model(crate = ppl_core)]
/// fn mean_and_spread(y: Obs<Array1<f64>>) {
///     let mu = sample(Normal(0, 10));
///     let sigma = sample(HalfNormal(5));
///     for i in plate(y) {
///         observe(y[i], Normal(mu, sigma));
///     }
/// }
///
/// let y = array![4.1, 5.3, 6.2, 4.9, 5.5];
/// let fit = Nuts::default().draws(500).seed(42).run(&mean_and_spread(&y))?;
/// assert!((fit.mu().mean().unwrap() - 5.2).abs() < 0.2);
/// println!("{}", fit.summary());
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Nuts {
    /// The number of chains, run in parallel.
    pub chains: usize,
    /// The number of draws that each chain keeps.
    pub draws: usize,
    /// The number of steps before these, during which step size and metric are learnt.
    pub warmup: usize,
    /// The number of steps for each draw that is kept.
    pub thin: usize,
    /// Whether draws of the warm-up are kept too, as often as later ones, with their statistics.
    pub keep_warmup: bool,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The mean acceptance along a path that the step size is to give, between zero and one: closer to one, steps are
    /// shorter and there are fewer divergences.
    pub target_acceptance: f64,
    /// How often a path is doubled at most.
    pub max_depth: usize,
    /// Which metric is learnt.
    pub metric: MetricKind,
    /// The step size, if it is not to be learnt.
    pub step_size: Option<f64>,
    /// Whether progress is shown.
    pub progress: Progress,
    /// Where and how often chains are written, if they are.
    pub checkpoint: Option<Checkpoint>,
}

/// Hamiltonian Monte Carlo with paths of a given mean length; with one step, the Metropolis-adjusted Langevin algorithm
/// ([`Hmc::mala`]).
///
/// [`Nuts`] finds the length itself; this is for those who know it, and for comparisons.
#[derive(Clone, Debug)]
pub struct Hmc {
    /// The number of chains, run in parallel.
    pub chains: usize,
    /// The number of draws that each chain keeps.
    pub draws: usize,
    /// The number of steps before these, during which step size and metric are learnt.
    pub warmup: usize,
    /// The number of steps for each draw that is kept.
    pub thin: usize,
    /// Whether draws of the warm-up are kept too, as often as later ones, with their statistics.
    pub keep_warmup: bool,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The mean number of leapfrog steps of a path; each has between one and twice as many less one.
    pub steps: usize,
    /// The mean acceptance of a path that the step size is to give, between zero and one.
    pub target_acceptance: f64,
    /// Which metric is learnt.
    pub metric: MetricKind,
    /// The step size, if it is not to be learnt.
    pub step_size: Option<f64>,
    /// Whether progress is shown.
    pub progress: Progress,
    /// Where and how often chains are written, if they are.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Nuts {
    fn default() -> Self {
        Nuts {
            chains: 4,
            draws: 1000,
            warmup: 1000,
            thin: 1,
            keep_warmup: false,
            seed: 0,
            target_acceptance: 0.8,
            max_depth: 10,
            metric: MetricKind::default(),
            step_size: None,
            progress: Progress::Auto,
            checkpoint: None,
        }
    }
}

impl Default for Hmc {
    fn default() -> Self {
        Hmc {
            chains: 4,
            draws: 1000,
            warmup: 1000,
            thin: 1,
            keep_warmup: false,
            seed: 0,
            steps: 10,
            target_acceptance: 0.8,
            metric: MetricKind::default(),
            step_size: None,
            progress: Progress::Auto,
            checkpoint: None,
        }
    }
}

impl Nuts {
    settings! { Nuts:
        chains: usize;
        draws: usize;
        warmup: usize;
        thin: usize;
        keep_warmup: bool;
        seed: u64;
        target_acceptance: f64;
        max_depth: usize;
        metric: MetricKind;
        step_size: Option<f64>;
        progress: Progress;
    }

    /// Draws from the posterior of a model.
    ///
    /// # Errors
    ///
    /// If a setting is out of range, the model cannot be recorded, has a discrete latent, or no chain finds a starting point
    /// with a finite log density: the error names the site at fault. [`Error::Chain`] if a chain cannot go on: it names
    /// the chain and the draw, and holds the draws made so far.
    pub fn run<M: Model + Sync>(&self, model: &M) -> Result<Fit<M::Accessors>> {
        check_depth(self.max_depth)?;
        let begun = Begun::now("Nuts", self.settings(), self.seed);
        let plan = plan!(self);
        let warmup = Warmup {
            target_acceptance: self.target_acceptance,
            metric: self.metric,
            step_size: self.step_size,
        };
        let transition = |dim| Box::new(NutsTransition::new(dim, self.max_depth, warmup)) as Box<dyn Transition>;
        run(model, begun, plan, warmup, transition)
    }
}

impl Hmc {
    /// Returns the Metropolis-adjusted Langevin algorithm (MALA): one leapfrog step a path.
    ///
    /// With the metric L and the step size ε, the proposal is normal with mean x + ε²/2 L Lᵀ ∇ ln p(x) and covariance
    /// ε² L Lᵀ, accepted as Metropolis and Hastings do. The target of the acceptance is 0.574 (Roberts and Rosenthal 1998).
    pub fn mala() -> Self {
        Hmc {
            steps: 1,
            target_acceptance: MALA_TARGET,
            ..Hmc::default()
        }
    }

    settings! { Hmc:
        chains: usize;
        draws: usize;
        warmup: usize;
        thin: usize;
        keep_warmup: bool;
        seed: u64;
        steps: usize;
        target_acceptance: f64;
        metric: MetricKind;
        step_size: Option<f64>;
        progress: Progress;
    }

    /// Draws from the posterior of a model.
    ///
    /// # Errors
    ///
    /// As [`Nuts::run`].
    pub fn run<M: Model + Sync>(&self, model: &M) -> Result<Fit<M::Accessors>> {
        check_steps(self.steps)?;
        let begun = Begun::now("Hmc", self.settings(), self.seed);
        let plan = plan!(self);
        let warmup = Warmup {
            target_acceptance: self.target_acceptance,
            metric: self.metric,
            step_size: self.step_size,
        };
        let transition = |dim| Box::new(HmcTransition::new(dim, self.steps, warmup)) as Box<dyn Transition>;
        run(model, begun, plan, warmup, transition)
    }
}

/// Runs chains of a transition that needs gradients in all coordinates.
fn run<M: Model + Sync>(
    model: &M,
    begun: Begun,
    plan: ChainPlan,
    warmup: Warmup,
    transition: impl Fn(usize) -> Box<dyn Transition> + Sync,
) -> Result<Fit<M::Accessors>> {
    plan.check()?;
    warmup.check()?;
    let potential = Potential::new(model, plan.key.split(RECORDING))?;
    check_continuous(&potential, begun.sampler)?;
    warmup.check_room(potential.dim())?;
    potential.check_draws(plan.chains, plan.n_kept())?;
    let start = |key| VectorChain::start(&potential, transition(potential.dim()), key);
    let drawn = run_chains(&plan, start)?;
    Fit::new(drawn, &potential, begun)
}

/// Refuses discrete latents, along which there is no gradient.
fn check_continuous(potential: &Potential<'_>, sampler: &str) -> Result<()> {
    let Some(slot) = potential.slots().iter().find(|s| s.is_discrete) else {
        return Ok(());
    };
    let message = format!(
        "it is discrete, and `{sampler}` follows gradients: use `Gibbs::auto(&model)`, which moves discrete latents too, or \
         sum it out of the model"
    );
    Err(Error::at_site(slot.name.to_string(), slot.place, message))
}

pub(crate) fn check_depth(max_depth: usize) -> Result<()> {
    if (1..=MOST_DOUBLINGS).contains(&max_depth) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "max_depth = {max_depth}: a path is doubled once at least and {MOST_DOUBLINGS} times at most"
    )))
}

pub(crate) fn check_steps(steps: usize) -> Result<()> {
    if (1..=1 << MOST_DOUBLINGS).contains(&steps) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "steps = {steps}: a path has one step at least and {} at most",
        1 << MOST_DOUBLINGS
    )))
}

impl Warmup {
    /// Refuses a metric of so many coordinates that finds no room.
    pub(crate) fn check_room(&self, dim: usize) -> Result<()> {
        if self.metric != MetricKind::Dense {
            return Ok(());
        }
        let no_room = |no_room| {
            Error::Invalid(format!(
                "a dense metric of {dim} coordinates holds their covariance: {no_room}; use `MetricKind::Fisher`"
            ))
        };
        room(&[dim, dim], 3 * size_of::<f64>()).map(drop).map_err(no_room)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let target = self.target_acceptance;
        if !(target > 0.0 && target < 1.0) {
            return Err(Error::Invalid(format!(
                "target_acceptance = {target}: it lies between zero and one, such as 0.8"
            )));
        }
        match self.step_size {
            Some(step) if !(step > 0.0 && step.is_finite()) => Err(Error::Invalid(format!(
                "step_size = {step}: it is positive and finite, or `None` to be learnt"
            ))),
            _ => Ok(()),
        }
    }
}
