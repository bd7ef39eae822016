//! Means and quantiles of some numbers.

/// Returns the arithmetic mean, NaN if there are no values.
///
/// A second pass over the distances from the first mean takes off what the sum lost far from zero.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let n = values.len() as f64;
    let first = values.clone().sum::<f64>() / n;
    if first.is_finite() {
        first + values.map(|x| x - first).sum::<f64>() / n
    } else {
        first
    }
}

/// Returns the values in ascending order, NaNs at the ends.
pub(crate) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Returns the value at position q (n − 1), linearly between its neighbours; NaN if there are no values or
/// one is NaN.
///
/// # References
/// Hyndman and Fan (1996), *Sample quantiles in statistical packages*, definition 7.
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return f64::NAN;
    };
    if first.is_nan() || last.is_nan() {
        return f64::NAN;
    }
    let position = (sorted.len() - 1) as f64 * q;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let along = position - position.floor();
    // From the nearer end, so that the result lies between the neighbours; equal ones may be infinite.
    match (low == high, along < 0.5) {
        (true, _) => low,
        (_, true) => low + (high - low) * along,
        (_, false) => high - (high - low) * (1.0 - along),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_far_from_zero_keeps_its_digits() {
        // The values are exact, their mean is 3 · 2⁻²⁰ above 10⁹, and a plain sum loses 10⁻⁵.
        let values = (0..70_000).map(|i| 1e9 + (i % 7) as f64 / 1_048_576.0);
        assert!((mean(values) - (1e9 + 3.0 / 1_048_576.0)).abs() < 1.2e-7);
        assert_eq!(mean([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(mean(std::iter::empty::<f64>()).is_nan());
    }

    #[test]
    fn infinite_draws_leave_the_other_quantiles_alone() {
        let values = [f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY];
        let got = [0.1, 0.5, 0.75, 0.8].map(|q| quantile_of_sorted(&values, q));
        assert_eq!(got, [f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY]);
        assert!(quantile_of_sorted(&sorted([1.0, f64::NAN, 2.0].into_iter()), 0.5).is_nan());
        assert!(quantile_of_sorted(&sorted([1.0, -f64::NAN, 2.0].into_iter()), 0.5).is_nan());
    }
}
