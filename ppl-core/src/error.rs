//! The error of the library: what went wrong, where in the source, with which values.

use std::fmt;

use ndarray::ArrayD;

use crate::draws::{Draws, DrawsError};
use crate::tensor::shape::Shape;

/// The result of everything that can fail on data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where something was written: file and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The source file.
    pub file: &'static str,
    /// The line, from one.
    pub line: u32,
}

impl Place {
    /// Returns the place of the caller.
    #[track_caller]
    pub fn here() -> Self {
        let at = std::panic::Location::caller();
        Place {
            file: at.file(),
            line: at.line(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a model could not be recorded, evaluated or fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A site of the model is at fault.
    #[error("site {site} ({place}): {message}")]
    Site {
        /// The address of the site.
        site: String,
        /// Where the site is written.
        place: Place,
        /// What is wrong, with the values.
        message: String,
    },
    /// Shapes that do not go together in an operation.
    #[error("{op} ({place}): {message}: {}", shapes_text(.shapes))]
    Shape {
        /// The operation.
        op: &'static str,
        /// Where it is written.
        place: Place,
        /// What is wrong.
        message: String,
        /// The shapes of the operands.
        shapes: Vec<Shape>,
    },
    /// An operation that a plate does not allow.
    #[error("{place}: {message}")]
    Plate {
        /// Where it is written.
        place: Place,
        /// What is wrong, with the names of the plates and the remedies.
        message: String,
    },
    /// A bound that was not finite at some step of SVI.
    #[error("the ELBO is not finite at step {step}: {cause}; the last good parameters are kept")]
    NotFinite {
        /// The step, from zero.
        step: usize,
        /// The site or parameter to blame.
        cause: Box<Error>,
        /// The last good parameters, unconstrained, by the names of their sites.
        params: NamedArrays,
    },
    /// A run of SVI that could not go on, or whose draws could not be made.
    #[error("SVI stopped after {steps} steps: {cause}; the last good parameters are kept")]
    Stopped {
        /// How many steps were made.
        steps: usize,
        /// Why it stopped.
        cause: Box<Error>,
        /// The last good parameters, unconstrained, by the names of their sites.
        params: NamedArrays,
    },
    /// A chain of a sampler that could not go on.
    #[error("chain {chain}, {at}: {cause}; the draws made so far are kept")]
    Chain {
        /// The number of the chain, from zero; the first one, where several could not go on.
        chain: usize,
        /// Where in the chain.
        at: ChainPlace,
        /// What was at fault.
        cause: Box<Error>,
        /// What all chains had drawn when they ended.
        draws: ChainDraws,
    },
    /// A setting or a data set that an algorithm cannot work with.
    #[error("{0}")]
    Invalid(String),
    /// An error of the user's own code inside a model.
    #[error("{0}")]
    User(String),
}

/// Arrays with names, in a printed error only counted.
#[derive(Clone, PartialEq)]
pub struct NamedArrays(pub Vec<(String, ArrayD<f64>)>);

impl fmt::Debug for NamedArrays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} arrays", self.0.len())
    }
}

/// Where a chain of a sampler was; numbers begin with zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainPlace {
    /// Before its first step.
    Start,
    /// In a step of the warm-up.
    Warmup(usize),
    /// On the way to a draw, or at keeping it.
    Draw(usize),
    /// After its last draw, where the chains are put together.
    End,
}

impl fmt::Display for ChainPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainPlace::Start => write!(f, "at its start"),
            ChainPlace::Warmup(step) => write!(f, "warm-up step {step}"),
            ChainPlace::Draw(draw) => write!(f, "draw {draw}"),
            ChainPlace::End => write!(f, "at its end"),
        }
    }
}

/// The draws of each chain, `[1, draw, event…]` for each site, as many as the chain has made; in a printed error only
/// counted.
#[derive(Clone, PartialEq)]
pub struct ChainDraws(pub Vec<Draws>);

impl From<DrawsError> for Error {
    fn from(error: DrawsError) -> Self {
        Error::Invalid(error.to_string())
    }
}

impl fmt::Debug for ChainDraws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<usize> = self.0.iter().map(Draws::n_draws).collect();
        write!(f, "{counts:?} draws")
    }
}

impl Error {
    /// Returns an error of a site.
    pub fn at_site(site: impl Into<String>, place: Place, message: impl Into<String>) -> Self {
        Error::Site {
            site: site.into(),
            place,
            message: message.into(),
        }
    }
}

/// Returns a number as it stands in messages: in plain digits, or with an exponent where those would be many.
///
/// ```
/// use ppl_core::error::number;
///
/// let texts = [0.5, 3.0, -5e-324, 1e300, f64::NAN, f64::NEG_INFINITY].map(number);
/// assert_eq!(texts, ["0.5", "3", "-5e-324", "1e300", "NaN", "−∞"]);
/// ```
pub fn number(x: f64) -> String {
    match x {
        x if x.is_nan() => "NaN".to_string(),
        f64::INFINITY => "+∞".to_string(),
        f64::NEG_INFINITY => "−∞".to_string(),
        x if x == 0.0 || (1e-5..1e16).contains(&x.abs()) => x.to_string(),
        x => format!("{x:e}"),
    }
}

/// Returns shapes as they stand in messages.
pub(crate) fn shapes_text(shapes: &[Shape]) -> String {
    shapes
        .iter()
        .map(|s| format!("{:?}", s.as_slice()))
        .collect::<Vec<_>>()
        .join(" and ")
}
