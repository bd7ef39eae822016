//! Pareto k̂ of draws: whether the distribution that they come from has a mean and a variance.

use ndarray::ArrayView2;

use crate::diagnostics::ess::ess_tail;
use crate::diagnostics::split::says_nothing;
use crate::diagnostics::tail::{MIN_TAIL, fit, tail_length, upper};

/// Returns Pareto k̂ of `[chain, draw]`: the larger shape of the generalised Pareto distributions that are fitted to the two
/// tails.
///
/// Moments of order 1/k and more do not exist: beyond 0.5 the variance is infinite, beyond 1 the mean is, and beyond
/// [`good_k`](super::good_k) its estimate is unreliable; look at quantiles. Infinity if a draw is infinite. NaN if a draw is
/// NaN, a chain has fewer than 4, there are too few draws for two tails, or none of these has five draws that differ.
///
/// ```
/// use ppl_core::diagnostics::pareto_khat;
///
/// // Quantiles of a Cauchy distribution, which has no mean.
/// let x = |i: usize| (std::f64::consts::PI * ((i as f64 + 0.5) / 2000.0 - 0.5)).tan();
/// let draws = ndarray::Array2::from_shape_fn((2, 1000), |(chain, i)| x(2 * (i * 381 % 1000) + chain));
/// assert!((pareto_khat(draws.view()) - 1.0).abs() < 0.1);
/// ```
///
/// # References
/// Vehtari et al. (2024), *Pareto smoothed importance sampling*, section 3.4. The numbers are those of arviz-stats, where these
/// are defined.
pub fn pareto_khat(draws: ArrayView2<f64>) -> f64 {
    if says_nothing(draws) {
        return f64::NAN;
    }
    if draws.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    let n = draws.len();
    let n_tail = tail_length(n, ess_tail(draws) / n as f64).max(MIN_TAIL);
    let shape = |x: Vec<f64>| {
        let (border, largest) = upper(&x, n_tail)?;
        let excesses: Vec<f64> = largest.iter().map(|&idx| x[idx] - border).collect();
        Some(fit(&excesses)?.1.k)
    };
    let tails = [draws.iter().copied().collect(), draws.iter().map(|x| -x).collect()];
    tails.into_iter().filter_map(shape).fold(f64::NAN, f64::max)
}
