//! A chain on the vector of a model of fixed structure: any transition, its draws and their statistics.

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::chain::{Chain, ChainInfo, Drawn};
use crate::inference::persist::Fields;
use crate::inference::potential::{Evaluator, Potential};
use crate::inference::statistics::Statistics;
use crate::inference::transition::{Phase, State, Transition};
use crate::rng::Key;

/// A chain of vectors.
pub(crate) struct VectorChain<'p> {
    potential: &'p Potential<'p>,
    density: Evaluator<'p>,
    /// The log density where the chain began.
    origin: f64,
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

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.list("positions", &mut self.positions);
        let mut n_draws = self.n_draws as u64;
        fields.count("n_draws", &mut n_draws);
        self.n_draws = n_draws as usize;
        fields.part("statistics", &mut |fields| self.statistics.visit(fields));
    }
}

impl<'p> VectorChain<'p> {
    /// Starts a chain that makes the steps of `transition`.
    pub(crate) fn start(potential: &'p Potential<'p>, mut transition: Box<dyn Transition>, key: Key) -> Result<Self> {
        let mut density = potential.evaluator();
        let mut state = potential.start(key)?;
        let origin = state.log_density();
        transition.start(&mut density, &mut state, &mut key.split(u64::MAX).generator())?;
        let statistics = Statistics::new(transition.columns());
        Ok(VectorChain {
            row: vec![0.0; statistics.n_columns()],
            potential,
            density,
            origin,
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
    fn origin(&self) -> Option<f64> {
        Some(self.origin)
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.part("state", &mut |fields| self.state.visit(fields));
        fields.part("transition", &mut |fields| self.transition.visit(fields));
        fields.part("warmup", &mut |fields| self.warmup.visit(fields));
        fields.part("sampling", &mut |fields| self.sampling.visit(fields));
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{DistExt, HalfNormal, Normal};
    use crate::inference::hamiltonian::nuts::NutsTransition;
    use crate::inference::hamiltonian::warmup::{MetricKind, Warmup};
    use crate::inference::persist::Record;
    use crate::inference::transitions::random_walk::RandomWalk;
    use ndarray::{Array1, array};
    use ppl_macros::model;

    #[model(crate = crate)]
    fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
        let mu = sample(Normal(0, 5));
        let tau = sample(HalfNormal(5));
        for j in plate(sigma) {
            let theta = sample(Normal(mu, tau).noncentered());
            observe(y[j], Normal(theta, sigma[j]));
        }
    }

    /// Returns a transition of each kind that learns.
    fn transitions(dim: usize) -> Vec<Box<dyn Transition>> {
        let nuts = |metric| {
            let warmup = Warmup {
                target_acceptance: 0.8,
                metric,
                step_size: None,
            };
            Box::new(NutsTransition::new(dim, 10, warmup)) as Box<dyn Transition>
        };
        let kinds = [
            MetricKind::Fisher,
            MetricKind::FisherDiagonal,
            MetricKind::Diagonal,
            MetricKind::Dense,
        ];
        let walk = Box::new(RandomWalk::new((0..dim).collect())) as Box<dyn Transition>;
        kinds.map(nuts).into_iter().chain([walk]).collect()
    }

    /// Makes steps of a warm-up of 100 steps, and of the draws behind it.
    fn advance(chain: &mut VectorChain<'_>, steps: std::ops::Range<usize>) {
        for step in steps {
            let phase = match step {
                0..100 => Phase::Warmup { step, of: 100 },
                _ => Phase::Sampling,
            };
            chain.step(Key::new(5).split(step as u64), phase).unwrap();
            if phase == Phase::Sampling {
                chain.keep(phase).unwrap();
            }
        }
    }

    #[test]
    fn a_chain_that_was_written_goes_on_with_the_same_bits() {
        let (sigma, y) = (array![15.0, 10.0, 16.0, 11.0], array![28.0, 8.0, -3.0, 7.0]);
        let model = schools(&sigma, &y);
        let potential = Potential::new(&model, Key::new(1)).unwrap();
        let n_kinds = transitions(potential.dim()).len();
        for (kind, stop) in (0..n_kinds).flat_map(|kind| [37, 140].map(|stop| (kind, stop))) {
            let start = |seed| {
                let own = transitions(potential.dim()).swap_remove(kind);
                VectorChain::start(&potential, own, Key::new(seed)).unwrap()
            };
            let mut whole = start(2);
            advance(&mut whole, 0..stop);
            let record = Record::of(|fields| whole.visit(fields));
            advance(&mut whole, stop..180);
            // The other one begins elsewhere.
            let mut resumed = start(3);
            record.fill(|fields| resumed.visit(fields)).unwrap();
            advance(&mut resumed, stop..180);
            assert_eq!(
                whole.sampling.positions, resumed.sampling.positions,
                "kind {kind}, stopped at {stop}"
            );
            let records = [&mut whole, &mut resumed].map(|chain| Record::of(|fields| chain.visit(fields)));
            assert_eq!(records[0], records[1], "kind {kind}, stopped at {stop}");
        }
    }

    #[test]
    fn a_record_of_another_sampler_is_refused() {
        let (sigma, y) = (array![15.0, 10.0], array![28.0, 8.0]);
        let model = schools(&sigma, &y);
        let potential = Potential::new(&model, Key::new(1)).unwrap();
        let mut own = transitions(potential.dim());
        let (last, first) = (own.pop().unwrap(), own.swap_remove(0));
        let mut nuts = VectorChain::start(&potential, first, Key::new(2)).unwrap();
        let mut walk = VectorChain::start(&potential, last, Key::new(2)).unwrap();
        let record = Record::of(|fields| nuts.visit(fields));
        let error = record.fill(|fields| walk.visit(fields)).unwrap_err().to_string();
        assert!(error.contains("it is that of another"), "{error}");
    }
}
