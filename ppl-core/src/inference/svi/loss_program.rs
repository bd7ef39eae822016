//! A recorded loss, compiled with the buffers of each particle, or the note that it has to be recorded at each step.

use rayon::prelude::*;

use crate::inference::svi::guides::Family;
use crate::inference::svi::row_order::RowOrder;
use crate::program::compile::Program;
use crate::program::structure::structure_key;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::model::Body;
use crate::runtime::rebind::rebind;
use crate::runtime::recording::{Recording, WithIndexes};
use crate::tape::store::Scalar;

/// A model and the guide that it is fitted by.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub model: &'a (dyn Body + Sync),
    pub guide: &'a dyn Family,
}

/// Which data change between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Changing {
    /// Only the rows of subsampled plates.
    Nothing,
    /// The model's.
    Model,
    /// The model's and the guide's.
    Both,
}

/// What steps on one model, or on bindings of it that are recorded alike, need.
pub(super) struct LossProgram<F> {
    pub subsamples: Vec<RowOrder>,
    /// The program; without one guide and model are recorded at each step.
    pub replay: Option<ReplayedLoss<F>>,
}

/// A program with a workspace and a gradient for each particle.
pub(super) struct ReplayedLoss<F> {
    pub program: Program<F>,
    /// For each index list, an output of the program, the number of rows to pick from.
    n_rows: Vec<usize>,
    particles: Vec<(Workspace<F>, Vec<F>, f64)>,
    /// The data slots of the guide's arguments and of the model's.
    arguments: [Vec<Option<usize>>; 2],
    changing: Changing,
    structure: u64,
    n_runs: u64,
}

impl<F: Scalar> LossProgram<F> {
    /// Keeps a recording of the ELBO for steps, as a program where it may be replayed; data that
    /// change between steps are rebound.
    pub fn new(recording: &Recording, n_particles: usize, is_replayed: bool, changing: Changing) -> Self {
        LossProgram {
            subsamples: recording.subsamples.iter().cloned().map(RowOrder::new).collect(),
            replay: is_replayed.then(|| ReplayedLoss::new(recording, n_particles, changing)),
        }
    }
}

impl<F: Scalar> ReplayedLoss<F> {
    /// Compiles −ELBO / particles.
    fn new(recording: &Recording, n_particles: usize, changing: Changing) -> Self {
        let structure = structure_key(&recording.tape.records());
        recording.tape.scale_terms(-1.0 / n_particles as f64);
        let (of_guide, of_model) = (&recording.guide_arguments, &recording.arguments);
        let arguments: &[&[Option<usize>]] = match changing {
            Changing::Nothing => &[],
            Changing::Model => &[of_model],
            Changing::Both => &[of_model, of_guide],
        };
        let WithIndexes { program, n_rows } = recording.density_with_data(arguments.concat().into_iter().flatten());
        let particle = || (program.workspace(), vec![F::ZERO; recording.n_inputs()], 0.0);
        ReplayedLoss {
            particles: (0..n_particles).map(|_| particle()).collect(),
            program,
            n_rows,
            arguments: [of_guide.clone(), of_model.clone()],
            changing,
            structure,
            n_runs: 0,
        }
    }

    /// Returns the program of another recording of the same model at the same place, or `None` if it is another one.
    pub fn again(&self, recording: &Recording) -> Option<Self> {
        let is_same = structure_key(&recording.tape.records()) == self.structure && !recording.tape.is_tainted();
        is_same.then(|| ReplayedLoss::new(recording, self.particles.len(), self.changing))
    }

    /// Copies data into the slots that are rebound; `false` if they are not like those recorded.
    pub fn bind(&mut self, pair: Pair<'_>) -> bool {
        let (program, [of_guide, of_model]) = (&self.program, &self.arguments);
        self.particles.iter_mut().all(|(workspace, ..)| {
            (self.changing != Changing::Both || rebind(|v| pair.guide.visit_data(v), of_guide, program, workspace))
                && rebind(|v| pair.model.visit_arguments(v), of_model, program, workspace)
        })
    }

    /// Writes the rows of a step into the slots of subsampled plates.
    pub fn choose_rows(&mut self, subsamples: &mut [RowOrder], key: Key, step: u64) {
        for rows in subsamples {
            let data_slot = rows.plate.slot;
            let chosen = rows.at(key, step);
            for (workspace, ..) in &mut self.particles {
                if self.program.has_slot(data_slot) {
                    let slot = self.program.slot(workspace, data_slot);
                    slot.iter_mut()
                        .zip(chosen)
                        .for_each(|(o, &r)| *o = F::from_f64(r as f64));
                }
            }
        }
    }

    /// Computes the loss and leaves its gradient with the first particle.
    pub fn evaluate(&mut self, params: &[F], key: Key) -> f64 {
        self.n_runs += 1;
        let program = &self.program;
        let run = |(particle, (workspace, gradient, loss)): (usize, &mut (Workspace<F>, Vec<F>, f64))| {
            workspace.key = key.split(particle as u64);
            *loss = program.value_and_gradient(workspace, params, gradient);
        };
        if let [one] = self.particles.as_mut_slice() {
            run((0, one));
        } else {
            self.particles.par_iter_mut().enumerate().for_each(run);
        }
        let (first, rest) = self.particles.split_first_mut().expect("there is a particle");
        for (_, gradient, loss) in rest {
            first.2 += *loss;
            first.1.iter_mut().zip(gradient.iter()).for_each(|(sum, &g)| *sum += g);
        }
        first.2
    }

    /// Returns the gradient of the last evaluation.
    pub fn gradient(&self) -> &[F] {
        &self.particles[0].1
    }

    /// Returns how often the program ran.
    pub fn n_runs(&self) -> u64 {
        self.n_runs
    }

    /// Returns whether the last evaluation picked rows that there are: a recording refuses others.
    pub fn picks_are_in_range(&self, params: &[F]) -> bool {
        let workspace = &self.particles[0].0;
        self.n_rows.iter().enumerate().all(|(k, &n)| {
            let (indexes, _) = self.program.output(workspace, params, k);
            let is_row = |index: f64| index >= 0.0 && index < n as f64;
            indexes.iter().all(|&index| is_row((index.to_f64() + 0.5).floor()))
        })
    }
}
