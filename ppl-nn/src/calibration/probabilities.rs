//! The conditions on arrays of class probabilities: numbers between 0 and 1 that sum to one over the classes.

use ndarray::{ArrayView, Axis, Dimension};

use crate::error::DataError;

/// The largest distance from one of a sum over classes: a few thousand roundings of `f32`.
const SUM_TOLERANCE: f64 = 1e-4;

/// Checks probabilities whose last axis is the class: [.., classes].
pub(super) fn check_probabilities<T: Copy + Into<f64>, D: Dimension>(
    probs: ArrayView<'_, T, D>,
) -> Result<(), DataError> {
    if probs.is_empty() {
        return Err(DataError::Empty {
            place: "probabilities".to_owned(),
            sizes: probs.shape().to_vec(),
        });
    }
    let probs = probs.into_dyn();
    let n_classes = probs.shape()[probs.ndim() - 1];
    let index = |row: usize| unravel(row, &probs.shape()[..probs.ndim() - 1]);
    for (row, values) in probs.lanes(Axis(probs.ndim() - 1)).into_iter().enumerate() {
        let mut sum = 0.0;
        for class in 0..n_classes {
            let value = values[class].into();
            if !(0.0..=1.0 + SUM_TOLERANCE).contains(&value) {
                return Err(DataError::Probability {
                    index: [index(row), vec![class]].concat(),
                    value,
                });
            }
            sum += value;
        }
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(DataError::ProbabilitySum { index: index(row), sum });
        }
    }
    Ok(())
}

/// Returns the index in an array of this shape of the element with this number in row-major order.
fn unravel(mut number: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (position, size) in index.iter_mut().zip(shape).rev() {
        *position = number % size;
        number /= size;
    }
    index
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    fn error(probs: &Array3<f64>) -> String {
        check_probabilities(probs.view()).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_probability_is_named_by_its_index_and_value() {
        let mut probs = Array3::from_elem((2, 3, 4), 0.25);
        assert!(check_probabilities(probs.view()).is_ok());
        probs[[1, 2, 3]] = f64::NAN;
        assert_eq!(
            error(&probs),
            "the probability at [1, 2, 3] is NaN, expected a number between 0 and 1"
        );
        probs[[1, 0, 1]] = -0.25;
        assert_eq!(
            error(&probs),
            "the probability at [1, 0, 1] is -0.25, expected a number between 0 and 1"
        );
        probs[[0, 2, 0]] = f64::INFINITY;
        assert_eq!(
            error(&probs),
            "the probability at [0, 2, 0] is inf, expected a number between 0 and 1"
        );
    }

    #[test]
    fn a_bad_sum_is_named_by_its_index_and_value() {
        let mut probs = Array3::from_elem((2, 3, 4), 0.25);
        probs[[1, 2, 0]] = 0.75;
        assert_eq!(error(&probs), "the probabilities at [1, 2] sum to 1.5, expected 1");
    }

    #[test]
    fn sums_of_single_precision_pass() {
        let third = 1.0f32 / 3.0;
        assert!(check_probabilities(array![[third, third, third]].view()).is_ok());
    }

    #[test]
    fn no_probabilities_are_an_empty_data_set() {
        let message = error(&Array3::zeros((0, 3, 4)));
        assert_eq!(message, "probabilities: the data set is empty, its sizes are [0, 3, 4]");
    }
}
