//! R-hat: whether the chains, and the halves of each, look like draws from one distribution.

use ndarray::ArrayView2;

use crate::diagnostics::moments::variance;
use crate::diagnostics::rank::{fold, rank_normalise};
use crate::diagnostics::split::{says_nothing, split};
use crate::draws::mean;

/// Returns the rank-normalised split R-hat of `[chain, draw]`, the larger for location and for scale.
///
/// Near 1 where the chains have mixed; above 1.01 they have not. A single chain is judged by its two halves.
/// NaN if a draw is NaN, a chain has fewer than 4, or all draws are equal.
///
/// ```
/// let apart = ndarray::Array2::from_shape_fn((2, 50), |(chain, i)| chain as f64 * 10.0 + (i * 7 % 5) as f64);
/// assert!(ppl_core::diagnostics::rhat(apart.view()) > 1.5);
/// ```
///
/// # References
/// Vehtari et al. (2021), section 3.1.
pub fn rhat(draws: ArrayView2<f64>) -> f64 {
    if says_nothing(draws) {
        return f64::NAN;
    }
    let halves = split(draws);
    let bulk = ratio(rank_normalise(halves.view()).view());
    let folded = fold(halves.view());
    // Two values at equal distance from the median have no scale to compare.
    let scale = if folded.iter().any(|x| x.is_nan()) {
        f64::NAN
    } else {
        ratio(rank_normalise(folded.view()).view())
    };
    bulk.max(scale)
}

/// Returns √((B / W + n − 1) / n), where B / n is the variance of the chain means and W the mean of the variances.
fn ratio(chains: ArrayView2<f64>) -> f64 {
    let n = chains.ncols() as f64;
    let means: Vec<f64> = chains
        .rows()
        .into_iter()
        .map(|chain| mean(chain.iter().copied()))
        .collect();
    let variances: Vec<f64> = chains
        .rows()
        .into_iter()
        .map(|chain| variance(chain.iter().copied()))
        .collect();
    let between = n * variance(means.into_iter());
    let within = mean(variances.into_iter());
    ((between / within + n - 1.0) / n).sqrt()
}
