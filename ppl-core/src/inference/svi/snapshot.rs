//! What is kept of a run of SVI once in a while, so that the last good parameters can be computed again.

use crate::optim::State;
use crate::tape::store::Scalar;

/// The number of steps between two copies of the parameters, from which the last good ones can be computed again.
const SNAPSHOT_EVERY: usize = 64;

/// The parameters and moments before a step whose loss was finite; of no step, if it is `usize::MAX`.
#[derive(Clone)]
pub(super) struct Snapshot<F> {
    pub step: usize,
    pub params: Vec<F>,
    pub moments: State<F>,
}

impl<F: Scalar> Snapshot<F> {
    pub fn none() -> Self {
        let moments = State {
            step: 0,
            moments: Vec::new(),
        };
        Snapshot {
            step: usize::MAX,
            params: Vec::new(),
            moments,
        }
    }

    /// Returns whether the state before this step is one to keep.
    pub fn is_due(step: usize) -> bool {
        step.is_multiple_of(SNAPSHOT_EVERY)
    }

    /// Keeps the state before this step, once in a while.
    pub fn take(&mut self, step: usize, params: &[F], moments: &State<F>) {
        if Self::is_due(step) && self.step != step {
            self.keep(step, params, moments);
        }
    }

    /// Keeps the state before this step, in the memory of the one before.
    pub fn keep(&mut self, step: usize, params: &[F], moments: &State<F>) {
        self.step = step;
        copy(params, &mut self.params);
        self.moments.step = moments.step;
        self.moments.moments.resize_with(moments.moments.len(), Vec::new);
        for (kept, present) in self.moments.moments.iter_mut().zip(&moments.moments) {
            copy(present, kept);
        }
    }
}

fn copy<F: Copy>(from: &[F], to: &mut Vec<F>) {
    to.clear();
    to.extend_from_slice(from);
}
