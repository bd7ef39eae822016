//! The shape of the upper tail of importance weights: whether a guide covers what it stands for.

/// The number of draws that the prior of the shape counts for, and its mean.
const PRIOR_DRAWS: f64 = 10.0;
const PRIOR_SHAPE: f64 = 0.5;

/// The fewest draws that a tail is fitted to.
const MIN_TAIL: usize = 5;

/// Returns Pareto k̂, the shape of the generalised Pareto distribution fitted to the largest weights, given their logarithms
/// log p(x, zᵢ) − log q(zᵢ) at independent draws zᵢ of a guide q.
///
/// Up to 0.5 the guide is good, beyond 0.7 it lacks parts of the posterior. The tail are the min(S/5, 3√S) largest of S
/// weights. Infinity if there are too few that differ, NaN if a logarithm is NaN or +∞, or there are none.
///
/// ```
/// use ppl_core::diagnostics::pareto_k;
///
/// // The weights of an exponential distribution with rate 2 as a guide for one with rate 1: k is 0.5.
/// let log_weights: Vec<f64> = (0..1000).map(|i| -(1.0 - (i as f64 + 0.5) / 1000.0).ln() / 2.0).collect();
/// assert!((pareto_k(&log_weights) - 0.5).abs() < 0.1);
/// ```
///
/// # References
/// Zhang and Stephens (2009), *A new and efficient estimation method for the generalized Pareto distribution*;
/// Vehtari, Simpson, Gelman, Yao and Gabry (2024), *Pareto smoothed importance sampling*.
pub fn pareto_k(log_weights: &[f64]) -> f64 {
    let n = log_weights.len();
    let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() || log_weights.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let mut sorted: Vec<f64> = log_weights.iter().map(|x| x - largest).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n_tail = (n as f64 / 5.0).min(3.0 * (n as f64).sqrt()).ceil() as usize;
    let Some(border) = (n - 1).checked_sub(n_tail) else {
        return f64::INFINITY;
    };
    let cutoff = sorted[border].max(f64::MIN_POSITIVE.ln());
    let tail = sorted.into_iter().filter(|&x| x > cutoff);
    let excesses: Vec<f64> = tail.map(|x| cutoff.exp() * (x - cutoff).exp_m1()).collect();
    if excesses.len() < MIN_TAIL {
        return f64::INFINITY;
    }
    shape(&excesses)
}

/// Returns the shape of the generalised Pareto distribution of excesses over a threshold, sorted, by Zhang and Stephens' mean
/// over a grid of b = −k/σ, drawn towards the prior of the shape.
fn shape(excesses: &[f64]) -> f64 {
    let n = excesses.len() as f64;
    let quartile = excesses[(n / 4.0 + 0.5) as usize - 1];
    let n_grid = 30 + n.sqrt() as usize;
    let at = |i: usize| {
        let distance = 1.0 - (n_grid as f64 / (i as f64 - 0.5)).sqrt();
        distance / (3.0 * quartile) + 1.0 / excesses[excesses.len() - 1]
    };
    let k_of = |b: f64| excesses.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / n;
    let grid: Vec<f64> = (1..=n_grid).map(at).collect();
    let heights: Vec<f64> = grid
        .iter()
        .map(|&b| {
            let k = k_of(b);
            n * ((-b / k).ln() - k - 1.0)
        })
        .collect();
    let weight = |own: &f64| 1.0 / heights.iter().map(|other| (other - own).exp()).sum::<f64>();
    let weighted = grid.iter().zip(heights.iter().map(weight));
    let real = weighted.filter(|(_, w)| *w >= 10.0 * f64::EPSILON);
    let (sum, total) = real.fold((0.0, 0.0), |(sum, total), (b, w)| (sum + b * w, total + w));
    (n * k_of(sum / total) + PRIOR_DRAWS * PRIOR_SHAPE) / (n + PRIOR_DRAWS)
}
