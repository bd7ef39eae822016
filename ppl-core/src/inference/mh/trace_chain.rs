//! A chain on traces, for models whose sites change: one site moves, others keep their values by address.
//!
//! The method is that of Wingate, Stuhlmüller and Goodman (2011), *Lightweight implementations of probabilistic
//! programming languages via transformational compilation*. The proposal chooses one of the |x| latent sites, moves it,
//! and runs the model: a site of the old trace keeps its value, any other is drawn from its prior. A new trace x′ is
//! accepted with probability
//! min(1, p(x′) / p(x) · |x| / |x′| · q(x → x′ back) / q(x → x′) · p(stale | x) / p(fresh | x′)),
//! where stale sites are those of x alone and fresh ones those of x′ alone.

use std::collections::BTreeMap;
use std::rc::Rc;

use rand::Rng;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::adapt::scale::ScaleAdapter;
use crate::inference::chain::{Chain, ChainInfo, Drawn, MoveInfo, Tally};
use crate::inference::mh::trace_source::{FromTrace, Latents, Moved};
use crate::inference::persist::Fields;
use crate::inference::potential::{MAX_STARTS, recorder};
use crate::inference::site_values::write_recording;
use crate::inference::statistics::Statistics;
use crate::inference::transition::{Column, Combine, MhInfo, Phase, accept};
use crate::rng::Key;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};

/// A chain of traces. A draw is a sweep of single-site steps, as many as a trace had sites on average in the warm-up: a
/// number that depended on the present trace would change the distribution.
pub(crate) struct TraceChain<'m> {
    model: &'m dyn Body,
    state: TraceState,
    learnt: BTreeMap<String, Learnt>,
    /// The number of sites summed over the sweeps of the warm-up, and the number of these.
    sizes: (usize, usize),
    warmup: Kept,
    sampling: Kept,
}

/// What is kept of one phase.
struct Kept {
    /// The values of the draws; rows that were not kept have no meaning.
    draws: Draws,
    n_draws: usize,
    statistics: Statistics,
}

impl Kept {
    fn new(n_draws: usize) -> Self {
        Kept {
            draws: Draws::new(1, n_draws),
            n_draws: 0,
            statistics: Statistics::new(vec![
                Column::acceptance_rate(),
                Column::integer("n_sites", Combine::Last),
            ]),
        }
    }
}

/// A run of a model with all that the next step needs.
pub(crate) struct TraceState {
    /// The run.
    pub(crate) recording: Recording,
    latents: Rc<Latents>,
    log_density: f64,
}

/// What the warm-up learnt about a site.
struct Learnt {
    scale: f64,
    adapter: Option<ScaleAdapter>,
    tally: Tally,
}

impl TraceState {
    fn new(recording: Recording) -> Self {
        TraceState {
            latents: Rc::new(Latents::of(&recording)),
            log_density: recording.tape.log_density(),
            recording,
        }
    }

    /// Draws a trace from the prior, again if its log density is not finite.
    pub(crate) fn start(model: &dyn Body, key: Key) -> Result<Self> {
        let mut fault = None;
        for attempt in 0..MAX_STARTS {
            let (recording, _) = run(model, Rc::default(), None, 1.0, key.split(attempt))?;
            let state = TraceState::new(recording);
            if state.log_density.is_finite() {
                return Ok(state);
            }
            fault = state.recording.fault();
        }
        let message = || {
            Error::Invalid(format!(
                "the log density is not finite at {MAX_STARTS} draws from the prior"
            ))
        };
        Err(fault.unwrap_or_else(message))
    }

    /// Returns the number of latent sites.
    pub(crate) fn n_sites(&self) -> usize {
        self.latents.order.len()
    }

    /// Makes one step; `scale` is asked for the scale of the chosen site. Returns the site and the number of coordinates
    /// that moved, or `None` if there are no latents.
    pub(crate) fn transition(
        &mut self,
        model: &dyn Body,
        scale: impl FnOnce(&str) -> f64,
        key: Key,
    ) -> Result<Option<(String, usize, MhInfo)>> {
        if self.n_sites() == 0 {
            return Ok(None);
        }
        let mut rng = key.split(1).generator();
        let chosen = self.latents.order[rng.random_range(0..self.n_sites())].clone();
        let (recording, moved) = run(
            model,
            Rc::clone(&self.latents),
            Some(&chosen),
            scale(&chosen),
            key.split(0),
        )?;
        let new = TraceState::new(recording);
        let is_alone = |address: &str| !moved.reused.contains(address);
        let stale = self.latents.log_prob(&self.recording, is_alone)?;
        let fresh = new.latents.log_prob(&new.recording, is_alone)?;
        let sites = (self.n_sites() as f64 / new.n_sites() as f64).ln();
        let ln_ratio = new.log_density - self.log_density + sites + moved.ln_ratio + stale - fresh;
        let info = accept(ln_ratio, &mut rng);
        if info.is_accepted {
            *self = new;
        }
        Ok(Some((chosen, moved.dim, info)))
    }
}

/// Runs the model on the values of a trace, one site of which moves.
fn run(
    model: &dyn Body,
    before: Rc<Latents>,
    moving: Option<&str>,
    scale: f64,
    key: Key,
) -> Result<(Recording, Moved)> {
    let rng = key.split(1).generator();
    let source = Rc::new(FromTrace::new(before, moving.map(str::to_string), scale, rng));
    let recorder = Recorder {
        source: Rc::clone(&source) as Rc<_>,
        ..recorder(key.split(0))
    };
    Ok((recorder.record(model)?, source.moved()))
}

impl<'m> TraceChain<'m> {
    /// Starts a chain at a draw from the prior, which is to keep so many draws of the warm-up and after it.
    pub(crate) fn start(model: &'m dyn Body, [n_warmup, n_draws]: [usize; 2], key: Key) -> Result<Self> {
        let state = TraceState::start(model, key)?;
        Ok(TraceChain {
            model,
            sizes: (state.n_sites(), 1),
            state,
            learnt: BTreeMap::new(),
            warmup: Kept::new(n_warmup),
            sampling: Kept::new(n_draws),
        })
    }

    fn sweep_len(&self) -> usize {
        let (sum, n) = self.sizes;
        (sum as f64 / n as f64).round().max(1.0) as usize
    }
}

impl Chain for TraceChain<'_> {
    fn step(&mut self, key: Key, phase: Phase) -> Result<()> {
        let (mut sum, mut n) = (0.0, 0.0);
        for k in 0..self.sweep_len() {
            let learnt = &self.learnt;
            let scale = |site: &str| learnt.get(site).map_or(1.0, |l| l.scale);
            let Some((site, dim, info)) = self.state.transition(self.model, scale, key.split(k as u64))? else {
                break;
            };
            (sum, n) = (sum + info.acceptance_rate, n + 1.0);
            let own = self.learnt.entry(site).or_default();
            match phase {
                Phase::Warmup { .. } => {
                    let adapter = own.adapter.get_or_insert_with(|| ScaleAdapter::new(dim));
                    own.scale = adapter.next(own.scale, info.acceptance_rate);
                }
                Phase::Sampling => own.tally.add(info.acceptance_rate),
            }
        }
        let row = [self.state.log_density, sum / n, self.state.n_sites() as f64];
        if phase == Phase::Sampling {
            self.sampling.statistics.add(&row);
        } else {
            self.warmup.statistics.add(&row);
            self.sizes.0 += self.state.n_sites();
            self.sizes.1 += 1;
        }
        Ok(())
    }

    fn keep(&mut self, phase: Phase) -> Result<()> {
        let kept = match phase {
            Phase::Warmup { .. } => &mut self.warmup,
            Phase::Sampling => &mut self.sampling,
        };
        write_recording(&self.state.recording, kept.n_draws, &mut kept.draws)?;
        kept.statistics.keep();
        kept.n_draws += 1;
        Ok(())
    }

    fn origin(&self) -> Option<f64> {
        None
    }

    fn visit(&mut self, _: &mut dyn Fields) {}

    fn finish(self) -> Drawn {
        let moves = self.learnt.into_iter().map(|(name, own)| MoveInfo {
            name,
            acceptance: own.tally.mean(),
            scale: own.scale,
        });
        Drawn {
            info: ChainInfo { moves: moves.collect() },
            draws: self.sampling.draws.first(self.sampling.n_draws),
            statistics: self.sampling.statistics,
            warmup: (self.warmup.draws.first(self.warmup.n_draws), self.warmup.statistics),
            faults: [None, None],
        }
    }
}

impl Default for Learnt {
    fn default() -> Self {
        Learnt {
            scale: 1.0,
            adapter: None,
            tally: Tally::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Generator;
    use crate::testing::invariance::check_discrete;
    use ppl_macros::model;

    #[model(crate = crate)]
    fn walk(p: f64, y: Obs<f64>) {
        let mut x = crate::tape::var::Var::from(0.0);
        while sample("go", crate::distributions::Bernoulli::probs(p)).is_true() {
            let step = sample(crate::distributions::Normal(0, 1));
            x += step;
        }
        observe(y, crate::distributions::Normal(x, 1));
    }

    /// Draws a trace and data from the joint distribution, so that the trace is an exact draw from its posterior, makes
    /// three steps, and returns the number of latents of the trace.
    fn step(rng: &mut Generator) -> usize {
        let key = Key::new(rng.random());
        let joint = recorder(key);
        let joint = Recorder {
            source: Rc::new(crate::runtime::source::FromPrior),
            ..joint
        };
        let missing = walk(0.6, crate::runtime::argument::Obs::missing());
        let run_before = joint.record(&missing).unwrap();
        let y = run_before.values_of(run_before.site("y").unwrap()).0[0];
        let model = walk(0.6, &y);
        // The latents of the joint draw, without the observation.
        let (recording, _) = run(&model, Rc::new(Latents::of(&run_before)), None, 1.0, key).unwrap();
        let mut state = TraceState::new(recording);
        for k in 0..3 {
            state.transition(&model, |_| 1.5, key.split(100 + k)).unwrap();
        }
        state.n_sites()
    }

    #[test]
    fn the_length_of_a_sweep_is_fixed_after_the_warm_up() {
        let model = walk(0.8, &1.0);
        let mut chain = TraceChain::start(&model, [0, 1], Key::new(3)).unwrap();
        let mut steps = |phase: fn(usize) -> Phase| {
            (0..40).for_each(|k| chain.step(Key::new(4).split(k as u64), phase(k)).unwrap());
            (chain.sizes, chain.sweep_len())
        };
        let learnt = steps(|step| Phase::Warmup { step, of: 40 });
        assert_eq!(learnt.0.1, 41, "the start and each step of the warm-up count");
        assert_eq!(steps(|_| Phase::Sampling), learnt);
    }

    #[test]
    fn traces_that_change_their_length_are_invariant() {
        // n steps with probability 0.4 · 0.6ⁿ give 2 n + 1 sites; beyond 8 steps they are counted together.
        let probs: Vec<f64> = (0..8).map(|n| 0.4 * 0.6_f64.powi(n)).chain([0.6_f64.powi(8)]).collect();
        check_discrete(7, 3000, |rng| ((step(rng) - 1) / 2).min(8), &probs);
    }
}
