//! What may be wrong with the draws of a scalar, in words.

use std::fmt;

use ndarray::{ArrayView2, Axis};

use crate::diagnostics::guide_warning::GuideWarning;
use crate::diagnostics::path_warning::PathWarning;
use crate::diagnostics::split::MIN_DRAWS;
use crate::diagnostics::summary::SummaryRow;
use crate::error::Place;

/// Above this value of R-hat the chains have not mixed (Vehtari et al. 2021, section 4).
const MAX_RHAT: f64 = 1.01;

/// Below this effective sample size per chain, R-hat itself is unreliable; Vehtari et al. (2021) ask for 400 from 4 chains.
const MIN_ESS_PER_CHAIN: f64 = 100.0;

/// A reason not to trust the draws of one scalar, or not to be content with the run; printed as a sentence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The course of the model depends on a value, so that no program can be replayed.
    RecordedAnew {
        /// Where the first value is read.
        place: Place,
    },
    /// Two recordings of the model differ, although it reads no value: no program can be replayed.
    HiddenDependence {
        /// The first site that differs, and where it is written.
        site: Option<(String, Place)>,
    },
    /// Steps of SVI on batches are recorded, for a reason that is no value which the model reads.
    BatchesRecorded {
        /// The reason, with the remedy where there is one.
        reason: &'static str,
    },
    /// Draws are infinite or NaN.
    NotFinite {
        /// The scalar.
        label: String,
        /// The chain of the first such draw.
        chain_idx: usize,
        /// The index of the first such draw within its chain.
        draw_idx: usize,
        /// The first such draw.
        value: f64,
        /// How many there are.
        n: usize,
    },
    /// There are too few draws to estimate anything.
    TooFewDraws {
        /// The scalar.
        label: String,
        /// The number of draws in a chain.
        n_draws: usize,
    },
    /// All draws are equal.
    Constant {
        /// The scalar.
        label: String,
        /// The value of all draws.
        value: f64,
    },
    /// All draws of one chain are equal, those of others are not.
    StuckChain {
        /// The scalar.
        label: String,
        /// The chain.
        chain_idx: usize,
        /// The value of all its draws.
        value: f64,
    },
    /// R-hat is above 1.01.
    HighRhat {
        /// The scalar.
        label: String,
        /// Its R-hat.
        rhat: f64,
    },
    /// The effective sample size in bulk or tail is below 100 per chain.
    LowEss {
        /// The scalar.
        label: String,
        /// The smaller of the two.
        ess: f64,
        /// The number of chains.
        n_chains: usize,
    },
    /// A guide that was fitted by SVI should not be trusted.
    Guide(GuideWarning),
    /// The paths of a Hamiltonian sampler should not be trusted.
    Path(PathWarning),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Guide(warning) => warning.fmt(f),
            Warning::Path(warning) => warning.fmt(f),
            Warning::RecordedAnew { place } => {
                let why = format!(
                    "its course depends on a value that is read at {place}; where both ways can be computed, take \
                     `where_(mask, a, b)` in place of `if`"
                );
                recorded(f, "the model is recorded anew at each evaluation", &why)
            }
            Warning::HiddenDependence { site } => {
                let first = site
                    .as_ref()
                    .map(|(site, place)| format!(", first at site {site} ({place})"));
                let why = format!(
                    "two runs of it differ{}, although it reads no value; take what changes from run to run as an argument, \
                     or draw it with `sample`",
                    first.unwrap_or_default()
                );
                recorded(f, "the model is recorded anew at each evaluation", &why)
            }
            Warning::BatchesRecorded { reason } => recorded(f, "steps on batches are recorded anew", reason),
            Warning::NotFinite {
                label,
                chain_idx,
                draw_idx,
                value,
                n,
            } => write!(
                f,
                "`{label}` is {value} in chain {chain_idx} at draw {draw_idx} (infinite or NaN draws: {n}): \
                 its mean and sd are not defined; look at the model there"
            ),
            Warning::TooFewDraws { label, n_draws } => write!(
                f,
                "`{label}` has {n_draws} draws a chain: ess, mcse and r-hat need {MIN_DRAWS} and are NaN; draw more"
            ),
            Warning::Constant { label, value } => {
                write!(
                    f,
                    "`{label}` is {value} in every draw: r-hat is not defined, ess and mcse have no meaning"
                )
            }
            Warning::StuckChain {
                label,
                chain_idx,
                value,
            } => write!(
                f,
                "`{label}` is {value} in every draw of chain {chain_idx}: the chain is stuck; \
                 try other starting values or a smaller step"
            ),
            Warning::HighRhat { label, rhat } => write!(
                f,
                "r-hat of `{label}` is {rhat:.3}, above {MAX_RHAT}: the chains disagree; run longer or reparameterise"
            ),
            Warning::LowEss { label, ess, n_chains } => write!(
                f,
                "the effective sample size of `{label}` in bulk or tail is {ess:.0}, below {:.0}, which is \
                 {MIN_ESS_PER_CHAIN} a chain: its figures are unreliable; run longer",
                MIN_ESS_PER_CHAIN * *n_chains as f64
            ),
        }
    }
}

/// Writes what is recorded in place of being replayed, and why.
fn recorded(f: &mut fmt::Formatter<'_>, what: &str, why: &str) -> fmt::Result {
    write!(
        f,
        "{what}, which can be a hundred times slower than the replay of a program: {why}"
    )
}

/// Returns all warnings about a scalar, given its draws `[chain, draw]` and what was computed of them.
///
/// What makes the other figures meaningless comes alone.
pub(super) fn warnings(row: &SummaryRow, draws: ArrayView2<f64>) -> Vec<Warning> {
    let (label, n_chains, n_draws) = (|| row.label.clone(), draws.nrows(), draws.ncols());
    let mut not_finite = draws.indexed_iter().filter(|(_, x)| !x.is_finite());
    if let Some(((chain_idx, draw_idx), &value)) = not_finite.next() {
        return vec![Warning::NotFinite {
            label: label(),
            chain_idx,
            draw_idx,
            value,
            n: 1 + not_finite.count(),
        }];
    }
    if n_draws < MIN_DRAWS {
        return vec![Warning::TooFewDraws {
            label: label(),
            n_draws,
        }];
    }
    let stuck: Vec<(usize, f64)> = draws
        .axis_iter(Axis(0))
        .enumerate()
        .filter(|(_, chain)| chain.iter().all(|&x| x == chain[0]))
        .map(|(chain_idx, chain)| (chain_idx, chain[0]))
        .collect();
    if let Some(&(_, value)) = stuck.first()
        && draws.iter().all(|&x| x == value)
    {
        return vec![Warning::Constant { label: label(), value }];
    }
    let mut found: Vec<Warning> = stuck
        .into_iter()
        .map(|(chain_idx, value)| Warning::StuckChain {
            label: label(),
            chain_idx,
            value,
        })
        .collect();
    if row.rhat > MAX_RHAT {
        found.push(Warning::HighRhat {
            label: label(),
            rhat: row.rhat,
        });
    }
    let ess = row.ess_bulk.min(row.ess_tail);
    if ess < MIN_ESS_PER_CHAIN * n_chains as f64 {
        found.push(Warning::LowEss {
            label: label(),
            ess,
            n_chains,
        });
    }
    found
}
