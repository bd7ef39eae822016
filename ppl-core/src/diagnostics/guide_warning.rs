//! What may be wrong with a guide that was fitted, in words.

use std::fmt;

use crate::diagnostics::number::significant;

/// A reason not to trust a fitted guide; printed as a sentence with the remedy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GuideWarning {
    /// There are too few steps to see whether the bound stands still.
    TooFewSteps {
        /// How many there are.
        n: usize,
    },
    /// The bound rose or fell from the last tenth but one of the steps to the last.
    BoundMoves {
        /// By how much it rose; negative if it fell.
        rise: f64,
        /// The Monte Carlo error of the rise.
        error: f64,
    },
    /// The bound was higher in an earlier part of the run.
    BoundFell {
        /// The greatest mean over a tenth of the steps.
        best: f64,
        /// The mean over the last tenth.
        last: f64,
    },
    /// Means of the bound over short stretches of the last tenth differ more than its noise explains.
    BoundSwings {
        /// The standard deviation of these means.
        spread: f64,
        /// What the noise from step to step explains of it.
        noise: f64,
    },
    /// Single steps of the last tenth lie orders of magnitude below the others.
    BoundSpikes {
        /// How many.
        n: usize,
        /// The lowest bound of a step.
        lowest: f64,
        /// The median.
        median: f64,
    },
    /// The parameters move by a sizeable part of the guide's standard deviation.
    NoisyParameters {
        /// The latent that moves most.
        site: String,
        /// How far its draws move with the parameters, in its standard deviations.
        ratio: f64,
        /// The number of sites that move by more than is allowed.
        n_sites: usize,
    },
    /// The importance weights of the guide's draws, p(x, z) / q(z), are uneven.
    UnevenWeights {
        /// Pareto k, the shape of their tail.
        k: f64,
        /// What a draw is worth, as a part of one from the posterior: (Σw)² / Σw² over the number of weights.
        worth: f64,
    },
    /// The divergence was asked for in closed form, and is sampled at some sites.
    SampledDivergence {
        /// The sites, with the distributions of guide and prior.
        sites: Vec<String>,
    },
    /// Steps were refused.
    RefusedSteps {
        /// How many.
        n: usize,
    },
}

impl fmt::Display for GuideWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuideWarning::TooFewSteps { n } => write!(
                f,
                "steps of the run: {n}, too few to see whether the ELBO has converged; make more"
            ),
            GuideWarning::BoundMoves { rise, error } if *rise > 0.0 => write!(
                f,
                "the ELBO still rises, by {} ± {} in the last tenth of the steps: the guide has not converged; make more steps",
                significant(*rise),
                significant(*error)
            ),
            GuideWarning::BoundMoves { rise, error } => write!(
                f,
                "the ELBO falls, by {} ± {} in the last tenth of the steps: the run diverges; lower the learning rate",
                significant(-rise),
                significant(*error)
            ),
            GuideWarning::BoundFell { best, last } => write!(
                f,
                "the ELBO was {} on average over an earlier tenth of the steps and is {} over the last: the run lost what it \
                 had found; lower the learning rate",
                significant(*best),
                significant(*last)
            ),
            GuideWarning::BoundSwings { spread, noise } => write!(
                f,
                "the ELBO swings by {} at the end, where its noise explains {}: lower the learning rate, or let a `Schedule` \
                 lower it",
                significant(*spread),
                significant(*noise)
            ),
            GuideWarning::BoundSpikes { n, lowest, median } => write!(
                f,
                "the ELBO of {n} of the last steps lies far below the others, at {} where the median is {}: lower the learning \
                 rate, clip gradients by `ClippedAdam`, or take more particles",
                significant(*lowest),
                significant(*median)
            ),
            GuideWarning::NoisyParameters { site, ratio, n_sites } => {
                let others = match n_sites {
                    1 => String::new(),
                    n => format!(", the most of {n} sites"),
                };
                write!(
                    f,
                    "the parameters still move the draws of `{site}` by {} of their standard deviation{others}: the guide is as \
                     noisy as its last step; let a `Schedule` lower the learning rate, or take more particles",
                    significant(*ratio)
                )
            }
            GuideWarning::UnevenWeights { k, worth } => write!(
                f,
                "the guide lacks parts of the posterior, and its standard deviations may be far too small: Pareto k is {k:.2}, \
                 and by their importance weights 100 draws are worth {}; standardise the columns of the data, write a guide \
                 with the correlations, or sample by `Mh`",
                significant(100.0 * worth)
            ),
            GuideWarning::SampledDivergence { sites } => write!(
                f,
                "`AnalyticKl` has no closed form at {}, where the divergence is sampled: there is none for these distributions, \
                 or the site is scaled or masked",
                sites.join(", ")
            ),
            GuideWarning::RefusedSteps { n } => write!(
                f,
                "steps that were refused: {n}; their ELBO was not finite, or they ended with an error: look at the data of these \
                 steps, or lower the learning rate"
            ),
        }
    }
}
