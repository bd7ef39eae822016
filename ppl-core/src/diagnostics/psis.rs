//! Pareto-smoothed importance sampling: the largest weights replaced by the quantiles of the tail that is fitted to them.

use crate::diagnostics::pareto::Pareto;
use crate::diagnostics::tail::{MIN_TAIL, fit, tail_length, upper};

/// The fewest draws whose tail has that many.
pub(super) const MIN_DRAWS_OF_TAIL: usize = 5 * MIN_TAIL;

/// Smoothed weights, and the shape of their tail.
#[derive(Clone, Debug, PartialEq)]
pub struct Psis {
    /// The logarithms of the weights, which add up to one.
    pub log_weights: Vec<f64>,
    /// Pareto k̂: the weights have a finite variance up to 0.5; beyond [`good_k`] their estimates are unreliable.
    pub pareto_k: f64,
}

/// Returns the Pareto-smoothed weights of draws, given the logarithms of their importance ratios p/q and their relative
/// efficiency `r_eff`, the effective sample size over the number of draws: 1 for independent draws.
///
/// The M largest of S weights, where M is S/5 for up to 225 effective draws and 3√(S/r_eff) beyond, both rounded down, are
/// replaced by the quantiles (j − ½)/M of the generalised Pareto distribution that is fitted to them, cut at the largest.
/// Where more than a quarter of them equal the border of the tail, the fit leaves these out. Weights whose tail cannot be
/// fitted stay as they are: k̂ is ∞ if fewer than five are left in the tail or all there are equal, and −∞ if all weights are
/// equal, which is as good as can be. All is NaN if a logarithm is NaN or +∞, if all are −∞, or there are none.
///
/// ```
/// use ppl_core::diagnostics::psis;
///
/// let log_ratios: Vec<f64> = (0..1000).map(|i| -(1.0 - (i as f64 + 0.5) / 1000.0).ln() / 2.0).collect();
/// let smoothed = psis(&log_ratios, 1.0);
/// assert!((smoothed.log_weights.iter().map(|x| x.exp()).sum::<f64>() - 1.0).abs() < 1e-12);
/// assert!((smoothed.pareto_k - 0.5).abs() < 0.1);
/// ```
///
/// # References
/// Vehtari, Simpson, Gelman, Yao and Gabry (2024), *Pareto smoothed importance sampling*, Journal of Machine Learning Research
/// 25(72). The tail has the length of arviz-stats; ArviZ up to 0.23 rounds it up and leaves out all that equals its border.
pub fn psis(log_ratios: &[f64], r_eff: f64) -> Psis {
    smooth(log_ratios, tail_length(log_ratios.len(), r_eff))
}

/// Returns Pareto k̂, the shape of the generalised Pareto distribution fitted to the largest weights, given their logarithms
/// log p(x, zᵢ) − log q(zᵢ) at independent draws zᵢ of a guide q.
///
/// Up to 0.5 the guide is good, beyond 0.7 it lacks parts of the posterior. It is that of [`psis`].
///
/// ```
/// use ppl_core::diagnostics::pareto_k;
///
/// // The weights of an exponential distribution with rate 2 as a guide for one with rate 1: k is 0.5.
/// let log_weights: Vec<f64> = (0..1000).map(|i| -(1.0 - (i as f64 + 0.5) / 1000.0).ln() / 2.0).collect();
/// assert!((pareto_k(&log_weights) - 0.5).abs() < 0.1);
/// ```
pub fn pareto_k(log_weights: &[f64]) -> f64 {
    match shifted(log_weights) {
        Some(shifted) => Tail::new(&shifted, tail_length(log_weights.len(), 1.0)).k(),
        None => f64::NAN,
    }
}

/// Returns the Pareto k̂ up to which the estimates from `n` weights are reliable: min(1 − 1 / log₁₀ n, 0.7).
///
/// ```
/// assert_eq!(ppl_core::diagnostics::good_k(100), 0.5);
/// ```
///
/// # References
/// Vehtari et al. (2024), section 3.2.4.
pub fn good_k(n: usize) -> f64 {
    match n {
        0 | 1 => 0.7,
        _ => (1.0 - 1.0 / (n as f64).log10()).min(0.7),
    }
}

/// Returns the weights with the largest `n_tail` of them smoothed.
pub(super) fn smooth(log_ratios: &[f64], n_tail: usize) -> Psis {
    let Some(mut log_weights) = shifted(log_ratios) else {
        return Psis {
            log_weights: vec![f64::NAN; log_ratios.len()],
            pareto_k: f64::NAN,
        };
    };
    let tail = Tail::new(&log_weights, n_tail);
    let pareto_k = tail.k();
    if let Some((fit, fitted)) = &tail.fit
        && fit.k.is_finite()
    {
        let n = fitted.len() as f64;
        for (j, &idx) in fitted.iter().enumerate() {
            let quantile = tail.border.exp() + fit.quantile((j as f64 + 0.5) / n);
            log_weights[idx] = quantile.ln().min(0.0);
        }
    }
    let total = log_sum_exp(log_weights.iter().copied());
    log_weights.iter_mut().for_each(|x| *x -= total);
    Psis { log_weights, pareto_k }
}

/// Returns ln Σ e^x; −∞ of none.
pub(super) fn log_sum_exp(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = x.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + x.map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// Returns the logarithms less their largest, which has to be finite.
fn shifted(log_ratios: &[f64]) -> Option<Vec<f64>> {
    let largest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_defined = largest.is_finite() && log_ratios.iter().all(|x| !x.is_nan());
    is_defined.then(|| log_ratios.iter().map(|x| x - largest).collect())
}

/// The largest weights, of which the largest is one.
struct Tail {
    /// The logarithm of the largest weight below the tail, raised to that of the smallest normal number.
    border: f64,
    /// The distribution of what exceeds the border, and the positions of the weights it is fitted to in ascending order.
    fit: Option<(Pareto, Vec<usize>)>,
    are_equal: bool,
}

impl Tail {
    fn new(shifted: &[f64], n_tail: usize) -> Self {
        let without_fit = |are_equal| Tail {
            border: 0.0,
            fit: None,
            are_equal,
        };
        let Some((border, largest)) = upper(shifted, n_tail) else {
            return without_fit(false);
        };
        if shifted.iter().all(|x| *x == 0.0) {
            return without_fit(true);
        }
        let border = border.max(f64::MIN_POSITIVE.ln());
        let excess = |&idx: &usize| (border.exp() * (shifted[idx] - border).exp_m1()).max(0.0);
        let excesses: Vec<f64> = largest.iter().map(excess).collect();
        Tail {
            border,
            fit: fit(&excesses).map(|(n_equal, pareto)| (pareto, largest[n_equal..].to_vec())),
            are_equal: false,
        }
    }

    fn k(&self) -> f64 {
        match &self.fit {
            Some((fit, _)) => fit.k,
            None if self.are_equal => f64::NEG_INFINITY,
            None => f64::INFINITY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_fitted_is_not_smoothed() {
        let two_values: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i >= 60))).collect();
        let smoothed = psis(&two_values, 1.0);
        assert_eq!(smoothed.pareto_k, f64::INFINITY);
        let total = (60.0 + 40.0 * 1.0_f64.exp()).ln();
        for (got, x) in smoothed.log_weights.iter().zip(&two_values) {
            assert!((got - (x - total)).abs() < 1e-14, "{got}");
        }
        let equal = psis(&[-7.0; 100], 1.0);
        assert_eq!(equal.pareto_k, f64::NEG_INFINITY);
        assert!(equal.log_weights.iter().all(|x| (x + 100.0_f64.ln()).abs() < 1e-14));
        let few = psis(&[0.0, 1.0], 1.0);
        assert_eq!(few.pareto_k, f64::INFINITY);
        assert!(few.log_weights.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn no_smoothed_weight_exceeds_the_largest() {
        let log_ratios: Vec<f64> = (0..1000).map(|i| 30.0 * (f64::from(i) * 0.618).fract()).collect();
        let smoothed = psis(&log_ratios, 1.0);
        let total = log_sum_exp(smoothed.log_weights.iter().copied());
        assert!(total.abs() < 1e-12, "{total}");
        let largest = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest = smoothed.log_weights.iter().copied().fold(f64::INFINITY, f64::min);
        let raw = largest(&log_ratios) - log_ratios.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(largest(&smoothed.log_weights) - lowest <= raw + 1e-12);
    }
}
