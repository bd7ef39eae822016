//! Prior and posterior predictive: models run forward once for each draw.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use ndarray::{ArrayViewD, Axis};
use rayon::prelude::*;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::potential::recorder;
use crate::inference::served_latents::{LatentValues, Served, ServedLatents};
use crate::inference::site_draws::SiteDraws;
use crate::inference::site_table::SiteTable;
use crate::inference::sizes::check_elements;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::sites::DrawsBySite;
use crate::runtime::source::{Forward, Source};
use crate::runtime::state::{SiteKind, SiteRecord};

/// Draws of what a model predicts: missing observations, latents that were not given, tracked values.
///
/// `A` is the [`Accessors`](Model::Accessors) of the model; the result borrows neither the model nor its data.
pub struct Predictive<A> {
    draws: Arc<SiteDraws>,
    accessors: A,
}

impl<A> Predictive<A> {
    pub(crate) fn new(tables: &[SiteTable]) -> Result<Self>
    where
        A: From<Arc<dyn DrawsBySite>>,
    {
        let draws = Arc::new(SiteDraws::new(SiteTable::merge(tables)?));
        Ok(Predictive {
            accessors: A::from(draws.clone()),
            draws,
        })
    }

    /// Returns the draws by name.
    pub fn draws(&self) -> &Draws {
        &self.draws.draws
    }

    /// Returns the draws of a site or family by name, such as those in place of a missing observation:
    /// `[chain, draw, plates…, event…]`.
    pub fn get(&self, site: &str) -> Option<ArrayViewD<'_, f64>> {
        self.draws.get(site)
    }
}

impl<A> Deref for Predictive<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.accessors
    }
}

/// Draws from the prior: latents, tracked values, and observations where they are missing.
///
/// ```
/// use ndarray::Array1;
/// use ppl_core::distributions::Normal;
/// use ppl_core::inference::predictive::Prior;
/// use ppl_core::runtime::argument::Obs;
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
/// let prior = Prior::default().draws(200).seed(1).run(&mean_of(Obs::missing_like(&[3])))?;
/// assert_eq!(prior.mu().shape(), [1, 200]);
/// assert_eq!(prior.get("y").unwrap().shape(), [1, 200, 3]);
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prior {
    /// The number of draws.
    pub draws: usize,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Default for Prior {
    fn default() -> Self {
        Prior { draws: 1000, seed: 0 }
    }
}

impl Prior {
    /// Returns these settings with another number of draws.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// Returns these settings with another seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs a model once for each draw, as one chain.
    ///
    /// # Errors
    ///
    /// If the model fails, draws from a distribution whose parameters are not allowed, or no draws are asked for.
    pub fn run<M: Model + Sync>(&self, model: &M) -> Result<Predictive<M::Accessors>> {
        if self.draws == 0 {
            return Err(Error::Invalid("draws = 0: at least 1 is needed".to_string()));
        }
        check_elements("draws", self.draws, size_of::<f64>())?;
        let key = Key::new(self.seed);
        let run = |draw_idx: usize| {
            let recorder = Recorder {
                source: Rc::new(Forward),
                ..recorder(key.split(draw_idx as u64))
            };
            let recording = recorder.record(model)?;
            recording.check_draws()?;
            Ok(row(&recording, |_| true))
        };
        Predictive::new(&[table(self.draws, run)?])
    }
}

/// Runs a model once for each draw of another's latents; `record` runs it with a recorder.
pub(crate) fn predict<M: Model + Sync>(
    model: &M,
    draws: &Draws,
    key: Key,
    record: impl Fn(&Recorder, &M) -> Result<Recording> + Sync,
) -> Result<Predictive<M::Accessors>> {
    let run = |chain_idx: usize, draw_idx: usize| {
        let source = Rc::new(ServedLatents::new(
            latents(draws, chain_idx, draw_idx),
            Served::Constants,
        ));
        let recorder = Recorder {
            source: Rc::clone(&source) as Rc<dyn Source>,
            is_prediction: true,
            ..recorder(key.split(chain_idx as u64).split(draw_idx as u64))
        };
        let recording = record(&recorder, model)?;
        recording.check_draws()?;
        source.check_shared(&recording, model.name())?;
        Ok(row(&recording, |site| source.is_drawn(site)))
    };
    let tables = (0..draws.n_chains()).map(|c| table(draws.n_draws(), |i| run(c, i)));
    Predictive::new(&tables.collect::<Result<Vec<_>>>()?)
}

/// The values of one draw: site, shape, values.
pub(crate) type Row = Vec<(String, Vec<usize>, Vec<f64>)>;

/// The number of draws whose rows lie in memory beside the table.
const BLOCK: usize = 1024;

/// Runs all draws in parallel; each has its own key, so that their order does not matter.
pub(crate) fn table(n_draws: usize, run: impl Fn(usize) -> Result<Row> + Sync) -> Result<SiteTable> {
    let mut table = SiteTable::new(n_draws);
    for first in (0..n_draws).step_by(BLOCK) {
        let block = first..n_draws.min(first.saturating_add(BLOCK));
        let rows: Vec<Result<Row>> = block.clone().into_par_iter().map(&run).collect();
        for (draw_idx, row) in block.zip(rows) {
            for (site, shape, values) in row? {
                table.set(draw_idx, &site, &shape, &values)?;
            }
        }
    }
    Ok(table)
}

/// Returns the tracked values of a run and those latents that `is_wanted`.
fn row(recording: &Recording, is_wanted: impl Fn(&str) -> bool) -> Row {
    let is_kept = |s: &&SiteRecord| s.kind == SiteKind::Tracked || is_wanted(&s.address);
    let sites = recording.kept_sites().filter(is_kept);
    let values = sites.map(|site| {
        let (values, shape) = recording.values_of(site);
        (site.address.clone(), shape, values)
    });
    values.collect()
}

/// Returns the values of one draw; sites that it lacks are left out.
fn latents(draws: &Draws, chain_idx: usize, draw_idx: usize) -> LatentValues {
    let sites = draws.names().filter_map(|name| {
        let chain = draws.get(name)?.index_axis_move(Axis(0), chain_idx);
        let value = chain.index_axis_move(Axis(0), draw_idx);
        let values: Vec<f64> = value.iter().copied().collect();
        let is_absent = !values.is_empty() && values.iter().all(|x| x.is_nan());
        (!is_absent).then(|| (name.to_string(), (value.shape().to_vec(), values)))
    });
    sites.collect()
}
