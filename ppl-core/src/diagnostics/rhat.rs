//! R-hat: whether the chains, and the halves of each, look like draws from one distribution.

use std::collections::BTreeMap;

use ndarray::{ArrayView1, ArrayView2};

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
    larger_of_location_and_scale(draws, ratio)
}

/// Returns the rank-normalised split R-hat of `[chain, draw]` for many short chains of which groups, the superchains, begin at
/// one place: √(1 + B / W), where B is the variance of the means of superchains and W the mean variance within them, which is
/// that between the means of their chains and that within these.
///
/// `superchains` has the number of its superchain for each chain. As W holds the variance between chains of one superchain, no
/// chain has to be so long that its own mean is exact. NaN if a draw is NaN, a chain has fewer than 4 or there is but one
/// superchain.
///
/// ```
/// use ppl_core::diagnostics::rhat_nested;
///
/// let apart = ndarray::Array2::from_shape_fn((4, 50), |(chain, i)| (chain / 2) as f64 * 10.0 + (i * 7 % 5) as f64);
/// assert!(rhat_nested(apart.view(), &[0, 0, 1, 1]) > 1.5);
/// assert!(rhat_nested(apart.view(), &[0, 1, 0, 1]) < 1.01);
/// ```
///
/// # Panics
/// If there is not one number for each chain, or the superchains are not of one size.
///
/// # References
/// Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari and Gelman (2024), *Nested R-hat: assessing the convergence of Markov
/// chain Monte Carlo when running many short chains*, Bayesian Analysis, equations 4 to 8; ranks as in arviz-stats.
pub fn rhat_nested(draws: ArrayView2<f64>, superchains: &[usize]) -> f64 {
    let n = draws.nrows();
    assert!(
        superchains.len() == n,
        "each of the {n} chains has a superchain, got {} numbers",
        superchains.len()
    );
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (chain_idx, &superchain) in superchains.iter().enumerate() {
        // The second half of a chain stands n rows below the first.
        members
            .entry(superchain)
            .or_default()
            .extend([chain_idx, n + chain_idx]);
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    assert!(
        members.iter().all(|chains| chains.len() == members[0].len()),
        "superchains are of one size, got the numbers {superchains:?}"
    );
    larger_of_location_and_scale(draws, |halves| nested_ratio(halves, &members))
}

/// Returns the larger ratio of the rank-normalised halves of the chains and of their distances from the median.
fn larger_of_location_and_scale(draws: ArrayView2<f64>, ratio: impl Fn(ArrayView2<f64>) -> f64) -> f64 {
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
    let (means, variances) = means_and_variances(chains);
    let between = n * variance(means.into_iter());
    let within = mean(variances.into_iter());
    ((between / within + n - 1.0) / n).sqrt()
}

/// Returns √(1 + B / W) of superchains, given the rows of each.
fn nested_ratio(chains: ArrayView2<f64>, members: &[Vec<usize>]) -> f64 {
    let (means, variances) = means_and_variances(chains);
    let of = |values: &[f64], rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let centres = members.iter().map(|rows| mean(of(&means, rows).into_iter()));
    let spreads = members
        .iter()
        .map(|rows| variance(of(&means, rows).into_iter()) + mean(of(&variances, rows).into_iter()));
    let between = variance(centres.collect::<Vec<_>>().into_iter());
    let within = mean(spreads.collect::<Vec<_>>().into_iter());
    (1.0 + between / within).sqrt()
}

fn means_and_variances(chains: ArrayView2<f64>) -> (Vec<f64>, Vec<f64>) {
    let of = |chain: ArrayView1<f64>| (mean(chain.iter().copied()), variance(chain.iter().copied()));
    chains.rows().into_iter().map(of).unzip()
}
