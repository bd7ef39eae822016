//! Predictions of a fitted guide: one program draws the latents, another runs the model with them.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::inference::predicted_sites::PredictedSites;
use crate::inference::row_words::RowWords;
use crate::inference::served_latents::{LatentValues, PlateWords, Served, ServedLatents, Serving, check_words, serve};
use crate::inference::site_table::SiteTable;
use crate::inference::svi::guide_draws::Sampler;
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::{Held, SiteKind, SiteRecord, Slot};
use crate::tape::store::Scalar;

/// Records `model` with the latents of a draw, plates running over all rows.
fn record<F: Scalar, M: Model>(
    model: &M,
    draw: LatentValues,
    serving: &Serving,
    key: Key,
    sampler: &Sampler,
) -> Result<(Recording, Rc<ServedLatents>)> {
    serve(draw, serving, |source| {
        let recorder = Recorder {
            source,
            whole_plates: true,
            is_prediction: true,
            ..Recorder::density(F::PRECISION, key)
        };
        sampler.record(&recorder, model)
    })
}

/// A model as a function of latents that are given.
pub(crate) struct Predictor<F> {
    program: Program<F>,
    /// The sites whose values are kept: the first outputs. The others are log densities of draws, to be checked.
    outputs: Vec<String>,
    /// Where the values of sites come from.
    sites: PredictedSites,
    serving: Serving,
    /// For each slot its address and its range in the vector of inputs.
    slots: Vec<(String, Range<usize>)>,
    /// The shapes of the latents among the slots.
    shapes: HashMap<String, Vec<usize>>,
    /// The vector of inputs of the recording: latents are overwritten, parameters stay.
    initial: Vec<F>,
}

impl<F: Scalar> Predictor<F> {
    /// Records `model` with one draw; `None` if its body reads values, so that no program stands for it.
    pub(crate) fn new<M: Model>(
        model: &M,
        draw: LatentValues,
        words: &RowWords,
        key: Key,
        sampler: &Sampler,
    ) -> Result<Option<Self>> {
        let mut serving = Serving {
            words: Arc::new(words.clone()),
            plates: PlateWords::new(),
            served: Served::Inputs,
        };
        let mut fitted: Vec<String> = draw.keys().cloned().collect();
        fitted.sort_unstable();
        let (recording, source) = record::<F, M>(model, draw, &serving, key, sampler)?;
        if recording.tape.is_tainted() {
            return Ok(None);
        }
        source.check_shared(&recording, model.name())?;
        let sites = PredictedSites::of([source.sites(&recording)], false);
        check_words(words, sites.all(), fitted.iter().map(String::as_str), true)?;
        serving.plates = source.plates();
        let is_wanted = |s: &&SiteRecord| {
            (s.kind == SiteKind::Tracked || source.is_drawn(&s.address)) && matches!(s.stored, Held::Node(_))
        };
        let kept: Vec<&SiteRecord> = recording.kept_sites().filter(is_wanted).collect();
        Ok(Some(Self::compile(&recording, kept, sites, serving)?))
    }

    /// Returns where the values of sites come from.
    pub(crate) fn into_sites(self) -> PredictedSites {
        self.sites
    }

    fn compile(recording: &Recording, kept: Vec<&SiteRecord>, sites: PredictedSites, serving: Serving) -> Result<Self> {
        let range = |s: &Slot| s.offset..s.offset + s.shape.iter().product::<usize>();
        let latents = recording.slots.iter().filter(|s| !s.is_param);
        Ok(Predictor {
            program: recording.values_and_checks(&kept)?,
            shapes: latents.map(|s| (s.address.clone(), s.shape.to_vec())).collect(),
            outputs: kept.iter().map(|s| s.address.clone()).collect(),
            sites,
            serving,
            initial: recording.initial.iter().map(|&x| F::from_f64(x)).collect(),
            slots: recording.slots.iter().map(|s| (s.address.clone(), range(s))).collect(),
        })
    }

    /// Runs the model for `n` draws, which `fill` writes: given the draw's number, a site and its place in the vector.
    ///
    /// # Errors
    ///
    /// If the log density of a value at its own draw is NaN; `model` is recorded with that draw to tell which and why.
    pub(crate) fn run<M: Model>(
        &self,
        n: usize,
        (model, key, sampler): (&M, Key, &Sampler),
        fill: impl Fn(usize, &mut dyn FnMut(&str, &[F])) + Sync,
    ) -> Result<SiteTable> {
        let start = || (self.program.workspace(), self.initial.clone());
        let one = |(workspace, theta): &mut (Workspace<F>, Vec<F>), i: usize| {
            fill(i, &mut |site, values| {
                if let Some((_, range)) = self.slots.iter().find(|(address, _)| address == site) {
                    theta[range.clone()].copy_from_slice(values);
                }
            });
            workspace.key = key.split(i as u64);
            self.program.value(workspace, theta);
            let output = |k| {
                let (values, shape) = self.program.output(workspace, theta, k);
                (shape.to_vec(), values.iter().map(|x| x.to_f64()).collect::<Vec<_>>())
            };
            let mut checks = self.outputs.len()..self.program.outputs.len();
            let is_good = checks.all(|k| self.program.output(workspace, theta, k).0.iter().all(|x| !x.is_nan()));
            is_good.then(|| (0..self.outputs.len()).map(output).collect::<Vec<_>>())
        };
        let rows: Vec<_> = (0..n).into_par_iter().map_init(start, one).collect();
        let mut table = SiteTable::new(n);
        for (i, row) in rows.into_iter().enumerate() {
            let Some(row) = row else {
                let mut draw = LatentValues::new();
                fill(i, &mut |site, values| {
                    if let Some(shape) = self.shapes.get(site) {
                        let values = values.iter().map(|x| x.to_f64()).collect();
                        draw.insert(site.to_string(), (shape.clone(), values));
                    }
                });
                record::<F, M>(model, draw, &self.serving, key.split(i as u64), sampler)?
                    .0
                    .check_draws()?;
                let message = format!("the log density of a value drawn in prediction {i} is NaN");
                return Err(Error::Invalid(message));
            };
            for (site, (shape, values)) in self.outputs.iter().zip(row) {
                table.set(i, site, &shape, &values)?;
            }
        }
        Ok(table)
    }
}
