//! Posterior intervals for the probability of each class, from networks sampled from the posterior.

use ndarray::{Array2, ArrayView3, Axis};
use ppl_core::draws::quantile_of_sorted;
use rayon::prelude::*;

use crate::calibration::probabilities::check_probabilities;
use crate::calibration::scores::largest;
use crate::error::DataError;

/// The posterior median of each class probability and an interval that holds a given mass of the posterior.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use ppl_nn::calibration::ClassIntervals;
///
/// // Three sampled networks, one row, two classes.
/// let probs = array![[[0.2, 0.8]], [[0.4, 0.6]], [[0.9, 0.1]]];
/// let intervals = ClassIntervals::of(probs.view(), 0.5)?;
/// assert_eq!(intervals.median, array![[0.4, 0.6]]);
/// assert!((intervals.lower[[0, 0]] - 0.3).abs() < 1e-15);
/// # Ok::<(), ppl_nn::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClassIntervals {
    /// The quantile (1 − mass) / 2 over the samples: [n, classes].
    pub lower: Array2<f64>,
    /// The median over the samples: [n, classes].
    pub median: Array2<f64>,
    /// The quantile (1 + mass) / 2 over the samples: [n, classes].
    pub upper: Array2<f64>,
    /// The share of the samples between `lower` and `upper`.
    pub mass: f64,
}

impl ClassIntervals {
    /// Returns medians and central intervals of this `mass` from the probabilities `samples`: [samples, n, classes].
    ///
    /// # Errors
    /// Returns an error if there are no values, if a value is not between 0 and 1, or if the probabilities of a sample and
    /// row do not sum to one within 1e-4.
    ///
    /// # Panics
    /// Panics if `mass` is not between 0 and 1.
    pub fn of<T>(samples: ArrayView3<'_, T>, mass: f64) -> Result<Self, DataError>
    where
        T: Copy + Into<f64> + Sync,
    {
        assert!(
            (0.0..=1.0).contains(&mass),
            "an interval cannot hold the mass {mass}: choose one between 0 and 1"
        );
        check_probabilities(samples)?;
        let (n_samples, n, n_classes) = samples.dim();
        let probabilities = [0.5 * (1.0 - mass), 0.5, 0.5 * (1.0 + mass)];
        let row_quantiles = |row: usize| {
            let row = samples.index_axis(Axis(1), row);
            let mut sorted = vec![0.0; n_samples];
            let quantiles = (0..n_classes).map(|class| {
                for (value, &sample) in sorted.iter_mut().zip(row.column(class)) {
                    *value = sample.into();
                }
                sorted.sort_unstable_by(f64::total_cmp);
                probabilities.map(|p| quantile_of_sorted(&sorted, p))
            });
            quantiles.collect::<Vec<_>>()
        };
        let quantiles: Vec<[f64; 3]> = (0..n).into_par_iter().flat_map_iter(row_quantiles).collect();
        let part =
            |k: usize| Array2::from_shape_fn((n, n_classes), |(row, class)| quantiles[row * n_classes + class][k]);
        Ok(ClassIntervals {
            lower: part(0),
            median: part(1),
            upper: part(2),
            mass,
        })
    }

    /// Returns all rows in ascending order of their largest median: the least certain row comes first.
    pub fn rows_by_certainty(&self) -> Vec<usize> {
        let certainty: Vec<f64> = self.median.rows().into_iter().map(|row| largest(row).1).collect();
        let mut rows: Vec<usize> = (0..certainty.len()).collect();
        rows.sort_by(|&i, &j| certainty[i].total_cmp(&certainty[j]));
        rows
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    #[test]
    fn each_row_and_class_has_its_own_quantiles() {
        // The samples of row 0, class 0 are 0, 1/4, 2/4, 3/4, 1 in disorder; row 1 has the classes exchanged.
        let values = [0.5, 0.0, 1.0, 0.25, 0.75f32];
        let samples = Array3::from_shape_fn(
            (5, 2, 2),
            |(s, row, class)| if row == class { values[s] } else { 1.0 - values[s] },
        );
        let intervals = ClassIntervals::of(samples.view(), 0.75).unwrap();
        assert_eq!(intervals.lower, array![[0.125, 0.125], [0.125, 0.125]]);
        assert_eq!(intervals.median, array![[0.5, 0.5], [0.5, 0.5]]);
        assert_eq!(intervals.upper, array![[0.875, 0.875], [0.875, 0.875]]);
        let samples = array![[[0.1, 0.9], [0.6, 0.4]], [[0.3, 0.7], [0.8, 0.2]]];
        let intervals = ClassIntervals::of(samples.view(), 1.0).unwrap();
        assert_eq!(intervals.lower, array![[0.1, 0.7], [0.6, 0.2]]);
        assert_eq!(intervals.upper, array![[0.3, 0.9], [0.8, 0.4]]);
    }

    #[test]
    fn rows_are_ordered_by_their_largest_median() {
        let samples = array![[[0.1, 0.9], [0.4, 0.6], [1.0, 0.0], [0.6, 0.4]]];
        assert_eq!(
            ClassIntervals::of(samples.view(), 0.9).unwrap().rows_by_certainty(),
            [1, 3, 0, 2]
        );
    }

    #[test]
    fn a_nan_is_named_by_sample_row_and_class() {
        let mut samples = Array3::from_elem((3, 2, 2), 0.5);
        samples[[2, 1, 0]] = f64::NAN;
        let error = ClassIntervals::of(samples.view(), 0.9).unwrap_err();
        assert!(
            matches!(&error, DataError::Probability { index, .. } if index == &[2, 1, 0]),
            "{error}"
        );
    }

    #[test]
    #[should_panic(expected = "choose one between 0 and 1")]
    fn a_mass_above_one_is_misuse() {
        let _ = ClassIntervals::of(array![[[1.0]]].view(), 90.0);
    }
}
