//! What is refused of log densities at draws.

use thiserror::Error;

/// A reason why nothing can be said from log densities at draws, or from predictions beside them.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ElpdError {
    /// There is no chain, no draw or no observation.
    #[error("{what} needs an array [chain, draw, observation…] with at least one of each, got shape {shape:?}")]
    Empty {
        /// What was given.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A number is NaN or, where that has no meaning, infinite.
    #[error("{what}{} is {value} in chain {chain_idx} at draw {draw_idx}; {remedy}", at(.observation))]
    NotFinite {
        /// What was given.
        what: &'static str,
        /// The index of the observation; empty if there is a single one.
        observation: Vec<usize>,
        /// The chain of the first such draw.
        chain_idx: usize,
        /// The index of the first such draw within its chain.
        draw_idx: usize,
        /// The number.
        value: f64,
        /// What to look at.
        remedy: &'static str,
    },
    /// An observed value is NaN.
    #[error("the observed value{} is NaN; leave out observations that are missing", at(.observation))]
    MissingObservation {
        /// The index of the observation.
        observation: Vec<usize>,
    },
    /// Two arrays do not belong together.
    #[error("{what} has shape {got:?}, which does not fit {like} of shape {expected:?}")]
    Shape {
        /// What was given.
        what: &'static str,
        /// What it has to fit.
        like: &'static str,
        /// The shape that would fit.
        expected: Vec<usize>,
        /// The shape that was given.
        got: Vec<usize>,
    },
    /// Models that are compared were not given the same observations.
    #[error(
        "models are compared on the same observations: those of `{first}` have shape {expected:?}, those of `{other}` have {got:?}"
    )]
    Observations {
        /// The first model.
        first: String,
        /// The shape of its observations.
        expected: Vec<usize>,
        /// A model with others.
        other: String,
        /// The shape of its observations.
        got: Vec<usize>,
    },
    /// There is no model to compare.
    #[error("no models to compare; give at least one")]
    NoModels,
}

fn at(observation: &[usize]) -> String {
    match observation {
        [] => String::new(),
        _ => format!(" at {observation:?}"),
    }
}
