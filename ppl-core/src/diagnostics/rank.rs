//! Rank normalisation: draws replaced by the normal quantiles of their ranks.

use std::f64::consts::SQRT_2;

use ndarray::{Array2, ArrayView2};
use statrs::function::erf::erfc_inv;

use crate::draws::{quantile_of_sorted, sorted};

/// Returns Φ⁻¹((r − 3/8) / (S + 1/4)) for the rank r of each of the S draws among all; equal draws share their mean rank.
///
/// # References
/// Blom (1958), *Statistical estimates and transformed beta-variables*, for the offsets.
pub(super) fn rank_normalise(draws: ArrayView2<f64>) -> Array2<f64> {
    let mut order: Vec<(f64, usize)> = draws.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut scores = vec![0.0; order.len()];
    let (size, mut below) = (order.len() as f64, 0);
    for ties in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = below as f64 + (ties.len() as f64 + 1.0) / 2.0;
        let score = normal_quantile((rank - 0.375) / (size + 0.25));
        ties.iter().for_each(|&(_, idx)| scores[idx] = score);
        below += ties.len();
    }
    Array2::from_shape_vec(draws.dim(), scores).expect("one score for each draw")
}

/// Returns the distances of the draws from their median.
pub(super) fn fold(draws: ArrayView2<f64>) -> Array2<f64> {
    let median = quantile_of_sorted(&sorted(draws.iter().copied()), 0.5);
    draws.mapv(|x| (x - median).abs())
}

fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        -normal_quantile(1.0 - p)
    } else {
        -SQRT_2 * erfc_inv(2.0 * p)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        let scores = rank_normalise(arr2(&[[3.0, 0.0, 7.0], [-0.0, 3.0, 3.0]]).view());
        // scipy.stats.norm.ppf((r - 3/8) / 6.25) at the ranks r = 1.5, 4 and 6.
        let (low, middle, high) = (
            -0.915_365_087_842_813_4,
            0.201_893_479_141_850_88,
            1.281_551_565_544_600_4,
        );
        let expected = arr2(&[[middle, low, high], [low, middle, middle]]);
        for (got, expected) in scores.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-14, "{got}, expected {expected}");
        }
    }

    #[test]
    fn folding_takes_distances_from_the_median() {
        assert_eq!(
            fold(arr2(&[[1.0, 2.0], [5.0, 10.0]]).view()),
            arr2(&[[2.5, 1.5], [1.5, 6.5]])
        );
    }
}
