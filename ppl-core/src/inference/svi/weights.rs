//! The importance weights of a fitted guide, for its Pareto k.

use std::rc::Rc;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::diagnostics::{GuideWarning, pareto_k};
use crate::error::Result;
use crate::inference::svi::advance::matching_slots;
use crate::inference::svi::loss_program::{LossProgram, Pair};
use crate::inference::svi::objective::record_elbo;
use crate::inference::svi::state::{Engine, Fixed, Loop, Typed, streams};
use crate::program::compile::Program;
use crate::program::passes::Passes;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::recording::{Recorder, Recording};
use crate::tape::store::Scalar;

/// The number of draws that the tail of the weights is taken from.
const DRAWS: u64 = 2000;

/// Weights whose logarithms differ by less than this have no tail to look at.
const EVEN: f64 = 0.01;

/// Above this shape of the tail a guide that is worth few draws lacks parts of the posterior (Vehtari et al. 2024).
const MAX_PARETO_K: f64 = 0.7;

/// Draws that are worth this part of independent draws from the posterior, or less, are few, whatever the shape of the tail;
/// with a heavy tail the second counts.
const FEW: [f64; 2] = [0.25, 0.5];

/// The number of parameters above which guide and model are not recorded once more for their weights.
const MAX_RECORDED: usize = 1 << 17;

/// A program whose value is log p − log q at a draw of the guide, over a factor.
pub(super) struct Weights {
    pub program: Either,
    pub theta: Vec<f64>,
    pub key: Key,
    /// What the value of the program is multiplied by.
    pub factor: f64,
    pub tail: OnceLock<Option<Tail>>,
}

/// How even weights are.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    pub k: f64,
    /// (Σw)² / Σw² as a part of the number of weights.
    worth: f64,
}

impl Tail {
    /// Returns the warning of weights that are too uneven.
    ///
    /// The shape of the tail does not depend on its size: a logistic tail makes it large though all but a few weights are
    /// near one. What the draws are worth has to be small too.
    pub fn warning(&self) -> Option<GuideWarning> {
        let Tail { k, worth } = *self;
        let is_heavy = k.is_nan() || k > MAX_PARETO_K;
        let is_good = worth > FEW[usize::from(is_heavy)];
        (!is_good).then_some(GuideWarning::UnevenWeights { k, worth })
    }
}

/// A program in one of two precisions.
pub(super) enum Either {
    F64(Program<f64>),
    F32(Program<f32>),
}

impl Weights {
    /// Returns how even the weights are, computed once; k is −∞ if they hardly differ, and there is no answer if they are all
    /// the same, as those of points are.
    pub fn tail(&self) -> Option<Tail> {
        *self.tail.get_or_init(|| {
            let logs = match &self.program {
                Either::F64(program) => self.logs(program),
                Either::F32(program) => self.logs(program),
            };
            let (low, high) = logs
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
            match high - low {
                0.0 => None,
                range => Some(Tail {
                    k: if range < EVEN {
                        f64::NEG_INFINITY
                    } else {
                        pareto_k(&logs)
                    },
                    worth: worth(&logs, high),
                }),
            }
        })
    }

    fn logs<F: Scalar>(&self, program: &Program<F>) -> Vec<f64> {
        let theta: Vec<F> = self.theta.iter().map(|&x| F::from_f64(x)).collect();
        let log = |workspace: &mut Workspace<F>, i: u64| {
            workspace.key = self.key.split(i);
            self.factor * program.value(workspace, &theta)
        };
        (0..DRAWS)
            .into_par_iter()
            .map_init(|| program.workspace(), log)
            .collect()
    }
}

/// Returns (Σw)² / Σw² over the number of weights, given their logarithms and the largest of these.
fn worth(logs: &[f64], largest: f64) -> f64 {
    let weights = logs.iter().map(|log| (log - largest).exp());
    let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    sum * sum / squares / logs.len() as f64
}

impl Loop<'_> {
    /// Takes the program of the steps for the weights of the guide, or, where it holds divergences in closed form, records
    /// another.
    ///
    /// There are none where guide and model are recorded anew at each step, nor of batches, whose weights are estimates.
    pub(super) fn weights(&mut self) -> Result<Option<Weights>> {
        let theta = self.values();
        if self.last_streamed.is_some() || !self.run.has_draws {
            return Ok(None);
        }
        let program = match &mut self.engine {
            Engine::F64(typed) => self.run.program(typed, &theta)?.map(|(p, f)| (Either::F64(p), f)),
            Engine::F32(typed) => self.run.program(typed, &theta)?.map(|(p, f)| (Either::F32(p), f)),
        };
        Ok(program.map(|(program, factor)| Weights {
            program,
            theta,
            key: self.run.key.split(streams::WEIGHTS),
            factor,
            tail: OnceLock::new(),
        }))
    }
}

impl Fixed<'_> {
    fn program<F: Scalar>(&self, typed: &mut Typed<'_, F>, theta: &[f64]) -> Result<Option<(Program<F>, f64)>> {
        let LossProgram { subsamples, replay } = &mut typed.first;
        let Some(replay) = replay.take().filter(|_| subsamples.is_empty()) else {
            return Ok(None);
        };
        if self.analytic.is_empty() {
            return Ok(Some((replay.program, -(self.setting.particles as f64))));
        }
        if theta.len() > MAX_RECORDED {
            return Ok(None);
        }
        let recorder = Recorder::density(self.setting.precision, self.key.split(streams::WEIGHTS));
        let recorder = recorder.with_values(&self.slots, theta.to_vec());
        let Pair { model, guide } = self.first;
        let recording: Recording = record_elbo(&recorder, model, guide, &Rc::default())?;
        matching_slots(&self.slots, &recording)?;
        Ok((!recording.tape.is_tainted()).then(|| (recording.density(Passes::default()), 1.0)))
    }
}
