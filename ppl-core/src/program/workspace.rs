//! The buffers of one chain or particle.

use crate::kernels::aligned::Aligned;
use crate::program::compile::Program;
use crate::rng::Key;
use crate::tape::store::Scalar;

/// The buffers that a program works in; one a chain, never shared.
#[derive(Clone, Debug)]
pub struct Workspace<F> {
    pub(crate) work: Aligned<F>,
    pub(crate) adjoint: Aligned<F>,
    pub(crate) data: Aligned<F>,
    pub(crate) terms: Vec<f64>,
    /// The key of the random operations of the next run.
    pub key: Key,
}

impl<F: Scalar> Program<F> {
    /// Returns fresh buffers; data slots hold the recorded values.
    pub fn workspace(&self) -> Workspace<F> {
        let mut data = Aligned::zeros(self.len.data);
        for (at, values) in &self.slot_values {
            data[*at as usize..][..values.len()].copy_from_slice(values);
        }
        Workspace {
            work: Aligned::zeros(self.len.work),
            adjoint: Aligned::zeros(self.len.adjoint),
            data,
            terms: self.terms.iter().map(|t| t.constant.unwrap_or(0.0)).collect(),
            key: Key::new(0),
        }
    }

    /// Returns the buffer of a rebound data slot, to be filled before a run.
    ///
    /// # Panics
    ///
    /// If the slot is fixed or nothing reads it ([`Program::has_slot`] tells).
    pub fn slot<'w>(&self, workspace: &'w mut Workspace<F>, slot: usize) -> &'w mut [F] {
        let (at, n) = self.slots[slot].expect("the slot is fixed; name it in `Roots::rebound`");
        &mut workspace.data[at as usize..][..n as usize]
    }

    /// Returns whether a data slot is rebound and read.
    pub fn has_slot(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|s| s.is_some())
    }
}
