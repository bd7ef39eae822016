//! WAIC: the predictive density of observations less a penalty for parameters, where leaving out one changes little.

use std::fmt;

use ndarray::{ArrayD, ArrayViewD};

use crate::diagnostics::elpd_error::ElpdError;
use crate::diagnostics::elpd_warning::{ElpdWarning, MAX_VARIANCE};
use crate::diagnostics::loo::log_mean_exp;
use crate::diagnostics::moments::{sum_and_error, variance};
use crate::diagnostics::number::significant;
use crate::diagnostics::pointwise::{Pointwise, index};

/// The widely applicable information criterion on the scale of log densities; printed in a line, with what may be wrong below.
#[derive(Clone, Debug, PartialEq)]
pub struct Waic {
    /// The expected log predictive density of all observations: Σᵢ elpdᵢ; −2 of it is the WAIC on the scale of deviances.
    pub elpd: f64,
    /// The standard error of `elpd`: √n times the standard deviation of the elpdᵢ, with n in its denominator.
    pub se: f64,
    /// The effective number of parameters p_waic.
    pub p: f64,
    /// The log predictive density of each observation, in their shape.
    pub elpd_i: ArrayD<f64>,
    /// The posterior variance of the log likelihood of each observation.
    pub p_i: ArrayD<f64>,
}

/// Returns the WAIC of a model from the log likelihood of each observation at each draw from the posterior,
/// `log_likelihood: [chain, draw, observation…]`.
///
/// elpdᵢ = ln (1/S Σₛ p(yᵢ | θₛ)) − pᵢ, where pᵢ is the variance of ln p(yᵢ | θₛ) over the draws, with S − 1 in its
/// denominator. [`loo`](super::loo) needs the same array, is as fast, and tells where it fails: prefer it.
///
/// ```
/// use ndarray::array;
/// use ppl_core::diagnostics::waic;
///
/// let one_observation = array![[-1.0, -2.0, -1.5]];
/// assert!((waic(one_observation.view().into_dyn())?.p - 0.25).abs() < 1e-15);
/// # Ok::<(), ppl_core::diagnostics::ElpdError>(())
/// ```
///
/// # Errors
/// If the array lacks chains, draws or observations, or a log likelihood is infinite or NaN.
///
/// # References
/// Vehtari, Gelman and Gabry (2017), equation 13, and the R package loo. ArviZ up to 0.23 divides the variance by S, later
/// versions have no WAIC.
pub fn waic(log_likelihood: ArrayViewD<f64>) -> Result<Waic, ElpdError> {
    let pointwise = Pointwise::log_densities("the log likelihood", log_likelihood)?;
    let estimates = pointwise.map(|_, x| (log_mean_exp(x), variance(x.iter().copied())));
    let (densities, p_i): (Vec<f64>, Vec<f64>) = estimates.into_iter().unzip();
    let elpd_i: Vec<f64> = densities.iter().zip(&p_i).map(|(x, p)| x - p).collect();
    let (elpd, se) = sum_and_error(&elpd_i);
    Ok(Waic {
        elpd,
        se,
        p: p_i.iter().sum(),
        elpd_i: pointwise.shaped(elpd_i),
        p_i: pointwise.shaped(p_i),
    })
}

impl Waic {
    /// Returns what may be wrong with the estimates.
    pub fn warnings(&self) -> Vec<ElpdWarning> {
        let high = self.p_i.iter().enumerate().filter(|(_, p)| **p > MAX_VARIANCE);
        let Some((worst, &variance)) = high.clone().max_by(|a, b| a.1.total_cmp(b.1)) else {
            return Vec::new();
        };
        vec![ElpdWarning::HighVariance {
            n: high.count(),
            n_observations: self.p_i.len(),
            worst: index(self.p_i.shape(), worst),
            variance,
        }]
    }
}

impl fmt::Display for Waic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [self.elpd, self.se, self.p].map(significant);
        let n = self.elpd_i.len();
        write!(
            f,
            "elpd_waic {} ± {}, p_waic {}: {n} observations",
            figures[0], figures[1], figures[2]
        )?;
        self.warnings()
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
