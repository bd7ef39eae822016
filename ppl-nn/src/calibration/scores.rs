//! Scores of predicted class probabilities against the true classes.

use ndarray::{ArrayView1, ArrayView2};

use crate::calibration::probabilities::check_probabilities;
use crate::data::{check_counts, check_labels};
use crate::error::DataError;

/// The number of bins of the reliability table and the calibration error, as in Guo et al. (2017).
const N_BINS: usize = 15;

/// How good predicted class probabilities are.
///
/// The predicted class of a row is the one with the largest probability, the first of them if there are several; that
/// probability is the row's confidence.
///
/// # References
/// Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*, for the calibration error.
/// Brier (1950), *Verification of forecasts expressed in terms of probability*, for the sum over all classes.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_nn::calibration::Calibration;
///
/// let probs = array![[0.9, 0.1], [0.4, 0.6]];
/// let scores = Calibration::of(probs.view(), array![0, 0].view())?;
/// assert_eq!(scores.accuracy, 0.5);
/// assert!((scores.mean_log_score - (0.9f64.ln() + 0.4f64.ln()) / 2.0).abs() < 1e-15);
/// # Ok::<(), ppl_nn::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Calibration {
    /// The share of rows whose predicted class is the true one.
    pub accuracy: f64,
    /// The mean over rows of ln probs\[row, label\]; minus infinity if a true class has probability zero.
    pub mean_log_score: f64,
    /// The mean over rows of the sum over classes of (probs\[row, k\] − 1\[k = label\])²: from 0, the best, to 2.
    pub brier_score: f64,
    /// The mean, weighted by count, of |accuracy − confidence| over the bins of `reliability`.
    pub expected_calibration_error: f64,
    /// The rows by confidence, in 15 bins of equal width from 0 to 1, each with its upper but not its lower bound.
    pub reliability: Vec<ReliabilityBin>,
}

/// The rows whose confidence lies in one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReliabilityBin {
    /// The bound that the confidences exceed.
    pub lower: f64,
    /// The largest possible confidence.
    pub upper: f64,
    /// The number of rows.
    pub count: usize,
    /// Their mean confidence; NaN if there are none.
    pub confidence: f64,
    /// The share of them whose predicted class is the true one; NaN if there are none.
    pub accuracy: f64,
}

impl Calibration {
    /// Returns the scores of the probabilities `probs`: [n, classes] against the true classes `labels`: \[n\].
    ///
    /// # Errors
    /// Returns an error if there are no rows, if a value is not between 0 and 1, if a row does not sum to one within 1e-4,
    /// if the counts of rows and labels differ, or if a label is not below the number of classes.
    pub fn of<T: Copy + Into<f64>>(probs: ArrayView2<'_, T>, labels: ArrayView1<'_, usize>) -> Result<Self, DataError> {
        check_probabilities(probs)?;
        check_counts("probabilities", probs.nrows(), labels.len())?;
        check_labels("labels", labels, probs.ncols())?;
        let n = probs.nrows() as f64;
        let (mut log_score, mut brier_score) = (0.0, 0.0);
        // Per bin: the number of rows, the sum of their confidences, the number of right ones.
        let mut bins = [(0, 0.0, 0); N_BINS];
        for (row, &label) in probs.rows().into_iter().zip(labels) {
            let row = row.mapv(T::into);
            log_score += row[label].ln();
            brier_score += row
                .indexed_iter()
                .map(|(k, p)| (p - f64::from(k == label)).powi(2))
                .sum::<f64>();
            let (predicted, confidence) = largest(row.view());
            let bin = &mut bins[((confidence * N_BINS as f64).ceil() as usize).clamp(1, N_BINS) - 1];
            *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + usize::from(predicted == label));
        }
        let n_right: usize = bins.iter().map(|bin| bin.2).sum();
        let gap: f64 = bins
            .iter()
            .map(|&(_, confidence, right)| (right as f64 - confidence).abs())
            .sum();
        let bin = |(i, &(count, confidence, right)): (usize, &(usize, f64, usize))| ReliabilityBin {
            lower: i as f64 / N_BINS as f64,
            upper: (i + 1) as f64 / N_BINS as f64,
            count,
            confidence: confidence / count as f64,
            accuracy: right as f64 / count as f64,
        };
        Ok(Calibration {
            accuracy: n_right as f64 / n,
            mean_log_score: log_score / n,
            brier_score: brier_score / n,
            expected_calibration_error: gap / n,
            reliability: bins.iter().enumerate().map(bin).collect(),
        })
    }
}

/// Returns the position of the largest value, the first of equal ones, and that value.
pub(super) fn largest(values: ArrayView1<'_, f64>) -> (usize, f64) {
    let first = (0, values[0]);
    values.indexed_iter().fold(
        first,
        |best, (k, &value)| if value > best.1 { (k, value) } else { best },
    )
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-14, "{actual} is not {expected}");
    }

    #[test]
    fn scores_equal_those_computed_by_hand() {
        let probs = array![[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1]];
        let scores = Calibration::of(probs.view(), array![0, 1, 0, 1].view()).unwrap();
        assert_close(scores.accuracy, 2.0 / 4.0);
        // (ln 0.7 + ln 0.8 + 2 ln 0.3) / 4.
        assert_close(scores.mean_log_score, -0.746_941_025_976_203_5);
        // (0.14 + 0.06 + 0.74 + 0.86) / 4.
        assert_close(scores.brier_score, 0.45);
        // Each row has its own bin: (|1 - 0.7| + |1 - 0.8| + |0 - 0.4| + |0 - 0.6|) / 4.
        assert_close(scores.expected_calibration_error, 0.375);
    }

    #[test]
    fn rows_of_one_bin_are_averaged_before_the_gap_is_taken() {
        let probs = array![[0.91, 0.09], [0.92, 0.08], [0.5, 0.5], [1.0, 0.0]];
        let scores = Calibration::of(probs.view(), array![0, 1, 0, 0].view()).unwrap();
        let bin = scores.reliability[13];
        assert_eq!((bin.lower, bin.upper, bin.count), (13.0 / 15.0, 14.0 / 15.0, 2));
        assert_close(bin.confidence, 0.915);
        assert_close(bin.accuracy, 0.5);
        // (|1 - 1.83| + |1 - 0.5| + |1 - 1|) / 4.
        assert_close(scores.expected_calibration_error, 0.3325);
        let counts: Vec<usize> = scores.reliability.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 1]);
        assert!(scores.reliability[0].accuracy.is_nan());
    }

    #[test]
    fn a_confidence_on_a_bound_belongs_to_the_bin_below() {
        let scores = Calibration::of(array![[0.6, 0.4]].view(), array![0].view()).unwrap();
        let bin = scores.reliability.iter().find(|bin| bin.count == 1).unwrap();
        assert_eq!((bin.lower, bin.upper), (8.0 / 15.0, 9.0 / 15.0));
    }

    #[test]
    fn a_true_class_of_probability_zero_scores_minus_infinity() {
        let scores = Calibration::of(array![[1.0f32, 0.0]].view(), array![1].view()).unwrap();
        assert_eq!((scores.mean_log_score, scores.brier_score), (f64::NEG_INFINITY, 2.0));
    }

    #[test]
    fn bad_input_is_refused_with_its_numbers() {
        let error =
            |probs: Array2<f64>, labels: &[usize]| Calibration::of(probs.view(), ArrayView1::from(labels)).unwrap_err();
        let nan = error(array![[f64::NAN, 0.5]], &[0]);
        assert!(
            matches!(&nan, DataError::Probability { index, .. } if index == &[0, 0]),
            "{nan}"
        );
        let counts = error(array![[0.5, 0.5]], &[0, 1]);
        assert!(
            matches!(
                counts,
                DataError::Counts {
                    n_images: 1,
                    n_labels: 2,
                    ..
                }
            ),
            "{counts}"
        );
        let label = error(array![[0.5, 0.5]], &[2]);
        assert!(
            matches!(
                label,
                DataError::Label {
                    row: 0,
                    label: 2,
                    n_classes: 2,
                    ..
                }
            ),
            "{label}"
        );
        let empty = error(Array2::zeros((0, 10)), &[]);
        assert!(
            matches!(&empty, DataError::Empty { sizes, .. } if sizes == &[0, 10]),
            "{empty}"
        );
    }
}
