//! Trace: one run of a model forward, with the values and log densities of its sites.

use std::fmt;

use ndarray::{ArrayD, IxDyn};

use crate::diagnostics::columns::{columns, listed};
use crate::diagnostics::number::significant;
use crate::error::Result;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::SiteKind;
use crate::tape::store::Precision;

/// The sites of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    sites: Vec<TraceSite>,
    log_joint: f64,
}

/// A site of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSite {
    /// The unique name.
    pub address: String,
    /// What it is.
    pub kind: SiteKind,
    /// The name of its distribution, empty if it has none.
    pub distribution: &'static str,
    /// Its value: `[plates…, event…]`.
    pub value: ArrayD<f64>,
    /// Its part of the log joint density: the sum over its rows, with masks and scales.
    pub log_prob: f64,
}

/// Runs a model once, its latents drawn from their distributions, and its observations too where they are missing.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::distributions::Normal;
/// use ppl_core::runtime::handlers::trace;
/// use ppl_macros::model;
///
/// #[model(crate = ppl_core)]
/// fn mean_of(y: Obs<Array1<f64>>) {
///     let mu = sample(Normal(0, 1));
///     for i in plate(y) {
///         observe(y[i], Normal(mu, 1));
///     }
/// }
///
/// let y = array![0.5, 1.5];
/// let run = trace(&mean_of(&y), 7)?;
/// let mu = run.get("mu").unwrap().value[[]];
/// let squares = mu.powi(2) + (mu - 0.5).powi(2) + (mu - 1.5).powi(2);
/// let log_joint = -0.5 * squares - 1.5 * std::f64::consts::TAU.ln();
/// assert!((run.log_joint() - log_joint).abs() < 1e-12);
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
///
/// # Errors
///
/// If the model fails, the log density of a site is NaN, or the distribution of a latent has no draws, as `truncate(1, 1)`: the
/// error names the site. A log density of −∞ is none.
pub fn trace<M: Model>(model: &M, seed: u64) -> Result<Trace> {
    let recording = Recorder::prior(Precision::F64, Key::new(seed)).record(model)?;
    match recording.undefined() {
        Some(error) => Err(error),
        None => Ok(Trace::from(&recording)),
    }
}

impl Trace {
    /// Returns the sites in the order in which the model met them.
    pub fn sites(&self) -> &[TraceSite] {
        &self.sites
    }

    /// Returns a site by its unique name.
    pub fn get(&self, address: &str) -> Option<&TraceSite> {
        self.sites.iter().find(|s| s.address == address)
    }

    /// Returns the log density of all latents and observations together.
    pub fn log_joint(&self) -> f64 {
        self.log_joint
    }
}

/// Writes the log joint density, and a line for each site: its shape, its first values, its log density.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log joint density {}", significant(self.log_joint))?;
        let line = |site: &TraceSite| {
            let values = listed(site.value.iter().copied(), site.value.len());
            let text = match site.kind {
                SiteKind::Latent => format!("{} latent", site.distribution),
                SiteKind::Observed => format!("{} observed", site.distribution),
                SiteKind::Intervened => "set from outside".to_string(),
                SiteKind::Tracked => "tracked".to_string(),
                SiteKind::Factor => "factor".to_string(),
                SiteKind::Param => "param".to_string(),
            };
            let has_density = matches!(site.kind, SiteKind::Latent | SiteKind::Observed | SiteKind::Factor);
            let density = match has_density {
                true => format!("; log density {}", significant(site.log_prob)),
                false => String::new(),
            };
            let shape = format!("{:?}", site.value.shape());
            [site.address.clone(), shape, format!("{text} {values}{density}")]
        };
        columns(f, &self.sites.iter().map(line).collect::<Vec<_>>())
    }
}

impl From<&Recording> for Trace {
    fn from(recording: &Recording) -> Self {
        let records = recording.tape.records();
        let mut log_probs = vec![0.0; recording.sites.len()];
        records
            .terms
            .iter()
            .for_each(|t| log_probs[t.site as usize] += t.weight * t.value);
        let sites = recording.sites.iter().zip(log_probs).map(|(site, log_prob)| {
            let (values, shape) = recording.values_of(site);
            TraceSite {
                address: site.address.clone(),
                kind: site.kind,
                distribution: site.distribution,
                value: ArrayD::from_shape_vec(IxDyn(&shape), values).expect("a node has the shape of its values"),
                log_prob,
            }
        });
        Trace {
            sites: sites.collect(),
            log_joint: recording.tape.log_density(),
        }
    }
}
