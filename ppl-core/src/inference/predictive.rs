//! Prior and posterior predictive: models run forward once for each draw.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use ndarray::{ArrayViewD, Axis};
use rayon::prelude::*;

use crate::diagnostics::columns::{columns, counted, means};
use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::potential::recorder;
use crate::inference::predicted_sites::{Origin, PredictedSite, PredictedSites};
use crate::inference::results::Group;
use crate::inference::row_words::RowWords;
use crate::inference::served_latents::{LatentValues, PlateWords, Served, Serving, check_words, serve};
use crate::inference::site_draws::SiteDraws;
use crate::inference::site_rows::{KeptSite, put};
use crate::inference::sizes::check_elements;
use crate::rng::Key;
use crate::runtime::model::{Body, Model};
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::sites::DrawsBySite;
use crate::runtime::source::Forward;
use crate::runtime::state::{SiteKind, SiteRecord};

/// The child of a run's key that predictions draw from.
pub(crate) const PREDICTION: u64 = u64::MAX - 1;

/// Draws of what a model predicts: missing observations, latents that were not given, tracked values.
///
/// `A` is the [`Accessors`](Model::Accessors) of the model; the result borrows neither the model nor its data.
pub struct Predictive<A> {
    draws: Arc<SiteDraws>,
    accessors: A,
    sites: PredictedSites,
}

/// What was predicted, before it gets the accessors of a model.
pub(crate) struct Predicted {
    /// The values, chain by chain.
    pub chains: Vec<Draws>,
    /// Where the values of sites come from.
    pub sites: PredictedSites,
}

impl Predicted {
    /// Returns the draws with accessors.
    pub fn finish<A: From<Arc<dyn DrawsBySite>>>(self) -> Result<Predictive<A>> {
        let draws = Arc::new(SiteDraws::new(Draws::join(&self.chains)?));
        Ok(Predictive {
            accessors: A::from(draws.clone()),
            draws,
            sites: self.sites,
        })
    }
}

impl<A> Predictive<A> {
    /// Returns the draws by name.
    pub fn draws(&self) -> &Draws {
        &self.draws.draws
    }

    /// Returns the draws of a site or family by name, such as those in place of a missing observation:
    /// `[chain, draw, plates…, event…]`.
    pub fn get(&self, site: &str) -> Option<ArrayViewD<'_, f64>> {
        self.draws.get(site)
    }

    /// Returns the draws in groups: those in place of missing observations, and the others.
    pub(crate) fn grouped(&self) -> Vec<(Group, Draws)> {
        if !self.sites.is_prior() {
            return vec![(Group::PosteriorPredictive, self.draws().clone())];
        }
        let [missing, others] = self.draws().split(|site| self.sites.is_missing(site));
        vec![(Group::Prior, others), (Group::PriorPredictive, missing)]
    }

    /// Returns the latents that were drawn from their distributions and not taken over from a fit, at least for some rows or
    /// in some draws; missing observations are not among them.
    pub fn drawn_anew(&self) -> impl Iterator<Item = &str> {
        self.sites.drawn_anew()
    }
}

/// Writes the number of draws, and a line for each site or family: its shape, where its values come from, and the means of
/// the first.
impl<A> fmt::Display for Predictive<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draws = self.draws();
        writeln!(f, "{}", counted(draws))?;
        let lines = self.sites.lines().into_iter().map(|(site, shape, origin)| {
            let means = self.get(&site).map(|values| format!("; {}", means(values.view())));
            [site, shape, origin + &means.unwrap_or_default()]
        });
        columns(f, &lines.collect::<Vec<_>>())
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
        self.sample(model)?.finish()
    }

    fn sample(&self, model: &(dyn Body + Sync)) -> Result<Predicted> {
        if self.draws == 0 {
            return Err(Error::Invalid("draws = 0: at least 1 is needed".to_string()));
        }
        check_elements("draws", self.draws, size_of::<f64>())?;
        let key = Key::new(self.seed);
        let run = |(): &mut (), draw_idx: usize| {
            let recorder = Recorder {
                source: Rc::new(Forward),
                integrates: false,
                ..recorder(key.split(draw_idx as u64))
            };
            let recording = recorder.record(model)?;
            recording.check_draws()?;
            let is_told = recording.tape.is_tainted() || draw_idx == 0;
            let sites = if is_told { prior_sites(&recording) } else { Vec::new() };
            Ok((row(&recording, |_| true), sites))
        };
        let (draws, sites) = told_rows(self.draws, || (), run)?;
        Ok(Predicted {
            chains: vec![draws],
            sites: PredictedSites::of(sites, true),
        })
    }
}

/// Runs a model once for each draw of another's latents, with the rows that were spoken of; `recorder` gives the recorder of
/// a chain's draw, and `record` runs a model with it.
pub(crate) fn predict(
    model: &(dyn Body + Sync),
    draws: &Draws,
    words: &RowWords,
    recorder: &(dyn Fn(usize, usize) -> Recorder + Sync),
    record: &(dyn Fn(&Recorder, &dyn Body) -> Result<Recording> + Sync),
) -> Result<Predicted> {
    let run = |serving: &Serving, chain_idx: usize, draw_idx: usize| {
        serve(latents(draws, chain_idx, draw_idx), serving, |source| {
            let recorder = Recorder {
                source,
                whole_plates: true,
                integrates: false,
                is_prediction: true,
                ..recorder(chain_idx, draw_idx)
            };
            record(&recorder, model)
        })
    };
    // What the first run finds out about plates holds for all.
    let mut serving = Serving {
        words: Arc::new(words.clone()),
        plates: PlateWords::new(),
        served: Served::Constants,
    };
    let (first, source) = run(&serving, 0, 0)?;
    let is_fixed = !first.tape.is_tainted();
    serving.plates = source.plates();
    let one_draw = |chain_idx: usize, draw_idx: usize| {
        let (recording, source) = run(&serving, chain_idx, draw_idx)?;
        recording.check_draws()?;
        source.check_shared(&recording, model.model_name())?;
        let is_told = !is_fixed || (chain_idx, draw_idx) == (0, 0);
        let sites = if is_told { source.sites(&recording) } else { Vec::new() };
        Ok((row(&recording, |site| source.is_drawn(site)), sites))
    };
    let mut told = Vec::new();
    let mut chains = Vec::new();
    for chain_idx in 0..draws.n_chains() {
        let (own, sites) = told_rows(draws.n_draws(), || (), |(), draw_idx| one_draw(chain_idx, draw_idx))?;
        chains.push(own);
        told.extend(sites);
    }
    let sites = PredictedSites::of(told, false);
    check_words(words, sites.all(), draws.names(), is_fixed)?;
    Ok(Predicted { chains, sites })
}

/// The values of one draw, site by site.
pub(crate) type Row = Vec<(Arc<KeptSite>, Vec<f64>)>;

/// The number of draws whose rows lie in memory beside the table, at the most.
const BLOCK: usize = 1024;

/// The number of values in such rows, unless each thread has one row only.
const BLOCK_VALUES: usize = 1 << 22;

/// Runs all draws in parallel; each has its own key, so that their order does not matter. What `start` makes is used for one
/// draw after the other.
pub(crate) fn rows<S>(
    n_draws: usize,
    start: impl Fn() -> S + Sync,
    run: impl Fn(&mut S, usize) -> Result<Row> + Sync,
) -> Result<Draws> {
    let run = |state: &mut S, draw_idx: usize| Ok((run(state, draw_idx)?, ()));
    Ok(told_rows(n_draws, start, run)?.0)
}

/// As [`rows`], with what each run tells beside its row.
fn told_rows<S, T: Send>(
    n_draws: usize,
    start: impl Fn() -> S + Sync,
    run: impl Fn(&mut S, usize) -> Result<(Row, T)> + Sync,
) -> Result<(Draws, Vec<T>)> {
    let mut draws = Draws::new(1, n_draws);
    let mut told = Vec::new();
    // The first draw stands alone: with its sites it is asked whether there is room for all, before the others are made.
    let (mut first, mut len) = (0, 1);
    while first < n_draws {
        let block = first..n_draws.min(first.saturating_add(len));
        first = block.end;
        let rows: Vec<Result<(Row, T)>> = block.clone().into_par_iter().map_init(&start, &run).collect();
        for (draw_idx, row) in block.zip(rows) {
            let (row, tells) = row?;
            let n_values: usize = row.iter().map(|(_, values)| values.len()).sum();
            len = (BLOCK_VALUES / n_values.max(1)).clamp(rayon::current_num_threads(), BLOCK);
            for (site, values) in row {
                put(&mut draws, draw_idx, &site, &values)?;
            }
            told.push(tells);
        }
    }
    Ok((draws, told))
}

/// Returns the sites of a run from the prior.
fn prior_sites(recording: &Recording) -> Vec<PredictedSite> {
    let sites = recording.kept_sites().map(|site| PredictedSite {
        address: site.address.clone(),
        shape: recording.values_of(site).1,
        origin: match site.kind {
            SiteKind::Tracked => Origin::Tracked,
            _ if site.is_missing => Origin::Missing,
            _ if site.drawn_log_prob.is_none() => Origin::Given,
            _ => Origin::DrawnAnew,
        },
        has_rows: !site.plates.is_empty(),
    });
    sites.collect()
}

/// Returns the tracked values of a run and those latents that `is_wanted`.
fn row(recording: &Recording, is_wanted: impl Fn(&str) -> bool) -> Row {
    let is_kept = |s: &&SiteRecord| s.kind == SiteKind::Tracked || s.is_missing || is_wanted(&s.address);
    let sites = recording.kept_sites().filter(is_kept);
    let values = sites.map(|site| {
        let values = recording.values_of(site).0;
        (Arc::new(KeptSite::of(recording, site)), values)
    });
    values.collect()
}

/// Returns the values of one draw; sites that it lacks are left out.
pub(crate) fn latents(draws: &Draws, chain_idx: usize, draw_idx: usize) -> LatentValues {
    let sites = draws.names().filter_map(|name| {
        let chain = draws.get(name)?.index_axis_move(Axis(0), chain_idx);
        let value = chain.index_axis_move(Axis(0), draw_idx);
        let values: Vec<f64> = value.iter().copied().collect();
        let is_absent = !values.is_empty() && values.iter().all(|x| x.is_nan());
        (!is_absent).then(|| (name.to_string(), (value.shape().to_vec(), values)))
    });
    sites.collect()
}
