//! Shuffled minibatches: the rows of a data set in a random order, cut into batches.

use ppl_core::rng::Key;
use ppl_core::tensor::room::room;
use rand::seq::SliceRandom;

use crate::error::DataError;

/// What becomes of the rows left over when the batch size does not divide the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBatch {
    /// They form a last, shorter batch.
    Keep,
    /// They are left out of this epoch; another epoch leaves out others.
    Drop,
}

/// `n` rows cut into batches, in a new order each epoch.
///
/// # Examples
/// ```
/// use ppl_core::rng::Key;
/// use ppl_nn::data::{Batches, LastBatch};
///
/// let batches = Batches::new(10, 4, LastBatch::Keep, Key::new(1))?;
/// for epoch in 0..3 {
///     let mut rows: Vec<usize> = batches.epoch(epoch).flatten().collect();
///     rows.sort();
///     assert_eq!(rows, (0..10).collect::<Vec<_>>());
/// }
/// assert_eq!(batches.epoch(0).map(|rows| rows.len()).collect::<Vec<_>>(), [4, 4, 2]);
/// # Ok::<(), ppl_nn::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batches {
    n: usize,
    batch: usize,
    last: LastBatch,
    key: Key,
}

impl Batches {
    /// Cuts `n` rows into batches of `batch` rows, shuffled by `key`.
    ///
    /// # Errors
    /// Returns an error if `batch` is zero or larger than `n`, or if an order of `n` rows finds no room in memory.
    pub fn new(n: usize, batch: usize, last: LastBatch, key: Key) -> Result<Self, DataError> {
        if batch == 0 || batch > n {
            return Err(DataError::BatchSize { batch, n });
        }
        room(&[n], size_of::<usize>()).map_err(|no_room| DataError::NoRoom {
            place: "the order of an epoch".to_owned(),
            no_room,
        })?;
        Ok(Batches { n, batch, last, key })
    }

    /// Returns the number of batches of an epoch.
    pub fn n_batches(&self) -> usize {
        match self.last {
            LastBatch::Keep => self.n.div_ceil(self.batch),
            LastBatch::Drop => self.n / self.batch,
        }
    }

    /// Returns the batches of an epoch, each a list of row numbers; the same epoch of the same key has the same batches.
    ///
    /// All orders of the rows are equally likely, and epochs are independent of each other.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let mut order: Vec<usize> = (0..self.n).collect();
        // The shuffle of Fisher and Yates.
        order.shuffle(&mut self.key.split(epoch).generator());
        if self.last == LastBatch::Drop {
            order.truncate(self.n_batches() * self.batch);
        }
        Epoch {
            order,
            start: 0,
            batch: self.batch,
        }
    }
}

/// The batches of one epoch; see [`Batches::epoch`].
#[derive(Clone, Debug)]
pub struct Epoch {
    order: Vec<usize>,
    start: usize,
    batch: usize,
}

impl Iterator for Epoch {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let rows = self.order[self.start..].chunks(self.batch).next()?.to_vec();
        self.start += rows.len();
        Some(rows)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n_left = (self.order.len() - self.start).div_ceil(self.batch);
        (n_left, Some(n_left))
    }
}

impl ExactSizeIterator for Epoch {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn batches(n: usize, batch: usize, last: LastBatch) -> Batches {
        Batches::new(n, batch, last, Key::new(7)).unwrap()
    }

    #[test]
    fn kept_batches_hold_every_row_once() {
        for (n, batch, n_batches) in [(1, 1, 1), (10, 3, 4), (12, 3, 4), (12, 12, 1), (13, 5, 3)] {
            let batches = batches(n, batch, LastBatch::Keep);
            let epoch = batches.epoch(3);
            assert_eq!((batches.n_batches(), epoch.len()), (n_batches, n_batches));
            let rows: HashSet<usize> = epoch.flatten().collect();
            assert_eq!(rows, (0..n).collect());
        }
    }

    #[test]
    fn dropping_leaves_full_batches_only() {
        let batches = batches(13, 5, LastBatch::Drop);
        let lists: Vec<Vec<usize>> = batches.epoch(0).collect();
        assert_eq!((batches.n_batches(), lists.len()), (2, 2));
        assert!(lists.iter().all(|rows| rows.len() == 5));
        assert_eq!(lists.concat().into_iter().collect::<HashSet<_>>().len(), 10);
    }

    #[test]
    fn epochs_drop_rows_of_their_own() {
        let batches = batches(13, 5, LastBatch::Drop);
        // A row is left out of twenty epochs with the probability (3 / 13)^20, which is 2 · 10⁻¹³.
        let rows: HashSet<usize> = (0..20).flat_map(|epoch| batches.epoch(epoch)).flatten().collect();
        assert_eq!(rows, (0..13).collect());
    }

    #[test]
    fn the_order_follows_from_key_and_epoch() {
        let order = |seed, epoch| {
            Batches::new(30, 8, LastBatch::Keep, Key::new(seed))
                .unwrap()
                .epoch(epoch)
                .flatten()
                .collect::<Vec<_>>()
        };
        assert_eq!(order(1, 0), order(1, 0));
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
        assert_eq!(order(1, 0)[..8], [7, 5, 28, 12, 14, 25, 19, 21]);
    }

    #[test]
    fn all_orders_are_equally_probable() {
        let mut counts = std::collections::HashMap::new();
        let batches = batches(3, 3, LastBatch::Keep);
        let n_epochs = 6000;
        for epoch in 0..n_epochs {
            *counts.entry(batches.epoch(epoch).next().unwrap()).or_insert(0.0) += 1.0;
        }
        let expected = n_epochs as f64 / 6.0;
        let chi_squared: f64 = counts
            .values()
            .map(|count: &f64| (count - expected).powi(2) / expected)
            .sum();
        // The 0.999 quantile of the chi-squared distribution with 5 degrees of freedom.
        assert!(counts.len() == 6 && chi_squared < 20.515, "{counts:?}: {chi_squared}");
    }

    #[test]
    fn a_batch_larger_than_the_data_names_both_numbers() {
        let message = |batch| {
            Batches::new(100, batch, LastBatch::Keep, Key::new(1))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(128), "a batch of 128 rows cannot be taken from 100 rows");
        assert_eq!(message(0), "a batch of 0 rows cannot be taken from 100 rows");
    }
}
