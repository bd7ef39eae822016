//! The order in which a subsampled plate visits its rows.

use crate::rng::{Key, name_hash};
use crate::runtime::plates::random_subset;
use crate::runtime::state::Subsample;

/// The rows of a subsampled plate: a new shuffle each epoch.
pub(super) struct RowOrder {
    pub plate: Subsample,
    epoch: Option<u64>,
    order: Vec<usize>,
}

impl RowOrder {
    /// Returns the rows of a plate before the first step.
    pub fn new(plate: Subsample) -> Self {
        RowOrder {
            plate,
            epoch: None,
            order: Vec::new(),
        }
    }

    /// Returns the rows of a step.
    pub fn at(&mut self, key: Key, step: u64) -> &[usize] {
        let per_epoch = (self.plate.full / self.plate.batch) as u64;
        let epoch = step / per_epoch;
        if self.epoch != Some(epoch) {
            let key = key.split(name_hash(&self.plate.address)).split(epoch);
            self.order = random_subset(key, self.plate.full, self.plate.full);
            self.epoch = Some(epoch);
        }
        let at = (step % per_epoch) as usize * self.plate.batch;
        &self.order[at..at + self.plate.batch]
    }
}
