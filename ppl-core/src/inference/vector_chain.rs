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
    statistics: Statistics,
    /// What the last step wrote: the log density, then the columns of the transition.
    row: Vec<f64>,
    draws: Vec<f64>,
    n_kept: usize,
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
            statistics,
            draws: Vec::new(),
            n_kept: 0,
        })
    }

    /// Returns the values of the draws; if the model fails at a draw, of those before, with the error.
    fn values(&self) -> (Draws, Option<Error>) {
        let dim = self.potential.dim();
        let first = |n: usize| self.potential.constrain(&self.draws[..n * dim], n);
        let fault = match first(self.n_kept) {
            Ok(draws) => return (draws, None),
            Err(error) => error,
        };
        // The model fails at the same draw for all numbers of draws beyond it.
        let (mut good, mut bad) = (Draws::new(1, 0), self.n_kept);
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
        if phase == Phase::Sampling {
            self.statistics.add(&self.row);
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        self.draws.extend_from_slice(self.state.position());
        self.statistics.keep();
        self.n_kept += 1;
        Ok(())
    }

    fn finish(self) -> Drawn {
        let (draws, fault) = self.values();
        Drawn {
            info: ChainInfo::of(&self.statistics),
            statistics: self.statistics,
            draws,
            fault,
        }
    }
}
