//! The log densities of a model's sites at draws, row by row: those of its observations, or of its latents.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use ndarray::{ArrayViewD, Axis};

use crate::draws::{Draws, Kind};
use crate::error::{Error, Result};
use crate::inference::predictive::{Row, latents, rows};
use crate::inference::row_words::RowWords;
use crate::inference::served_latents::{PlateWords, Served, Serving, serve};
use crate::inference::site_rows::{KeptSite, axes};
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::replayable::hindrance;
use crate::runtime::state::{Held, SiteRecord, Slot};
use crate::runtime::terms::Rows;
use crate::tape::records::depends;
use crate::tape::store::Precision;

/// A model at draws of its latents.
pub(crate) struct AtDraws<'a> {
    pub model: &'a (dyn Body + Sync),
    pub draws: &'a Draws,
    /// Whether the log densities of observed sites are wanted, in place of those of latents.
    pub of_observed: bool,
}

impl AtDraws<'_> {
    /// Returns the log densities, `[chain, draw, plates…]` for each site.
    ///
    /// # Errors
    ///
    /// If the model fails at a draw, or has none of these sites; if a log density depends on a latent that the draws lack.
    pub fn log_densities(&self) -> Result<Draws> {
        let (n_chains, n_draws) = (self.draws.n_chains(), self.draws.n_draws());
        let first = self.record(Served::Inputs, 0, 0)?;
        let second = self.record(Served::Inputs, n_chains - 1, n_draws - 1)?;
        let replayed = match hindrance(&first, &second) {
            None => Some(Replayed::new(&first, self.draws)?),
            Some(_) => None,
        };
        let chain = |chain_idx: usize| match &replayed {
            Some(replayed) => {
                let start = || (replayed.program.workspace(), replayed.initial.clone());
                let row = |(workspace, theta): &mut (_, Vec<f64>), draw_idx| {
                    Ok(replayed.row(workspace, theta, chain_idx, draw_idx))
                };
                rows(n_draws, start, row)
            }
            None => rows(
                n_draws,
                || (),
                |(), draw_idx| Ok(row(&self.record(Served::Constants, chain_idx, draw_idx)?)),
            ),
        };
        let chains = (0..n_chains).map(chain).collect::<Result<Vec<_>>>()?;
        let all = Draws::join(&chains)?;
        if all.names().next().is_none() {
            let (name, what) = (
                self.model.model_name(),
                if self.of_observed { "observes" } else { "draws" },
            );
            return Err(Error::Invalid(format!(
                "the model `{name}` {what} nothing, so that there are no log densities"
            )));
        }
        Ok(all)
    }

    /// Records the model with the latents of a draw.
    fn record(&self, served: Served, chain_idx: usize, draw_idx: usize) -> Result<Recording> {
        let serving = Serving {
            words: Arc::new(RowWords::default()),
            plates: PlateWords::new(),
            served,
        };
        let (recording, source) = serve(latents(self.draws, chain_idx, draw_idx), &serving, |source| {
            let recorder = Recorder {
                source,
                collector: Rc::new(Rows {
                    of_observed: self.of_observed,
                }),
                whole_plates: true,
                is_prediction: true,
                // All that is random is refused below.
                ..Recorder::density(Precision::F64, Key::new(0))
            };
            recorder.record(self.model)
        })?;
        source.check_shared(&recording, self.model.model_name())?;
        check_noise(&recording)?;
        Ok(recording)
    }
}

/// Refuses log densities that depend on fresh draws.
fn check_noise(recording: &Recording) -> Result<()> {
    let records = recording.tape.records();
    let is_random = |node: u32| records.nodes[node as usize].depends & depends::NOISE != 0;
    let Some((site, _)) = collected(recording).find(|&(_, node)| is_random(node)) else {
        return Ok(());
    };
    let drawn = recording.sites.iter().filter(|s| s.drawn_log_prob.is_some());
    let names: Vec<String> = drawn.map(|s| format!("`{}`", s.address)).collect();
    let what = match names.is_empty() {
        true => "a blocked site".to_string(),
        false => names.join(", "),
    };
    let message = format!("its log density depends on {what}, of which the fit has no draws");
    Err(Error::at_site(&site.address, site.place, message))
}

/// Returns the sites whose log densities were collected, with the nodes that hold them.
fn collected(recording: &Recording) -> impl Iterator<Item = (&SiteRecord, u32)> {
    recording.sites.iter().filter_map(|site| match site.log_prob {
        Some(Held::Node(node)) => Some((site, node)),
        _ => None,
    })
}

/// Returns what is known of the log densities of a site: they have its plates as axes.
fn kept(recording: &Recording, site: &SiteRecord, node: u32) -> Arc<KeptSite> {
    let shape = recording.tape.records().shape(node).to_vec();
    Arc::new(KeptSite {
        address: site.address.clone(),
        axes: axes(recording, site, &shape),
        kind: Kind::Real,
    })
}

/// Returns the log densities of a recording.
fn row(recording: &Recording) -> Row {
    let values = |(site, node)| (kept(recording, site, node), recording.tape.elements_of(node));
    collected(recording).map(values).collect()
}

/// The log densities as functions of the latents.
struct Replayed<'a> {
    program: Program<f64>,
    outputs: Vec<Arc<KeptSite>>,
    /// The draws of each latent, and its range in the vector of inputs.
    slots: Vec<(ArrayViewD<'a, f64>, Range<usize>)>,
    initial: Vec<f64>,
}

impl<'a> Replayed<'a> {
    fn new(recording: &Recording, draws: &'a Draws) -> Result<Self> {
        let nodes: Vec<u32> = collected(recording).map(|(_, node)| node).collect();
        let slot = |slot: &Slot| {
            let len: usize = slot.shape.iter().product();
            let missing = || Error::at_site(slot.name.to_string(), slot.place, "the fit has no draws of it");
            let own = draws.get(slot.name.site()).ok_or_else(missing)?;
            Ok((own, slot.offset..slot.offset + len))
        };
        Ok(Replayed {
            program: recording.outputs(&nodes),
            outputs: collected(recording)
                .map(|(site, node)| kept(recording, site, node))
                .collect(),
            slots: recording.slots.iter().map(slot).collect::<Result<_>>()?,
            initial: recording.initial.clone(),
        })
    }

    fn row(&self, workspace: &mut Workspace<f64>, theta: &mut [f64], chain_idx: usize, draw_idx: usize) -> Row {
        for (draws, range) in &self.slots {
            let chain = draws.index_axis(Axis(0), chain_idx);
            let draw = chain.index_axis(Axis(0), draw_idx);
            theta[range.clone()]
                .iter_mut()
                .zip(draw.iter())
                .for_each(|(to, &from)| *to = from);
        }
        self.program.value(workspace, theta);
        let outputs = self.outputs.iter().enumerate();
        let values = |(k, site): (usize, &Arc<KeptSite>)| {
            (Arc::clone(site), self.program.output(workspace, theta, k).0.to_vec())
        };
        outputs.map(values).collect()
    }
}
