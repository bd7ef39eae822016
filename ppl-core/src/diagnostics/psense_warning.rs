//! What the sensitivity to prior and likelihood says of a model, in words.

use std::fmt;

/// Above this sensitivity a component informs the posterior (Kallioinen et al. 2024, section 3.3).
pub(super) const MAX_SENSITIVITY: f64 = 0.05;

/// Something to look at before a posterior is believed; printed as a sentence with the remedy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PsenseWarning {
    /// Prior and likelihood both move the posterior: they may disagree.
    Conflict {
        /// The scalar.
        label: String,
        /// Its sensitivity to the prior.
        prior: f64,
        /// Its sensitivity to the likelihood.
        likelihood: f64,
    },
    /// The prior moves the posterior and the likelihood hardly does.
    StrongPrior {
        /// The scalar.
        label: String,
        /// Its sensitivity to the prior.
        prior: f64,
        /// Its sensitivity to the likelihood.
        likelihood: f64,
    },
    /// The weights that scale a component have too heavy a tail.
    UnevenWeights {
        /// The component.
        component: &'static str,
        /// Pareto k̂ of the weights.
        k: f64,
        /// Up to which k̂ they are reliable.
        good_k: f64,
    },
}

impl fmt::Display for PsenseWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PsenseWarning::Conflict {
                label,
                prior,
                likelihood,
            } => write!(
                f,
                "`{label}` is sensitive to its prior ({prior:.2}) and to the likelihood ({likelihood:.2}), both above \
                 {MAX_SENSITIVITY}: they may disagree; check the prior, or take one with wider tails if it was not meant to inform"
            ),
            PsenseWarning::StrongPrior {
                label,
                prior,
                likelihood,
            } => write!(
                f,
                "`{label}` is sensitive to its prior ({prior:.2}) and hardly to the likelihood ({likelihood:.2}): the prior \
                 decides; make sure that it says what is known, or gather data that inform this latent"
            ),
            PsenseWarning::UnevenWeights { component, k, good_k } => write!(
                f,
                "Pareto k of the weights that scale the {component} is {k:.2}, above {good_k:.2}: sensitivities to it are \
                 unreliable; draw more, or fit the model with another {component}"
            ),
        }
    }
}
