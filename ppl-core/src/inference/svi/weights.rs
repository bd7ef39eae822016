//! The importance weights of a fitted guide, for its Pareto k.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::diagnostics::{GuideWarning, pareto_k};
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
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
