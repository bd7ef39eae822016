//! The rule that refuses to name a class when the sampled networks give none of them enough probability.

use std::fmt;

use ndarray::ArrayView1;

use crate::calibration::intervals::ClassIntervals;
use crate::calibration::scores::largest;
use crate::data::check_counts;
use crate::error::DataError;

/// The rule: refuse unless the posterior median of some class probability exceeds the threshold; otherwise name the class
/// with the largest median, the first of them if there are several.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_nn::calibration::{ClassIntervals, Refusal, Verdict};
///
/// // Three sampled networks agree on the first row; on the second each is sure of a different class.
/// let probs = array![
///     [[0.9, 0.1, 0.0], [1.0, 0.0, 0.0]],
///     [[0.8, 0.1, 0.1], [0.0, 1.0, 0.0]],
///     [[0.9, 0.0, 0.1], [0.0, 0.0, 1.0]],
/// ];
/// let verdicts = Refusal::default().judge(&ClassIntervals::of(probs.view(), 0.9)?);
/// assert_eq!(verdicts.as_slice(), [Verdict::Class(0), Verdict::Unknown]);
/// assert_eq!(verdicts.refused_share(), 0.5);
/// # Ok::<(), ppl_nn::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// The probability that a median must exceed.
    pub threshold: f64,
}

impl Default for Refusal {
    /// Returns the rule with the threshold 0.2.
    fn default() -> Self {
        Refusal { threshold: 0.2 }
    }
}

/// A class, or the refusal to name one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The class with this number.
    Class(usize),
    /// No class is probable enough.
    Unknown,
}

impl fmt::Display for Verdict {
    /// Writes the number of the class or `I don't know`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Class(class) => write!(f, "{class}"),
            Verdict::Unknown => f.write_str("I don't know"),
        }
    }
}

impl Refusal {
    /// Returns the verdict on each row.
    ///
    /// # Panics
    /// Panics if the threshold is NaN or not between 0 and 1.
    pub fn judge(&self, intervals: &ClassIntervals) -> Verdicts {
        let threshold = self.threshold;
        assert!(
            (0.0..=1.0).contains(&threshold),
            "no probability is compared with {threshold}: choose one from 0 to 1"
        );
        let verdict = |medians: ArrayView1<'_, f64>| match largest(medians) {
            (class, median) if median > threshold => Verdict::Class(class),
            _ => Verdict::Unknown,
        };
        Verdicts(intervals.median.rows().into_iter().map(verdict).collect())
    }
}

/// The verdicts on the rows of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// Returns the verdict on each row: \[n\].
    pub fn as_slice(&self) -> &[Verdict] {
        &self.0
    }

    /// Returns the share of rows that were refused, between 0 and 1.
    pub fn refused_share(&self) -> f64 {
        let n_refused = self.0.iter().filter(|&&verdict| verdict == Verdict::Unknown).count();
        n_refused as f64 / self.0.len() as f64
    }

    /// Returns the share of correct classes among the rows that were not refused, or `None` if all were refused.
    ///
    /// # Errors
    /// Returns an error if the counts of verdicts and labels differ.
    pub fn accepted_accuracy(&self, labels: ArrayView1<'_, usize>) -> Result<Option<f64>, DataError> {
        check_counts("verdicts", self.0.len(), labels.len())?;
        let (mut n_accepted, mut n_right) = (0usize, 0usize);
        for (&verdict, &label) in self.0.iter().zip(labels) {
            n_accepted += usize::from(verdict != Verdict::Unknown);
            n_right += usize::from(verdict == Verdict::Class(label));
        }
        Ok((n_accepted > 0).then(|| n_right as f64 / n_accepted as f64))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn judge(threshold: f64) -> Verdicts {
        let samples = array![
            [[0.7, 0.3, 0.0], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]],
            [[0.6, 0.1, 0.3], [0.2, 0.6, 0.2], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]],
            [[0.8, 0.2, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0]],
        ];
        Refusal { threshold }.judge(&ClassIntervals::of(samples.view(), 0.9).unwrap())
    }

    #[test]
    fn the_largest_median_is_named_if_it_exceeds_the_threshold() {
        use Verdict::{Class, Unknown};
        // The largest medians of the rows are 0.7, 0.5, 0, and 0.5 twice.
        assert_eq!(judge(0.2).as_slice(), [Class(0), Class(1), Unknown, Class(0)]);
        assert_eq!(judge(0.5).as_slice(), [Class(0), Unknown, Unknown, Unknown]);
        assert_eq!(judge(0.0).as_slice(), [Class(0), Class(1), Unknown, Class(0)]);
        assert_eq!(Refusal::default().threshold, 0.2);
    }

    #[test]
    fn shares_equal_those_computed_by_hand() {
        let labels = array![0, 2, 2, 0];
        assert_eq!(judge(0.2).refused_share(), 0.25);
        assert_eq!(judge(0.2).accepted_accuracy(labels.view()).unwrap(), Some(2.0 / 3.0));
        assert_eq!(judge(0.5).refused_share(), 0.75);
        assert_eq!(judge(0.9).accepted_accuracy(labels.view()).unwrap(), None);
    }

    #[test]
    fn a_missing_label_is_counted() {
        let error = judge(0.2).accepted_accuracy(array![0, 1].view()).unwrap_err();
        assert_eq!(error.to_string(), "verdicts: 4 images but 2 labels");
    }

    #[test]
    fn verdicts_are_written_as_a_person_says_them() {
        assert_eq!(
            format!("{}, {}", Verdict::Class(7), Verdict::Unknown),
            "7, I don't know"
        );
    }

    #[test]
    #[should_panic(expected = "choose one from 0 to 1")]
    fn a_threshold_in_percent_is_misuse() {
        judge(20.0);
    }
}
