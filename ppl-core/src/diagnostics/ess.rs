//! Effective sample size: how many independent draws would give estimates as good.

use ndarray::ArrayView2;

use crate::diagnostics::autocovariance::Autocovariance;
use crate::diagnostics::moments::variance;
use crate::diagnostics::rank::rank_normalise;
use crate::diagnostics::split::{says_nothing, split};
use crate::draws::{mean, quantile_of_sorted, sorted};

/// The probabilities of the two quantiles that the tail is judged by.
const TAIL: [f64; 2] = [0.05, 0.95];

/// Returns the effective sample size in the bulk: that of the rank-normalised halves of the chains `[chain, draw]`.
///
/// It exists where the draws have no variance, or an infinite one. NaN if a draw is NaN or a chain has fewer
/// than 4; the number of draws if they are all equal.
///
/// ```
/// let alternating = ndarray::Array2::from_shape_fn((2, 100), |(_, i)| f64::from(i as u8 % 2));
/// assert!(ppl_core::diagnostics::ess_bulk(alternating.view()) > 200.0);
/// ```
///
/// # References
/// Vehtari et al. (2021), section 3.2; Geyer (1992), *Practical Markov chain Monte Carlo*, section 3.3.
pub fn ess_bulk(draws: ArrayView2<f64>) -> f64 {
    if says_nothing(draws) {
        f64::NAN
    } else {
        ess(rank_normalise(split(draws).view()).view())
    }
}

/// Returns the smaller of the effective sample sizes of the 5 % and the 95 % quantile of `[chain, draw]`.
pub fn ess_tail(draws: ArrayView2<f64>) -> f64 {
    TAIL.map(|q| ess_quantile(draws, q))
        .into_iter()
        .fold(f64::NAN, f64::min)
}

/// Returns the effective sample size for the mean of `[chain, draw]`; NaN if a draw is infinite.
pub fn ess_mean(draws: ArrayView2<f64>) -> f64 {
    if says_nothing(draws) {
        f64::NAN
    } else {
        ess(split(draws).view())
    }
}

/// Returns the effective sample size for the standard deviation of `[chain, draw]`: that of the squared distances from the mean.
///
/// NaN if a draw is infinite. The formula of arviz-stats; ArviZ up to 0.23 takes the smaller of the sizes for x and x².
pub fn ess_sd(draws: ArrayView2<f64>) -> f64 {
    let centre = mean(draws.iter().copied());
    ess_mean(draws.mapv(|x| (x - centre) * (x - centre)).view())
}

/// Returns the effective sample size for the probability of an interval between two quantiles of `[chain, draw]`: that of the
/// indicator of the draws within.
///
/// ```
/// use ppl_core::diagnostics::ess_local;
///
/// let evenly_spread = ndarray::Array2::from_shape_fn((4, 250), |(chain, i)| ((chain + i) as f64 * 0.618).fract());
/// assert!(ess_local(evenly_spread.view(), [0.4, 0.6]) > 1000.0);
/// ```
///
/// # Panics
/// If the probabilities are not within [0, 1].
pub fn ess_local(draws: ArrayView2<f64>, probabilities: [f64; 2]) -> f64 {
    probabilities.into_iter().for_each(check_probability);
    if says_nothing(draws) {
        return f64::NAN;
    }
    let sorted = sorted(draws.iter().copied());
    let [low, high] = probabilities.map(|q| quantile_of_sorted(&sorted, q));
    ess_of_indicator(draws, |x| low <= x && x <= high)
}

/// Returns the effective sample size for a quantile of `[chain, draw]`: that of the indicator of the draws up to it.
///
/// # Panics
/// If `q` is not within [0, 1].
pub fn ess_quantile(draws: ArrayView2<f64>, q: f64) -> f64 {
    check_probability(q);
    if says_nothing(draws) {
        return f64::NAN;
    }
    let quantile = quantile_of_sorted(&sorted(draws.iter().copied()), q);
    ess_of_indicator(draws, |x| x <= quantile)
}

fn check_probability(q: f64) {
    assert!(
        (0.0..=1.0).contains(&q),
        "a quantile is asked for by a probability within [0, 1], got {q}"
    );
}

fn ess_of_indicator(draws: ArrayView2<f64>, holds: impl Fn(f64) -> bool) -> f64 {
    ess(split(draws.mapv(|x| f64::from(u8::from(holds(x)))).view()).view())
}

/// Returns the effective sample size of chains that are split already, by Geyer's initial monotone sequence.
fn ess(chains: ArrayView2<f64>) -> f64 {
    let size = chains.len() as f64;
    let first = chains[[0, 0]];
    if chains.iter().all(|&x| x == first) {
        return size;
    }
    // Far from zero the means of chains would lose the digits by which they differ.
    let about_first = chains.mapv(|x| x - first);
    let mut rho = autocorrelations(about_first.view());
    if rho.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let last = rho.len() - 2;
    make_monotone(&mut rho[..last]);
    // The first of the last pair improves the estimate for antithetic chains.
    let tau = -1.0 + 2.0 * rho[..last].iter().sum::<f64>() + rho[last];
    if tau.is_nan() {
        f64::NAN
    } else {
        size / tau.max(1.0 / size.log10())
    }
}

/// Returns the autocorrelations ρ₀, ρ₁, … of all chains together, up to the first pair whose sum is not positive.
///
/// ρ_t = 1 − (W − mean autocovariance at t) / V, where W is the variance within the chains and V the marginal one.
/// In a last pair with a negative sum the second is zero, and the first too if it is negative.
fn autocorrelations(chains: ArrayView2<f64>) -> Vec<f64> {
    let n = chains.ncols();
    let mut chain_covariances: Vec<_> = chains
        .rows()
        .into_iter()
        .map(|chain| Autocovariance::new(chain.iter().copied()))
        .collect();
    let mut covariance = |lag: usize| {
        let sum: f64 = chain_covariances.iter_mut().map(|chain| chain.at(lag)).sum();
        sum / chains.nrows() as f64
    };
    let chain_means: Vec<f64> = chains
        .rows()
        .into_iter()
        .map(|chain| mean(chain.iter().copied()))
        .collect();
    let biased = covariance(0);
    let within = biased * n as f64 / (n as f64 - 1.0);
    let marginal = biased + variance(chain_means.into_iter());
    let mut rho_at = |lag: usize| 1.0 - (within - covariance(lag)) / marginal;

    let mut rho = vec![1.0, rho_at(1)];
    while rho.len() + 2 < n && rho[rho.len() - 2] + rho[rho.len() - 1] > 0.0 {
        let (even, odd) = (rho_at(rho.len()), rho_at(rho.len() + 1));
        if even + odd < 0.0 {
            rho.extend([even.max(0.0), 0.0]);
            break;
        }
        rho.extend([even, odd]);
    }
    rho
}

/// Lowers each pair whose sum exceeds that of the pair before to that sum, shared equally.
fn make_monotone(rho: &mut [f64]) {
    for even in (2..rho.len()).step_by(2) {
        let before = rho[even - 2] + rho[even - 1];
        if rho[even] + rho[even + 1] > before {
            (rho[even], rho[even + 1]) = (before / 2.0, before / 2.0);
        }
    }
}
