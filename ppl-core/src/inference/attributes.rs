//! What results say of the run that they come from: sampler, settings, seed, time, version, model.

use std::fmt;
use std::time::Instant;

use crate::rng::name_hash;

/// How results came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    /// The name of the sampler, such as `Nuts`.
    pub sampler: String,
    /// Its settings by name, in words.
    pub settings: Vec<(String, String)>,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The seconds that the chains took, warm-up included.
    pub seconds: f64,
    /// The version of this library.
    pub version: String,
    /// The name of the model.
    pub model: String,
    /// What tells the model from others.
    pub fingerprint: Fingerprint,
}

/// What a model is, as far as its results depend on it: name, data, and sites with shapes, kinds and distributions.
///
/// It is a hash of a text, the same in each run and on each machine. Neither values of data nor places in files are part of
/// it; nor are the sites of a model that is recorded anew at each evaluation, since they may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash, FNV-1a of the text.
    pub hash: u64,
    /// A line for the name, for each array of data and for each site.
    pub text: String,
}

impl Fingerprint {
    /// Returns the fingerprint of a model that these lines describe.
    pub(crate) fn of(text: String) -> Self {
        Fingerprint {
            hash: name_hash(&text),
            text,
        }
    }
}

/// Writes the hash in sixteen digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.hash)
    }
}

/// A run of a sampler that has begun.
pub(crate) struct Begun {
    pub sampler: &'static str,
    pub settings: Vec<(String, String)>,
    pub seed: u64,
    start: Instant,
}

impl Begun {
    /// Begins a run with these settings.
    pub fn now(sampler: &'static str, settings: Vec<(&'static str, String)>, seed: u64) -> Self {
        let owned = |(name, value): (&str, String)| (name.to_string(), value);
        Begun {
            sampler,
            settings: settings.into_iter().map(owned).collect(),
            seed,
            start: Instant::now(),
        }
    }

    /// Returns what is to be said of the run, which has ended, and of its model.
    pub fn end(self, model: String, fingerprint: Fingerprint) -> Attributes {
        Attributes {
            sampler: self.sampler.to_string(),
            settings: self.settings,
            seed: self.seed,
            seconds: self.start.elapsed().as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            model,
            fingerprint,
        }
    }
}
