//! PSIS-LOO: how well a model predicts each observation from the others, without fitting it again.

use std::fmt;

use ndarray::{ArrayD, ArrayViewD};

use crate::diagnostics::elpd_error::ElpdError;
use crate::diagnostics::elpd_warning::ElpdWarning;
use crate::diagnostics::ess::ess_mean;
use crate::diagnostics::moments::sum_and_error;
use crate::diagnostics::number::significant;
use crate::diagnostics::pointwise::{Pointwise, index};
use crate::diagnostics::psis::{MIN_DRAWS_OF_TAIL, good_k, log_sum_exp, psis};
use crate::draws::Draws;

/// Estimates of leave-one-out cross-validation; printed in lines, with what may be wrong below.
#[derive(Clone, Debug, PartialEq)]
pub struct Loo {
    /// The expected log predictive density of all observations, each predicted from the others: Σᵢ elpdᵢ.
    pub elpd: f64,
    /// The standard error of `elpd`: √n times the standard deviation of the elpdᵢ, with n in its denominator.
    pub se: f64,
    /// The effective number of parameters p_loo: by how much log p(y) at the draws is above `elpd`.
    pub p: f64,
    /// The log predictive density of each observation, in their shape.
    pub elpd_i: ArrayD<f64>,
    /// What each observation adds to `p`.
    pub p_i: ArrayD<f64>,
    /// Pareto k̂ of the weights that leave out each observation.
    pub pareto_k: ArrayD<f64>,
    /// The number of draws of all chains.
    pub n_draws: usize,
}

/// Returns the leave-one-out estimates of a model from the log likelihood of each observation at each draw from the posterior,
/// `log_likelihood: [chain, draw, observation…]`.
///
/// elpdᵢ = ln Σₛ wᵢₛ p(yᵢ | θₛ), where the weights wᵢₛ ∝ 1 / p(yᵢ | θₛ), smoothed by [`psis`](super::psis) and normalised, turn
/// draws from the posterior into draws from that without yᵢ. pᵢ = ln (1/S Σₛ p(yᵢ | θₛ)) − elpdᵢ. `r_eff` is the effective
/// sample size over the number of draws, see [`relative_efficiency`].
///
/// ```
/// use ndarray::Array3;
/// use ppl_core::diagnostics::loo;
///
/// // Three observations of a normal distribution whose mean has a posterior of 1000 evenly spread draws.
/// let log_likelihood = Array3::from_shape_fn((2, 500, 3), |(chain, i, n)| {
///     let mean = ((500 * chain + i) as f64 * 0.618).fract() - 0.5;
///     -0.5 * (n as f64 - 1.0 - mean).powi(2)
/// });
/// let estimates = loo(log_likelihood.view().into_dyn(), 1.0)?;
/// assert!(estimates.p > 0.0 && estimates.warnings().is_empty());
/// println!("{estimates}");
/// # Ok::<(), ppl_core::diagnostics::ElpdError>(())
/// ```
///
/// # Errors
/// If the array lacks chains, draws or observations, or a log likelihood is infinite or NaN.
///
/// # References
/// Vehtari, Gelman and Gabry (2017), *Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC*,
/// Statistics and Computing 27(5). The numbers are those of arviz-stats and, but for the length of the tail, of ArviZ 0.23;
/// the R package loo has n − 1 in the denominator of the standard error.
pub fn loo(log_likelihood: ArrayViewD<f64>, r_eff: f64) -> Result<Loo, ElpdError> {
    let pointwise = Pointwise::log_densities("the log likelihood", log_likelihood)?;
    let estimates = pointwise.map(|_, log_likelihood| {
        let log_ratios: Vec<f64> = log_likelihood.iter().map(|x| -x).collect();
        let smoothed = psis(&log_ratios, r_eff);
        let elpd = log_sum_exp(smoothed.log_weights.iter().zip(log_likelihood).map(|(w, x)| w + x));
        (elpd, log_mean_exp(log_likelihood) - elpd, smoothed.pareto_k)
    });
    let part = |of: fn(&(f64, f64, f64)) -> f64| estimates.iter().map(of).collect::<Vec<f64>>();
    let (elpd_i, p_i) = (part(|x| x.0), part(|x| x.1));
    let (elpd, se) = sum_and_error(&elpd_i);
    Ok(Loo {
        elpd,
        se,
        p: p_i.iter().sum(),
        elpd_i: pointwise.shaped(elpd_i),
        p_i: pointwise.shaped(p_i),
        pareto_k: pointwise.shaped(part(|x| x.2)),
        n_draws: pointwise.n_draws(),
    })
}

/// Returns the effective sample size for the mean over the number of draws, on average over all scalars: the `r_eff` of
/// [`loo`].
///
/// 1 for a single chain, as in ArviZ, and where no scalar has an effective sample size.
///
/// ```
/// use ppl_core::diagnostics::relative_efficiency;
/// use ppl_core::draws::Draws;
///
/// let mut draws = Draws::new(2, 200);
/// draws.insert("x", &[], (0..400).map(|i| f64::from(i / 10 % 2)).collect())?;
/// assert!(relative_efficiency(&draws) < 0.2);
/// # Ok::<(), ppl_core::draws::DrawsError>(())
/// ```
pub fn relative_efficiency(draws: &Draws) -> f64 {
    let size = (draws.n_chains() * draws.n_draws()) as f64;
    let sizes = draws.all_components().map(|c| ess_mean(c.values));
    let (sum, n) = sizes
        .filter(|ess| ess.is_finite())
        .fold((0.0, 0.0), |(sum, n), ess| (sum + ess, n + 1.0));
    match (draws.n_chains(), n) {
        (1, _) | (_, 0.0) => 1.0,
        _ => sum / n / size,
    }
}

/// Returns ln (1/S Σₛ e^xₛ).
pub(super) fn log_mean_exp(x: &[f64]) -> f64 {
    log_sum_exp(x.iter().copied()) - (x.len() as f64).ln()
}

/// Returns whether a Pareto k̂ is above a bound, or undefined.
fn is_beyond(k: f64, bound: f64) -> bool {
    k > bound || k.is_nan()
}

impl Loo {
    /// Returns the Pareto k̂ up to which an elpdᵢ is reliable, see [`good_k`].
    pub fn good_k(&self) -> f64 {
        good_k(self.n_draws)
    }

    /// Returns the numbers of observations whose Pareto k̂ is good, bad (beyond [`Loo::good_k`]) and very bad (beyond 1, where
    /// the weights have no mean).
    pub fn pareto_k_counts(&self) -> [usize; 3] {
        let good_k = self.good_k();
        let beyond = |bound: f64| self.pareto_k.iter().filter(|&&k| is_beyond(k, bound)).count();
        let (bad, very_bad) = (beyond(good_k), beyond(1.0));
        [self.pareto_k.len() - bad, bad - very_bad, very_bad]
    }

    /// Returns what may be wrong with the estimates.
    pub fn warnings(&self) -> Vec<ElpdWarning> {
        if self.n_draws < MIN_DRAWS_OF_TAIL {
            return vec![ElpdWarning::FewDraws { n: self.n_draws }];
        }
        let bad = self
            .pareto_k
            .iter()
            .enumerate()
            .filter(|(_, k)| is_beyond(**k, self.good_k()));
        let Some((worst, &k)) = bad.clone().max_by(|a, b| a.1.total_cmp(b.1)) else {
            return Vec::new();
        };
        vec![ElpdWarning::HighParetoK {
            n: bad.count(),
            n_observations: self.pareto_k.len(),
            worst: index(self.pareto_k.shape(), worst),
            k,
            good_k: self.good_k(),
        }]
    }
}

impl fmt::Display for Loo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [good, bad, very_bad] = self.pareto_k_counts();
        write!(
            f,
            "elpd_loo {} ± {}, p_loo {}: {} observations, {} draws\nPareto k of observations: good (up to {:.2}) {good}, \
             bad {bad}, very bad (above 1) {very_bad}",
            significant(self.elpd),
            significant(self.se),
            significant(self.p),
            self.elpd_i.len(),
            self.n_draws,
            self.good_k(),
        )?;
        self.warnings()
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
