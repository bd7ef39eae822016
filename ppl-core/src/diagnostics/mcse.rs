//! Monte Carlo standard errors: how far an estimate from these draws may be from the posterior's value.

use ndarray::ArrayView2;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::diagnostics::ess::{ess_mean, ess_quantile};
use crate::diagnostics::moments::mean_and_sd;
use crate::diagnostics::split::says_nothing;
use crate::draws::{mean, sorted};

/// Φ(−1) and Φ(1), to the digits that Vehtari et al. (2021) and ArviZ give.
const ONE_SIGMA: [f64; 2] = [0.1586553, 0.8413447];

/// Returns the standard error of the mean of `[chain, draw]`, sd / √ess; NaN where [`ess_mean`] is NaN.
///
/// ```
/// let evenly_spread = ndarray::Array2::from_shape_fn((4, 250), |(chain, i)| ((chain + i) as f64 * 0.618).fract());
/// assert!(ppl_core::diagnostics::mcse_mean(evenly_spread.view()) < 0.01);
/// ```
pub fn mcse_mean(draws: ArrayView2<f64>) -> f64 {
    mean_and_sd(draws).1 / ess_mean(draws).sqrt()
}

/// Returns the standard error of the standard deviation of `[chain, draw]`; NaN where [`ess_mean`] is NaN.
///
/// With c the squared distances from the mean, √((mean c² − (mean c)²) / ess / (4 mean c)), by the delta method.
///
/// # References
/// The formula of arviz-stats; Kenney and Keeping (1951), *Mathematics of statistics*, for the variance of a variance.
pub fn mcse_sd(draws: ArrayView2<f64>) -> f64 {
    let centre = mean(draws.iter().copied());
    let squares = draws.mapv(|x| (x - centre) * (x - centre));
    let variance = mean(squares.iter().copied());
    let variance_of_squares = mean(squares.mapv(|c| c * c).iter().copied()) - variance * variance;
    (variance_of_squares / ess_mean(draws) / variance / 4.0).sqrt()
}

/// Returns the standard error of a quantile of `[chain, draw]`: half the distance of the draws that bound its 68 %.
///
/// NaN if a draw is NaN or a chain has fewer than 4.
///
/// # Panics
/// If `q` is not within [0, 1].
///
/// # References
/// Vehtari et al. (2021), section 4.2.
pub fn mcse_quantile(draws: ArrayView2<f64>, q: f64) -> f64 {
    let ess = ess_quantile(draws, q);
    if says_nothing(draws) || ess.is_nan() {
        return f64::NAN;
    }
    let position = Beta::new(ess * q + 1.0, ess * (1.0 - q) + 1.0).expect("both parameters are at least one");
    let sorted = sorted(draws.iter().copied());
    let last = (sorted.len() - 1) as f64;
    let [low, high] = ONE_SIGMA.map(|p| position.inverse_cdf(p) * sorted.len() as f64 - 1.0);
    (sorted[high.min(last).ceil() as usize] - sorted[low.max(0.0).floor() as usize]) / 2.0
}
