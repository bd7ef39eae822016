//! A chain on the vector of a model of fixed structure: any transition, its draws and their statistics.

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::chain::{Chain, ChainInfo, Drawn};
use crate::inference::potential::{Evaluator, Potential};
use crate::inference::statistics::Statistics;
use crate::inference::transition::{Phase, State, Transition};
use crate::rng::Key;

/// A chain of vectors.
pub(crate) struct VectorChain<'p> {
    potential: &'p Potential<'p>,
    density: Evaluator<'p>,
    state: State,
    transition: Box<dyn Transition>,
    /// What the last step wrote: the log density, then the columns of the transition.
    row: Vec<f64>,
    warmup: Kept,
    sampling: Kept,
}

/// What is kept of one phase.
struct Kept {
    /// `[draw, coordinate]`.
    positions: Vec<f64>,
    n_draws: usize,
    statistics: Statistics,
}

impl Kept {
    fn new(statistics: Statistics) -> Self {
        Kept {
            positions: Vec::new(),
            n_draws: 0,
            statistics,
        }
    }
}

impl<'p> VectorChain<'p> {
    /// Starts a chain that makes the steps of `transition`.
    pub(crate) fn start(potential: &'p Potential<'p>, mut transition: Box<dyn Transition>, key: Key) -> Result<Self> {
        let mut density = potential.evaluator();
        let mut state = potential.start(key)?;
        transition.start(&mut density, &mut state, &mut key.split(u64::MAX).generator())?;
        let statistics = Statistics::new(transition.columns());
        Ok(VectorChain {
            row: vec![0.0; statistics.n_columns()],
            potential,
            density,
            state,
            transition,
            warmup: Kept::new(statistics.clone()),
            sampling: Kept::new(statistics),
        })
    }

    /// Returns the values of the draws; if the model fails at a draw, of those before, with the error.
    fn values(&self, kept: &Kept) -> (Draws, Option<Error>) {
        let dim = self.potential.dim();
        let first = |n: usize| self.potential.constrain(&kept.positions[..n * dim], n);
        let fault = match first(kept.n_draws) {
            Ok(draws) => return (draws, None),
            Err(error) => error,
        };
        // The model fails at the same draw for all numbers of draws beyond it.
        let (mut good, mut bad) = (Draws::new(1, 0), kept.n_draws);
        let mut n_good = 0;
        while bad - n_good > 1 {
            let middle = n_good + (bad - n_good) / 2;
            match first(middle) {
                Ok(draws) => (good, n_good) = (draws, middle),
                Err(_) => bad = middle,
            }
        }
        (good, Some(fault))
    }
}

impl Chain for VectorChain<'_> {
    fn step(&mut self, key: Key, phase: Phase) -> Result<()> {
        let mut rng = key.generator();
        let own = &mut self.row[1..];
        self.transition
            .step(&mut self.density, &mut self.state, phase, &mut rng, own)?;
        self.row[0] = self.state.log_density();
        match phase {
            Phase::Warmup { .. } => self.warmup.statistics.add(&self.row),
            Phase::Sampling => self.sampling.statistics.add(&self.row),
        }
        Ok(())
    }

    fn keep(&mut self, phase: Phase) -> Result<()> {
        let kept = match phase {
            Phase::Warmup { .. } => &mut self.warmup,
            Phase::Sampling => &mut self.sampling,
        };
        kept.positions.extend_from_slice(self.state.position());
        kept.statistics.keep();
        kept.n_draws += 1;
        Ok(())
    }

    fn finish(self) -> Drawn {
        let (draws, fault) = self.values(&self.sampling);
        let (warmup, warmup_fault) = self.values(&self.warmup);
        Drawn {
            info: ChainInfo::of(&self.sampling.statistics),
            statistics: self.sampling.statistics,
            warmup: (warmup, self.warmup.statistics),
            draws,
            faults: [warmup_fault, fault],
        }
    }
}
