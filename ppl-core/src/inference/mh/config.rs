//! The configuration of Metropolis–Hastings, and its run.

use crate::error::{Error, Result};
use crate::inference::attributes::Begun;
use crate::inference::chain::{ChainPlan, Drawn, run_chains};
use crate::inference::checkpoint::Checkpoint;
use crate::inference::fit::Fit;
use crate::inference::mh::proposal::Proposal;
use crate::inference::mh::trace_chain::TraceChain;
use crate::inference::potential::Potential;
use crate::inference::progress::Progress;
use crate::inference::settings::{plan, settings};
use crate::inference::transition::Transition;
use crate::inference::transitions::proposal::{Coordinate, Custom};
use crate::inference::transitions::random_walk::RandomWalk;
use crate::inference::transitions::sequence::Sequence;
use crate::inference::transitions::single_site::SingleSite;
use crate::inference::vector_chain::VectorChain;
use crate::runtime::model::{Body, Model};
use crate::runtime::state::Slot;
use crate::tensor::room::room;

/// The child of the seed's key that records the model; chains take the children 0, 1, ….
const RECORDING: u64 = u64::MAX;

/// Metropolis–Hastings: for models with discrete latents or changing structure, and small ones without.
///
/// Where discrete latents are beside continuous ones, [`Gibbs::auto`](crate::inference::gibbs::Gibbs::auto) moves the latter along
/// their gradients.
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
    /// Whether draws of the warm-up are kept too, as often as later ones, with their statistics.
    pub keep_warmup: bool,
    /// The seed of all random numbers.
    pub seed: u64,
    /// How the next state is proposed.
    pub proposal: Proposal,
    /// Whether progress is shown.
    pub progress: Progress,
    /// Where and how often chains are written, if they are.
    pub checkpoint: Option<Checkpoint>,
}

impl Default for Mh {
    fn default() -> Self {
        Mh {
            chains: 4,
            draws: 1000,
            warmup: 1000,
            thin: 1,
            keep_warmup: false,
            seed: 0,
            proposal: Proposal::Auto,
            progress: Progress::Auto,
            checkpoint: None,
        }
    }
}

impl Mh {
    settings! { Mh:
        chains: usize;
        draws: usize;
        warmup: usize;
        thin: usize;
        keep_warmup: bool;
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
        let begun = Begun::now("Mh", self.settings(), self.seed);
        let (drawn, potential) = self.sample(model)?;
        Fit::new(drawn, &potential, begun)
    }

    fn plan(&self) -> ChainPlan {
        plan!(self)
    }

    fn sample<'m>(&self, model: &'m (dyn Body + Sync)) -> Result<(Vec<Drawn>, Potential<'m>)> {
        let plan = self.plan();
        plan.check()?;
        let potential = Potential::new(model, plan.key.split(RECORDING))?;
        potential.check_draws(plan.chains, plan.n_kept())?;
        let on_vectors = |transition: fn(&Potential<'_>) -> Sequence| {
            run_chains(&plan, |key| {
                VectorChain::start(&potential, Box::new(transition(&potential)), key)
            })
        };
        let drawn = match &self.proposal {
            Proposal::Custom(own) => run_chains(&plan, |key| {
                VectorChain::start(&potential, Box::new(Custom::new(own.clone(), places(&potential))), key)
            }),
            Proposal::RandomWalk => {
                check_covariance(&potential)?;
                on_vectors(random_walk)
            }
            Proposal::Auto if potential.is_replayed() => {
                check_covariance(&potential)?;
                on_vectors(random_walk)
            }
            Proposal::SingleSite if potential.is_replayed() => on_vectors(site_by_site),
            Proposal::Auto | Proposal::SingleSite => {
                let lengths = [plan.n_warmup_kept(), plan.draws];
                run_chains(&plan, |key| TraceChain::start(model, lengths, key))
            }
        };
        Ok((drawn?, potential))
    }
}

/// Returns the coordinates of all continuous latents.
fn continuous(potential: &Potential<'_>) -> Vec<usize> {
    let slots = potential.slots().iter().filter(|s| !s.is_discrete);
    slots
        .flat_map(|s| s.offset..s.offset + s.shape.iter().product::<usize>())
        .collect()
}

/// Refuses a random walk whose covariance finds no room.
fn check_covariance(potential: &Potential<'_>) -> Result<()> {
    let d = continuous(potential).len();
    let no_room = |no_room| {
        Error::Invalid(format!(
            "a random walk of {d} coordinates learns their covariance: {no_room}; use \
             `Mh::default().proposal(Proposal::SingleSite)` or `Svi`"
        ))
    };
    room(&[d, d], 2 * size_of::<f64>()).map(drop).map_err(no_room)
}

/// Returns for each coordinate its site, with the place of this, and its number there.
fn places(potential: &Potential<'_>) -> Vec<Coordinate> {
    let of_slot = |slot: &Slot| {
        let (site, place) = (slot.name.to_string(), slot.place);
        let n = slot.shape.iter().product();
        (0..n).map(move |element| Coordinate {
            site: site.clone(),
            place,
            element,
        })
    };
    potential.slots().iter().flat_map(of_slot).collect()
}

/// Moves all continuous latents together, then each discrete one.
fn random_walk(potential: &Potential<'_>) -> Sequence {
    let coordinates = continuous(potential);
    let walk = (!coordinates.is_empty()).then(|| {
        let walk: Box<dyn Transition> = Box::new(RandomWalk::new(coordinates));
        ("random walk".to_string(), walk)
    });
    Sequence::new(walk.into_iter().chain(sites(potential, true)))
}

/// Moves each site in turn.
fn site_by_site(potential: &Potential<'_>) -> Sequence {
    Sequence::new(sites(potential, false))
}

/// Returns the moves of each site, or of each discrete one only.
fn sites(potential: &Potential<'_>, only_discrete: bool) -> impl Iterator<Item = (String, Box<dyn Transition>)> {
    let slots = potential.slots().iter().zip(potential.discrete());
    let wanted = slots.filter(move |(_, kind)| kind.is_some() || !only_discrete);
    wanted.map(|(slot, &kind)| {
        let moves = SingleSite::new(slot.offset, slot.shape.iter().product(), kind);
        (slot.name.to_string(), Box::new(moves) as Box<dyn Transition>)
    })
}
