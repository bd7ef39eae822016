//! Plate dimensions: alignment is by identity, never by position.

use smallvec::SmallVec;

/// The creation number of a dimension within a recording: an outer plate has the smaller one.
pub type DimId = u32;

/// The dimensions that a value carries, in ascending order.
pub type Dims = SmallVec<[DimId; 4]>;

/// A plate while a model is recorded.
#[derive(Clone, Debug)]
pub struct Dim {
    /// The loop variable, for messages.
    pub name: String,
    /// The file and line of the loop.
    pub place: (&'static str, u32),
    /// How many rows are worked on: the batch.
    pub len: usize,
    /// How many rows are in memory: those that a batch is taken from, or all that are worked on.
    pub in_memory: usize,
    /// How many rows there are altogether, of which those in memory may be a part.
    pub full: usize,
    /// The data slot with the row numbers, where the plate is subsampled.
    pub rows: Option<u32>,
    /// Whether the loop is still running.
    pub open: bool,
}

/// Returns the sorted union of two sorted lists.
pub fn union(a: &[DimId], b: &[DimId]) -> Dims {
    let mut out = Dims::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let take_a = j == b.len() || (i < a.len() && a[i] <= b[j]);
        if take_a {
            if j < b.len() && a[i] == b[j] {
                j += 1;
            }
            out.push(a[i]);
            i += 1;
        } else {
            out.push(b[j]);
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn union_is_sorted_and_without_repetition() {
        assert_eq!(union(&[1, 3], &[2, 3, 5]).as_slice(), &[1, 2, 3, 5]);
        assert_eq!(union(&[], &[2]).as_slice(), &[2]);
    }
}
