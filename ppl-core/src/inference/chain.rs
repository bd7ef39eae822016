//! Chains in parallel: warm-up, thinning and progress for any transition, the same for any number of threads.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::inference::progress::Progress;
use crate::inference::site_table::SiteTable;
use crate::rng::Key;

/// How many progress steps pass between two updates of a bar.
const STEPS_BETWEEN_UPDATES: usize = 64;

/// How many chains of which length are run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainPlan {
    pub chains: usize,
    pub draws: usize,
    pub warmup: usize,
    pub thin: usize,
    pub key: Key,
    pub progress: Progress,
}

/// Where in a chain a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Step `step` of `of` steps in which the transition adapts.
    Warmup {
        /// The number of the step, from zero.
        step: usize,
        /// The number of steps.
        of: usize,
    },
    /// The transition is fixed.
    Sampling,
}

/// How one kind of move of a chain did.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveInfo {
    /// The site that moves, or the name of the transition.
    pub name: String,
    /// The mean acceptance probability after the warm-up.
    pub acceptance: f64,
    /// The factor of the step that the warm-up ended with.
    pub scale: f64,
}

/// How one chain did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainInfo {
    /// Its moves.
    pub moves: Vec<MoveInfo>,
}

impl ChainInfo {
    /// Returns the mean acceptance probability of all moves, NaN if there are none.
    pub fn acceptance(&self) -> f64 {
        self.moves.iter().map(|m| m.acceptance).sum::<f64>() / self.moves.len() as f64
    }
}

/// A mean acceptance probability in the making.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    sum: f64,
    n: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, accept_prob: f64) {
        self.sum += accept_prob;
        self.n += 1.0;
    }

    /// Returns the mean, NaN of nothing.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.n
    }
}

/// A running chain.
pub(crate) trait Chain {
    /// Makes one step; all its random numbers come from `key`.
    fn step(&mut self, key: Key, phase: Phase) -> Result<()>;

    /// Keeps the present state as the next draw.
    fn keep(&mut self) -> Result<()>;

    /// Returns the values of the draws, and how the chain did.
    fn finish(self) -> Result<(SiteTable, ChainInfo)>;
}

/// Runs the chains that `start` begins, and returns their draws in order.
///
/// Chain c draws all its random numbers from the c-th child of the key, and each step from a child of that.
pub(crate) fn run_chains<C: Chain>(
    plan: &ChainPlan,
    start: impl Fn(Key) -> Result<C> + Sync,
) -> Result<(Vec<SiteTable>, Vec<ChainInfo>)> {
    plan.check()?;
    let steps = plan.warmup + plan.draws * plan.thin;
    let bars = plan.progress.bars(plan.chains, steps as u64, "chain");
    let outcomes: Vec<Result<(SiteTable, ChainInfo)>> = (0..plan.chains)
        .into_par_iter()
        .map(|chain_idx| {
            let key = plan.key.split(chain_idx as u64);
            let mut chain = start(key.split(u64::MAX))?;
            for step in 0..steps {
                chain.step(key.split(step as u64), plan.phase(step))?;
                if plan.is_kept(step) {
                    chain.keep()?;
                }
                if (step + 1).is_multiple_of(STEPS_BETWEEN_UPDATES) || step + 1 == steps {
                    let done = step % STEPS_BETWEEN_UPDATES + 1;
                    bars[chain_idx].inc(done as u64);
                }
            }
            bars[chain_idx].abandon();
            chain.finish()
        })
        .collect();
    let outcomes: Vec<_> = outcomes.into_iter().collect::<Result<_>>()?;
    Ok(outcomes.into_iter().unzip())
}

impl ChainPlan {
    fn check(&self) -> Result<()> {
        let settings = [("chains", self.chains), ("draws", self.draws), ("thin", self.thin)];
        match settings.iter().find(|s| s.1 == 0) {
            Some((name, _)) => Err(Error::Invalid(format!("{name} = 0: at least 1 is needed"))),
            None => Ok(()),
        }
    }

    fn phase(&self, step: usize) -> Phase {
        if step < self.warmup {
            Phase::Warmup { step, of: self.warmup }
        } else {
            Phase::Sampling
        }
    }

    fn is_kept(&self, step: usize) -> bool {
        step >= self.warmup && (step - self.warmup + 1).is_multiple_of(self.thin)
    }
}
