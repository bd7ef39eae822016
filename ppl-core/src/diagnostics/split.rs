//! Halves of chains, so that a drift within a chain looks like a difference between chains.

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

/// The least number of draws in a chain from which anything is estimated.
pub const MIN_DRAWS: usize = 4;

/// Returns the first halves of all chains and then the second halves, without the middle draw of an odd number.
pub(super) fn split(draws: ArrayView2<f64>) -> Array2<f64> {
    let n = draws.ncols();
    let half = n / 2;
    concatenate(Axis(0), &[draws.slice(s![.., ..half]), draws.slice(s![.., n - half..])]).expect("the halves are alike")
}

/// Returns whether the draws are too few, or one of them is NaN.
pub(super) fn says_nothing(draws: ArrayView2<f64>) -> bool {
    draws.nrows() == 0 || draws.ncols() < MIN_DRAWS || draws.iter().any(|x| x.is_nan())
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn an_odd_middle_draw_is_left_out() {
        let draws = arr2(&[[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]]);
        assert_eq!(
            split(draws.view()),
            arr2(&[[1.0, 2.0], [6.0, 7.0], [4.0, 5.0], [9.0, 10.0]])
        );
    }

    #[test]
    fn few_draws_and_nan_say_nothing() {
        let mut draws = Array2::zeros((2, 4));
        assert!(!says_nothing(draws.view()));
        assert!(says_nothing(draws.slice(s![.., ..3])));
        draws[[1, 2]] = f64::NAN;
        assert!(says_nothing(draws.view()));
    }
}
