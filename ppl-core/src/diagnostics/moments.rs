//! Mean, variance and standard deviation of a series.

use ndarray::ArrayView2;

use crate::draws::mean;

/// Returns the variance with n − 1 in the denominator, in two passes; NaN of fewer than two values.
pub(super) fn variance(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let (n, centre) = (values.len() as f64, mean(values.clone()));
    values.map(|x| (x - centre) * (x - centre)).sum::<f64>() / (n - 1.0)
}

/// Returns the mean and the standard deviation of all draws.
pub(super) fn mean_and_sd(draws: ArrayView2<f64>) -> (f64, f64) {
    (mean(draws.iter().copied()), variance(draws.iter().copied()).sqrt())
}

/// Returns the sum and its standard error √(n V), where V is the variance with n in the denominator.
pub(super) fn sum_and_error(values: &[f64]) -> (f64, f64) {
    let (n, centre) = (values.len() as f64, mean(values.iter().copied()));
    let squares: f64 = values.iter().map(|x| (x - centre) * (x - centre)).sum();
    (n * centre, squares.sqrt())
}
