//! What may be wrong with estimates of predictive densities, in words.

use std::fmt;

use crate::diagnostics::number::significant;
use crate::diagnostics::psis::MIN_DRAWS_OF_TAIL;

/// Above this posterior variance of a log likelihood its penalty is unreliable (Vehtari, Gelman and Gabry 2017, section 2.2).
pub(super) const MAX_VARIANCE: f64 = 0.4;

/// Below this difference of elpd models predict alike, and with fewer observations its standard error is too small (Sivula,
/// Magnusson, Matamoros and Vehtari 2020, *Uncertainty in Bayesian leave-one-out cross-validation based model comparison*).
pub(super) const MIN_DIFFERENCE: f64 = 4.0;
pub(super) const MIN_OBSERVATIONS: usize = 100;

/// A reason not to trust an estimate of predictive densities, or a difference of two; printed as a sentence with the remedy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ElpdWarning {
    /// Pareto k̂ of some observations is too high.
    HighParetoK {
        /// How many.
        n: usize,
        /// The number of observations.
        n_observations: usize,
        /// The index of the worst; empty if there is a single observation.
        worst: Vec<usize>,
        /// Its Pareto k̂.
        k: f64,
        /// Up to which k̂ estimates are reliable.
        good_k: f64,
    },
    /// There are too few draws to see the tail of weights.
    FewDraws {
        /// The number of draws of all chains.
        n: usize,
    },
    /// The posterior variance of the log likelihood of some observations is too high for WAIC.
    HighVariance {
        /// How many.
        n: usize,
        /// The number of observations.
        n_observations: usize,
        /// The index of the worst; empty if there is a single observation.
        worst: Vec<usize>,
        /// Its variance.
        variance: f64,
    },
    /// A model is hardly worse than the best, by so little that the standard error of the difference means nothing.
    SmallDifference {
        /// The model.
        name: String,
        /// By how much the elpd of the best is above its own.
        elpd_diff: f64,
    },
    /// There are so few observations that standard errors of differences are too small.
    FewObservations {
        /// The number of observations.
        n: usize,
    },
    /// One of the models that are compared has a warning of its own.
    Model {
        /// The model.
        name: String,
        /// Its warning.
        warning: Box<ElpdWarning>,
    },
}

impl fmt::Display for ElpdWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst_at = |worst: &[usize]| {
            if worst.is_empty() {
                String::new()
            } else {
                format!(" at {worst:?}")
            }
        };
        match self {
            ElpdWarning::HighParetoK {
                n,
                n_observations,
                worst,
                k,
                good_k,
            } => write!(
                f,
                "Pareto k of {n} of {n_observations} observations is above {good_k:.2}, the highest {k:.2}{}: the posterior \
                 without such an observation is another than that of all, and their elpd is unreliable, mostly too high; fit the \
                 model again without each of them, or take a likelihood that expects them, such as `StudentT` in place of \
                 `Normal`",
                worst_at(worst)
            ),
            ElpdWarning::FewDraws { n } => write!(
                f,
                "there are {n} draws, too few to see the tail of the weights: elpd cannot be checked; draw \
                 {MIN_DRAWS_OF_TAIL} at least, better a thousand"
            ),
            ElpdWarning::HighVariance {
                n,
                n_observations,
                worst,
                variance,
            } => write!(
                f,
                "the log likelihood of {n} of {n_observations} observations has a posterior variance above {MAX_VARIANCE}, the \
                 highest {}{}: WAIC is unreliable there; take `loo`",
                significant(*variance),
                worst_at(worst)
            ),
            ElpdWarning::SmallDifference { name, elpd_diff } => write!(
                f,
                "the elpd of `{name}` is {} below the best, less than {MIN_DIFFERENCE}: these models predict alike, and the \
                 standard error says nothing of such a difference",
                significant(*elpd_diff)
            ),
            ElpdWarning::FewObservations { n } => write!(
                f,
                "there are {n} observations, fewer than {MIN_OBSERVATIONS}: standard errors of differences are too \
                 small; double them to be on the safe side"
            ),
            ElpdWarning::Model { name, warning } => write!(f, "model `{name}`: {warning}"),
        }
    }
}
