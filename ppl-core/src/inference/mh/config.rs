//! The configuration of Metropolis–Hastings, and its run.

use crate::error::Result;
use crate::inference::chain::{ChainInfo, ChainPlan, apart, run_chains};
use crate::inference::fit::{Fit, Notes};
use crate::inference::mh::proposal::Proposal;
use crate::inference::mh::trace_chain::TraceChain;
use crate::inference::mh::vector_chain::VectorChain;
use crate::inference::potential::Potential;
use crate::inference::progress::Progress;
use crate::inference::site_table::SiteTable;
use crate::rng::Key;
use crate::runtime::model::{Body, Model};

/// The child of the seed's key that records the model; chains take the children 0, 1, ….
const RECORDING: u64 = u64::MAX;

/// Metropolis–Hastings: for models with discrete latents or changing structure, and small ones without.
///
/// Each chain adapts its proposals during the warm-up only. A draw is one step of all latents together, or one sweep over
/// the sites ([`Proposal`]). The same seed gives the same draws for any number of threads.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::distributions::{Bernoulli, Beta};
/// use ppl_core::inference::mh::Mh;
/// use ppl_macros::model;
///
/// #[model(crate = ppl_core)]
/// fn coin(heads: Obs<Array1<bool>>) {
///     let p = sample(Beta(1, 1));
///     for i in plate(heads) {
///         observe(heads[i], Bernoulli::probs(p));
///     }
/// }
///
/// let heads = array![true, true, false, true];
/// let model = coin(&heads);
/// let fit = Mh::default().draws(500).seed(42).run(&model)?;
/// // The posterior is Beta(4, 2).
/// assert!((fit.p().mean().unwrap() - 4.0 / 6.0).abs() < 0.05);
/// println!("{}", fit.summary());
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mh {
    /// The number of chains, run in parallel.
    pub chains: usize,
    /// The number of draws that each chain keeps.
    pub draws: usize,
    /// The number of steps before these, during which the proposals adapt.
    pub warmup: usize,
    /// The number of steps for each draw that is kept.
    pub thin: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    /// How the next state is proposed.
    pub proposal: Proposal,
    /// Whether progress is shown.
    pub progress: Progress,
}

/// What the chains leave behind.
struct Sampled {
    tables: Vec<SiteTable>,
    chains: Vec<ChainInfo>,
    notes: Notes,
}

impl Default for Mh {
    fn default() -> Self {
        Mh {
            chains: 4,
            draws: 1000,
            warmup: 1000,
            thin: 1,
            seed: 0,
            proposal: Proposal::Auto,
            progress: Progress::Auto,
        }
    }
}

macro_rules! settings {
    ($($name:ident: $t:ty;)*) => {$(
        #[doc = concat!("Returns these settings with another [`Mh::", stringify!($name), "`](Mh#structfield.", stringify!($name), ").")]
        pub fn $name(mut self, $name: $t) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

impl Mh {
    settings! {
        chains: usize;
        draws: usize;
        warmup: usize;
        thin: usize;
        seed: u64;
        proposal: Proposal;
        progress: Progress;
    }

    /// Draws from the posterior of a model.
    ///
    /// # Errors
    ///
    /// If a setting is zero or so large that its draws find no room in memory, the model cannot be recorded, or no chain finds a starting point with a finite log density:
    /// the error names the site at fault. [`Error::Chain`](crate::error::Error::Chain) if a chain cannot go on, as when the
    /// model fails at a step or a site has two shapes: it names the chain and the draw, and holds the draws made so far.
    pub fn run<M: Model + Sync>(&self, model: &M) -> Result<Fit<M::Accessors>> {
        let Sampled { tables, chains, notes } = self.sample(model)?;
        let fit = Fit::new(&tables, chains, notes, Key::new(self.seed));
        fit.map_err(|cause| apart(cause, &tables, self.draws))
    }

    fn sample(&self, model: &(dyn Body + Sync)) -> Result<Sampled> {
        let key = Key::new(self.seed);
        let plan = ChainPlan {
            chains: self.chains,
            draws: self.draws,
            warmup: self.warmup,
            thin: self.thin,
            key,
            progress: self.progress,
        };
        plan.check()?;
        let potential = Potential::new(model, key.split(RECORDING))?;
        potential.check_draws(self.chains, self.draws)?;
        let (tables, chains) = match &self.proposal {
            Proposal::Custom(own) => run_chains(&plan, |key| VectorChain::custom(&potential, own.clone(), key))?,
            Proposal::RandomWalk => run_chains(&plan, |key| VectorChain::random_walk(&potential, key))?,
            Proposal::Auto if potential.is_replayed() => {
                run_chains(&plan, |key| VectorChain::random_walk(&potential, key))?
            }
            Proposal::SingleSite if potential.is_replayed() => {
                run_chains(&plan, |key| VectorChain::single_site(&potential, key))?
            }
            Proposal::Auto | Proposal::SingleSite => {
                run_chains(&plan, |key| TraceChain::start(model, self.draws, key))?
            }
        };
        Ok(Sampled {
            tables,
            chains,
            notes: Notes {
                warnings: potential.hindrance().cloned().into_iter().collect(),
                given: potential.given().clone(),
            },
        })
    }
}
