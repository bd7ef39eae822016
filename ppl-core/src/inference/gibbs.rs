//! The configuration of Gibbs sampling: blocks of latents, each with a move of its own.

use std::fmt;
use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::inference::attributes::Begun;
use crate::inference::chain::run_chains;
use crate::inference::checkpoint::Checkpoint;
use crate::inference::fit::Fit;
use crate::inference::layout::{Latent, Layout, listed};
use crate::inference::moves::Move;
use crate::inference::potential::Potential;
use crate::inference::progress::Progress;
use crate::inference::settings::{plan, settings};
use crate::inference::vector_chain::VectorChain;
use crate::runtime::handlers::{Choose, Chosen, SiteChoice};
use crate::runtime::model::Model;
use crate::runtime::sites::SiteNames;
use crate::runtime::state::Slot;

/// The child of the seed's key that records the model; chains take the children 0, 1, ….
const RECORDING: u64 = u64::MAX;

/// Gibbs sampling: blocks of latents move in turn, each by a [`Move`] of its own while the others stay.
///
/// It is the sampler of models with both continuous and discrete latents: [`Gibbs::auto`] moves the first by paths along
/// the gradient and draws the others from their exact conditional distributions. Blocks of one's own choose sites by typed
/// name. Each latent lies in one block: one that no block moves, and one that two blocks move, are errors before the first
/// draw. The same seed gives the same draws for any number of threads.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::distributions::{Bernoulli, HalfNormal, Normal};
/// use ppl_core::inference::gibbs::Gibbs;
/// use ppl_core::inference::moves::Move;
/// use ppl_core::ops::where_::where_;
/// use ppl_macros::model;
///
/// /// Measurements, some of which are slips of ten times the spread.
/// #[model(crate = ppl_core)]
/// fn slips(y: Obs<Array1<f64>>) {
///     let mu = sample(Normal(0, 10));
///     let sigma = sample(HalfNormal(1));
///     for i in plate(y) {
///         let is_slip = sample(Bernoulli::probs(0.1));
///         observe(y[i], Normal(mu, sigma * (1.0 + 9.0 * is_slip)));
///     }
/// }
///
/// let y = array![0.9, 1.1, 1.3, -4.0, 0.8, 1.0];
/// let model = slips(&y);
/// let fit = Gibbs::auto(&model).draws(500).seed(1).run(&model)?;
/// let slips = fit.draws().mean("is_slip").unwrap();
/// assert!(slips[3] > 0.9 && slips[0] < 0.2);
///
/// // The same with blocks of one's own.
/// let own = Gibbs::for_model(&model)
///     .block(|s| s.mu().sigma(), Move::RandomWalk)
///     .block(|s| s.is_slip(), Move::Exact);
/// assert_eq!(own.draws(100).run(&model)?.mu().shape(), [4, 100]);
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
pub struct Gibbs<N> {
    /// The number of chains, run in parallel.
    pub chains: usize,
    /// The number of draws that each chain keeps.
    pub draws: usize,
    /// The number of sweeps before these, during which the moves learn.
    pub warmup: usize,
    /// The number of sweeps for each draw that is kept.
    pub thin: usize,
    /// Whether draws of the warm-up are kept too, as often as later ones, with their statistics.
    pub keep_warmup: bool,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Whether progress is shown.
    pub progress: Progress,
    /// Where and how often chains are written, if they are.
    pub checkpoint: Option<Checkpoint>,
    blocks: Vec<BlockPlan>,
    others: Option<Move>,
    names: PhantomData<fn() -> N>,
}

/// A block as the user has written it.
#[derive(Clone, Debug)]
struct BlockPlan {
    sites: Chosen,
    moves: Move,
    /// Whether its sites may lie in other blocks too.
    is_again: bool,
}

impl<N: From<SiteNames>> Gibbs<N> {
    /// Returns a sampler for this model, without blocks as yet: say [`Gibbs::block`] or [`Gibbs::others`].
    pub fn for_model<M: Model<Names = N>>(_: &M) -> Self {
        Gibbs {
            chains: 4,
            draws: 1000,
            warmup: 1000,
            thin: 1,
            keep_warmup: false,
            seed: 0,
            progress: Progress::Auto,
            checkpoint: None,
            blocks: Vec::new(),
            others: None,
            names: PhantomData,
        }
    }

    /// Returns the sampler that moves all latents of this model by [`Move::Auto`].
    pub fn auto<M: Model<Names = N>>(model: &M) -> Self {
        Gibbs::for_model(model).others(Move::Auto)
    }

    settings! { Gibbs:
        chains: usize;
        draws: usize;
        warmup: usize;
        thin: usize;
        keep_warmup: bool;
        seed: u64;
        progress: Progress;
    }

    /// Returns these settings with one more block: `block(|s| s.mu().tau(), Move::nuts())`.
    ///
    /// Blocks move in the order in which they are written. The name of a family chooses its members: `z` stands for
    /// `z[0]`, `z[1]`, …
    pub fn block<S: SiteChoice>(self, sites: impl Choose<N, S>, moves: Move) -> Self {
        self.with(sites, moves, false)
    }

    /// Returns these settings with one more block, of sites that may lie in other blocks too.
    ///
    /// ```
    /// # use ppl_core::distributions::Normal;
    /// # use ppl_core::inference::{gibbs::Gibbs, moves::Move};
    /// # use ppl_macros::model;
    /// # #[model(crate = ppl_core)]
    /// # fn pair() {
    /// #     let a = sample(Normal(0, 1));
    /// #     let b = sample(Normal(a, 1));
    /// # }
    /// # let model = pair();
    /// // Both together along the gradient, and `b` once more by itself.
    /// let sampler = Gibbs::for_model(&model)
    ///     .block(|s| s.a().b(), Move::nuts())
    ///     .again(|s| s.b(), Move::RandomWalk);
    /// # sampler.draws(10).warmup(10).run(&model)?;
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    pub fn again<S: SiteChoice>(self, sites: impl Choose<N, S>, moves: Move) -> Self {
        self.with(sites, moves, true)
    }

    /// Returns these settings with a last block of all latents that no other block moves.
    pub fn others(mut self, moves: Move) -> Self {
        self.others = Some(moves);
        self
    }

    fn with<S: SiteChoice>(mut self, sites: impl Choose<N, S>, moves: Move, is_again: bool) -> Self {
        let sites = sites(N::from(SiteNames::default())).chosen();
        self.blocks.push(BlockPlan { sites, moves, is_again });
        self
    }

    /// Draws from the posterior of a model.
    ///
    /// # Errors
    ///
    /// If a setting is out of range; a block names a site that is no latent; a latent lies in no block or in two; a block has
    /// latents that its move cannot move; the model cannot be recorded, its sites change from run to run, or no chain finds a
    /// starting point with a finite log density: the error names the site at fault. [`Error::Chain`] if a chain cannot go on:
    /// it names the chain and the draw, and holds the draws made so far.
    pub fn run<M: Model<Names = N> + Sync>(&self, model: &M) -> Result<Fit<M::Accessors>> {
        let mut settings = self.settings();
        settings.push(("blocks", format!("{:?}, others {:?}", self.blocks, self.others)));
        let begun = Begun::now("Gibbs", settings, self.seed);
        let plan = plan!(self);
        plan.check()?;
        let potential = Potential::new(model, plan.key.split(RECORDING))?;
        let layout = self.layout(&potential)?;
        potential.check_draws(plan.chains, plan.n_kept())?;
        let drawn = run_chains(&plan, |key| {
            VectorChain::start(&potential, Box::new(layout.sequence()), key)
        })?;
        Fit::new(drawn, &potential, begun)
    }

    /// Finds out which coordinates each block moves.
    fn layout<'p>(&self, potential: &'p Potential<'_>) -> Result<Layout<'p>> {
        let latents: Vec<Latent<'_>> = potential
            .slots()
            .iter()
            .zip(potential.discrete().iter().copied())
            .collect();
        self.check_names(&latents)?;
        self.check_cover(&latents)?;
        let mut layout = Layout::new(potential.slots(), potential.dim());
        for block in &self.blocks {
            let own: Vec<Latent<'_>> = latents.iter().copied().filter(|(s, _)| block.holds(s)).collect();
            let names: Vec<&str> = block.sites.names().collect();
            layout.add(&listed(&names), &block.moves, &own)?;
        }
        if let Some(moves) = &self.others {
            let is_free = |slot: &Slot| !self.blocks.iter().any(|b| b.holds(slot));
            let own: Vec<Latent<'_>> = latents.iter().copied().filter(|(s, _)| is_free(s)).collect();
            let names: Vec<&str> = own.iter().map(|(s, _)| s.name.site()).collect();
            layout.add(&listed(&names), moves, &own)?;
        }
        Ok(layout)
    }

    /// Refuses blocks of nothing, and names that no latent has.
    fn check_names(&self, latents: &[Latent<'_>]) -> Result<()> {
        for block in &self.blocks {
            if block.sites.names().next().is_none() {
                let message = "a block chooses no sites: write `|s| s.mu()`, and `|s| s.a().b()` for several";
                return Err(Error::Invalid(message.to_string()));
            }
            for name in block.sites.names() {
                let own = SiteNames::default().with(name);
                if !latents.iter().any(|(slot, _)| own.contains(slot.name.site())) {
                    let all: Vec<&str> = latents.iter().map(|(slot, _)| slot.name.site()).collect();
                    return Err(Error::Invalid(format!(
                        "a block is to move `{name}`, which is no latent of the model: its latents are {}",
                        all.join(", ")
                    )));
                }
            }
        }
        Ok(())
    }

    /// Refuses latents that no block moves, or that two move where that is not said.
    fn check_cover(&self, latents: &[Latent<'_>]) -> Result<()> {
        for (slot, _) in latents {
            let n_own = self.blocks.iter().filter(|b| !b.is_again && b.holds(slot)).count();
            let is_moved = self.others.is_some() || self.blocks.iter().any(|b| b.holds(slot));
            let site = slot.name.site();
            if !is_moved {
                let message = format!(
                    "no block moves it: choose it in a block, as `.block(|s| s.{}(), Move::Auto)`, or say \
                     `.others(Move::Auto)` for all latents without a block",
                    family(site)
                );
                return Err(Error::at_site(site, slot.place, message));
            }
            if n_own > 1 {
                let message = format!(
                    "{n_own} blocks move it: leave it out of all but one, or write `again` in place of `block` where it is to \
                     move once more"
                );
                return Err(Error::at_site(site, slot.place, message));
            }
        }
        Ok(())
    }
}

impl BlockPlan {
    fn holds(&self, slot: &Slot) -> bool {
        self.sites.contains(slot.name.site())
    }
}

/// Returns the name by which a site is chosen, that of its family.
fn family(site: &str) -> &str {
    site.split(['[', '.']).next().unwrap_or(site)
}

impl<N> Clone for Gibbs<N> {
    fn clone(&self) -> Self {
        Gibbs {
            checkpoint: self.checkpoint.clone(),
            blocks: self.blocks.clone(),
            others: self.others.clone(),
            ..*self
        }
    }
}

impl<N> fmt::Debug for Gibbs<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gibbs")
            .field("chains", &self.chains)
            .field("draws", &self.draws)
            .field("warmup", &self.warmup)
            .field("thin", &self.thin)
            .field("keep_warmup", &self.keep_warmup)
            .field("seed", &self.seed)
            .field("progress", &self.progress)
            .field("checkpoint", &self.checkpoint)
            .field("blocks", &self.blocks)
            .field("others", &self.others)
            .finish()
    }
}
