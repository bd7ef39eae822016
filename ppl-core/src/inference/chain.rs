//! Chains in parallel: warm-up, thinning and progress for any transition, the same for any number of threads.

use indicatif::ProgressBar;
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::{ChainDraws, ChainPlace, Error, Result};
use crate::inference::checkpoint::{ChainFile, Checkpoint, Identity};
use crate::inference::persist::{Fields, Record};
use crate::inference::progress::Progress;
use crate::inference::sizes::{check_elements, check_number};
use crate::inference::statistics::Statistics;
use crate::inference::transition::Phase;
use crate::rng::Key;

/// How many progress steps pass between two updates of a bar.
const STEPS_BETWEEN_UPDATES: usize = 64;

/// The most steps that a chain makes.
const MAX_STEPS: usize = 100_000_000_000;

/// The number and length of chains.
#[derive(Clone, Debug)]
pub(crate) struct ChainPlan {
    pub chains: usize,
    pub draws: usize,
    pub warmup: usize,
    pub thin: usize,
    pub keep_warmup: bool,
    pub key: Key,
    pub progress: Progress,
    pub checkpoint: Option<Checkpoint>,
    /// The sampler and those of its settings on which the steps depend.
    pub settings: String,
}

/// How well one kind of move did in a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveInfo {
    /// The site or the part of the transition that moves, empty if all moves together.
    pub name: String,
    /// The mean acceptance probability after the warm-up.
    pub acceptance: f64,
    /// The length of the step that the warm-up ended with, one if there is nothing to learn.
    pub scale: f64,
}

/// How one chain did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainInfo {
    /// Its moves.
    pub moves: Vec<MoveInfo>,
}

impl ChainInfo {
    /// Returns what the statistics of a chain say.
    pub(crate) fn of(statistics: &Statistics) -> Self {
        let moves = statistics.acceptances().map(|(name, acceptance, step_size)| MoveInfo {
            name: name.unwrap_or_default().to_string(),
            acceptance,
            scale: step_size.unwrap_or(1.0),
        });
        ChainInfo { moves: moves.collect() }
    }

    /// Returns the mean acceptance probability of all moves, NaN if there are none.
    pub fn acceptance(&self) -> f64 {
        self.moves.iter().map(|m| m.acceptance).sum::<f64>() / self.moves.len() as f64
    }
}

/// A running mean of acceptance probabilities.
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

    /// Returns the mean, NaN if there is nothing yet.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.n
    }
}

/// A running chain.
pub(crate) trait Chain {
    /// Makes one step; all its random numbers come from `key`.
    fn step(&mut self, key: Key, phase: Phase) -> Result<()>;

    /// Keeps the present state as the next draw, or the next one of the warm-up.
    fn keep(&mut self, phase: Phase) -> Result<()>;

    /// Returns what the chain has drawn.
    fn finish(self) -> Drawn;

    /// Returns the log density where the chain began; `None` if it has no written form.
    fn origin(&self) -> Option<f64>;

    /// Shows all that the chain needs to go on, beside the number of its steps.
    fn visit(&mut self, fields: &mut dyn Fields);
}

/// What a chain has drawn.
pub(crate) struct Drawn {
    /// The values of the draws, as one chain.
    pub draws: Draws,
    /// The statistics of the draws.
    pub statistics: Statistics,
    /// The values and statistics of the warm-up, without draws unless they were to be kept.
    pub warmup: (Draws, Statistics),
    /// How the chain did.
    pub info: ChainInfo,
    /// Why the draw after those of the warm-up, or after the others, has no values, although the chain made it.
    pub faults: [Option<Error>; 2],
}

/// The outcome of one chain.
struct Outcome {
    drawn: Option<Drawn>,
    fault: Option<(ChainPlace, Error)>,
}

/// Runs the chains that `start` begins, and returns their draws in order.
///
/// Chain c draws all its random numbers from the c-th child of the key, and each step from a child of that.
///
/// # Errors
///
/// [`Error::Chain`] if a chain cannot go on; the others run to their end, so that the draws in the error are the same for
/// any number of threads. If no chain can start, the cause itself.
pub(crate) fn run_chains<C: Chain>(plan: &ChainPlan, start: impl Fn(Key) -> Result<C> + Sync) -> Result<Vec<Drawn>> {
    let bars = plan.progress.bars(plan.chains, plan.steps() as u64, "chain");
    let mut outcomes: Vec<Outcome> = (0..plan.chains)
        .into_par_iter()
        .map(|chain_idx| {
            let outcome = run_chain(plan, chain_idx, &start, &bars[chain_idx]);
            bars[chain_idx].abandon();
            outcome
        })
        .collect();
    let faults: Vec<_> = outcomes.iter_mut().map(|outcome| outcome.fault.take()).collect();
    let first = faults
        .into_iter()
        .enumerate()
        .find_map(|(chain, fault)| Some((chain, fault?)));
    if let Some((chain, (at, cause))) = first {
        if outcomes.iter().all(|outcome| outcome.drawn.is_none()) {
            return Err(cause);
        }
        let draws = outcomes
            .into_iter()
            .map(|outcome| outcome.drawn.map_or_else(|| Draws::new(1, 0), |drawn| drawn.draws));
        return Err(Error::Chain {
            chain,
            at,
            cause: Box::new(cause),
            draws: ChainDraws(draws.collect()),
        });
    }
    Ok(outcomes.into_iter().filter_map(|outcome| outcome.drawn).collect())
}

/// Runs one chain as far as it goes.
fn run_chain<C: Chain>(
    plan: &ChainPlan,
    chain_idx: usize,
    start: &(impl Fn(Key) -> Result<C> + Sync),
    bar: &ProgressBar,
) -> Outcome {
    let (steps, key) = (plan.steps(), plan.key.split(chain_idx as u64));
    let begun = start(key.split(u64::MAX)).and_then(|mut chain| {
        let (file, done) = resume(plan, chain_idx, &mut chain)?;
        Ok((chain, file, done))
    });
    let (mut chain, mut file, done) = match begun {
        Ok(begun) => begun,
        Err(cause) => {
            return Outcome {
                drawn: None,
                fault: Some((ChainPlace::Start, cause)),
            };
        }
    };
    bar.set_position(done as u64);
    let mut advance = |step: usize| {
        let phase = plan.phase(step);
        chain.step(key.split(step as u64), phase)?;
        if plan.is_kept(step) {
            chain.keep(phase)?;
        }
        if (step + 1).is_multiple_of(STEPS_BETWEEN_UPDATES) || step + 1 == steps {
            bar.set_position(step as u64 + 1);
        }
        match &mut file {
            Some(file) if step + 1 == steps || file.is_due(step + 1) => {
                file.write(step + 1, &Record::of(|fields| chain.visit(fields)))
            }
            _ => Ok(()),
        }
    };
    let walked = (done..steps).try_for_each(|step| advance(step).map_err(|cause| (plan.place(step), cause)));
    let mut drawn = chain.finish();
    let [of_warmup, of_draw] = drawn.faults.each_mut().map(Option::take);
    let in_warmup = of_warmup.map(|cause| (ChainPlace::Warmup(drawn.warmup.0.n_draws() * plan.thin), cause));
    let in_draws = of_draw.map(|cause| (ChainPlace::Draw(drawn.draws.n_draws()), cause));
    let fault = in_warmup.or(in_draws).or(walked.err());
    Outcome {
        drawn: Some(drawn),
        fault,
    }
}

/// Brings a chain to where its file has it, and returns the file with the number of steps that are done.
fn resume<C: Chain>(plan: &ChainPlan, chain_idx: usize, chain: &mut C) -> Result<(Option<ChainFile>, usize)> {
    let Some(checkpoint) = &plan.checkpoint else {
        return Ok((None, 0));
    };
    let origin = chain.origin().ok_or_else(|| {
        let message = "a chain on traces has no checkpoint: the sites of the model change from run to run";
        Error::Invalid(message.to_string())
    })?;
    let settings = plan.settings.clone();
    let file = checkpoint.of_chain(chain_idx, Identity { settings, origin });
    let Some((done, record)) = file.read()? else {
        return Ok((Some(file), 0));
    };
    if done > plan.steps() {
        return Err(Error::Invalid(format!(
            "the checkpoint of chain {chain_idx} has {done} steps, more than the {} of this run: ask for as many draws as before, \
             or more",
            plan.steps()
        )));
    }
    record.fill(|fields| chain.visit(fields))?;
    Ok((Some(file), done))
}

/// Returns the draws of all chains together.
///
/// # Errors
///
/// If a site has different shapes in different chains: the error holds the draws of each.
pub(crate) fn join(chains: Vec<Draws>) -> Result<Draws> {
    let cause = match Draws::join(&chains) {
        Ok(draws) => return Ok(draws),
        Err(cause) => cause,
    };
    let goes_together = |chain: &usize| Draws::join(&chains[..=*chain]).is_ok();
    Err(Error::Chain {
        chain: (0..chains.len()).take_while(goes_together).count(),
        at: ChainPlace::End,
        cause: Box::new(cause.into()),
        draws: ChainDraws(chains),
    })
}

impl ChainPlan {
    /// Refuses numbers of chains, draws or steps that are zero or beyond all bounds.
    pub(crate) fn check(&self) -> Result<()> {
        let settings = [("chains", self.chains), ("draws", self.draws), ("thin", self.thin)];
        if let Some((name, _)) = settings.iter().find(|s| s.1 == 0) {
            return Err(Error::Invalid(format!("{name} = 0: at least 1 is needed")));
        }
        check_number("chains", self.chains)?;
        check_elements("draws", self.draws, size_of::<f64>())?;
        if self.steps() > MAX_STEPS {
            let (warmup, draws, thin) = (self.warmup, self.draws, self.thin);
            return Err(Error::Invalid(format!(
                "warmup + draws · thin = {warmup} + {draws} · {thin} steps are too many: a chain makes at most {MAX_STEPS}, for \
                 which it would need more than a day at a microsecond each"
            )));
        }
        Ok(())
    }

    /// Returns the number of steps of a chain.
    fn steps(&self) -> usize {
        self.draws.saturating_mul(self.thin).saturating_add(self.warmup)
    }

    fn place(&self, step: usize) -> ChainPlace {
        match step.checked_sub(self.warmup) {
            None => ChainPlace::Warmup(step),
            Some(step) => ChainPlace::Draw(step / self.thin),
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
        match step.checked_sub(self.warmup) {
            None => self.keep_warmup && (step + 1).is_multiple_of(self.thin),
            Some(step) => (step + 1).is_multiple_of(self.thin),
        }
    }

    /// Returns the number of draws that a chain keeps, those of the warm-up among them.
    pub(crate) fn n_kept(&self) -> usize {
        self.draws.saturating_add(self.n_warmup_kept())
    }

    /// Returns the number of draws of the warm-up that are kept.
    pub(crate) fn n_warmup_kept(&self) -> usize {
        if self.keep_warmup { self.warmup / self.thin } else { 0 }
    }
}
