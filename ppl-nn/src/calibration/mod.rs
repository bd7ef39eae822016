//! How far predicted class probabilities can be trusted, and when to answer “I don't know”.
//!
//! | need | use |
//! | --- | --- |
//! | accuracy, log score, Brier score, calibration error of probabilities [n, classes] | [`Calibration::of`] |
//! | intervals for the probability of each class from sampled networks [samples, n, classes] | [`ClassIntervals::of`] |
//! | a class or a refusal for each row | [`Refusal::judge`] |

mod intervals;
mod probabilities;
mod refusal;
mod scores;

pub use intervals::ClassIntervals;
pub use refusal::{Refusal, Verdict, Verdicts};
pub use scores::{Calibration, ReliabilityBin};
