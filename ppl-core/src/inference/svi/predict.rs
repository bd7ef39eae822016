//! Predictions of a fitted guide: one program draws the latents, another runs the model with them.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::predicted_sites::PredictedSites;
use crate::inference::predictive::{PREDICTION, Predicted, latents, predict, rows};
use crate::inference::row_words::RowWords;
use crate::inference::served_latents::{LatentValues, PlateWords, Served, ServedLatents, Serving, check_words, serve};
use crate::inference::site_rows::KeptSite;
use crate::inference::sizes::check_elements;
use crate::inference::svi::guide_draws::{GuideDraws, Origin, Sampler};
use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::{Held, SiteKind, SiteRecord, Slot};
use crate::tape::store::Scalar;

impl GuideDraws {
    /// Runs a model once for each of `n` draws, with the rows that were spoken of.
    ///
    /// # Errors
    ///
    /// Those of [`Approximation::predict`](super::Approximation::predict).
    pub(crate) fn predict(&self, model: &(dyn Body + Sync), n: usize, words: &RowWords) -> Result<Predicted> {
        if n == 0 {
            return Err(Error::Invalid("n = 0 predictions: at least 1 is needed".to_string()));
        }
        check_elements("n", n, size_of::<f64>())?;
        match &self.origin {
            Origin::F64(program) => self.predict_as(program, model, n, words),
            Origin::F32(program) => self.predict_as(program, model, n, words),
            Origin::Recorded(draws) if n > draws.n_draws() => Err(Error::Invalid(format!(
                "{n} predictions by a guide that branches on values, of which {} draws were made: set `Svi::draws` before the run",
                draws.n_draws()
            ))),
            Origin::Recorded(_) => self.predict_by_recording(model, n, words),
        }
    }

    fn predict_by_recording(&self, model: &(dyn Body + Sync), n: usize, words: &RowWords) -> Result<Predicted> {
        let sampler = &self.sampler;
        let key = sampler.key.split(PREDICTION);
        let recorder = |_, draw_idx| Recorder::density(sampler.precision, key.split(draw_idx as u64));
        let record = |recorder: &Recorder, model: &dyn Body| sampler.record(recorder, model);
        predict(model, &self.draw(n), words, &recorder, &record)
    }

    fn predict_as<F: Scalar>(
        &self,
        program: &Program<F>,
        model: &(dyn Body + Sync),
        n: usize,
        words: &RowWords,
    ) -> Result<Predicted> {
        let key = self.sampler.key.split(PREDICTION);
        let first = latents(&self.draw(1), 0, 0);
        let Some(predictor) = Predictor::<F>::new(model, first, words, key.split(0), &self.sampler)? else {
            return self.predict_by_recording(model, n, words);
        };
        let theta = self.theta::<F>();
        let start = || program.workspace();
        let draws = predictor.run(n, (model, key, &self.sampler), start, |workspace, i, put| {
            workspace.key = self.sampler.key.split(i as u64);
            program.value(workspace, &theta);
            for (k, site) in self.sites.iter().enumerate() {
                put(&site.address, program.output(workspace, &theta, k).0);
            }
        })?;
        Ok(Predicted {
            chains: vec![draws],
            sites: predictor.into_sites(),
        })
    }
}

/// Records `model` with the latents of a draw, plates running over all rows.
fn record<F: Scalar>(
    model: &dyn Body,
    draw: LatentValues,
    serving: &Serving,
    key: Key,
    sampler: &Sampler,
) -> Result<(Recording, Rc<ServedLatents>)> {
    serve(draw, serving, |source| {
        let recorder = Recorder {
            source,
            whole_plates: true,
            integrates: false,
            is_prediction: true,
            ..Recorder::density(F::PRECISION, key)
        };
        sampler.record(&recorder, model)
    })
}

/// A model as a function of latents that are given.
struct Predictor<F> {
    program: Program<F>,
    /// The sites whose values are kept: the first outputs. The others are log densities of draws, to be checked.
    outputs: Vec<Arc<KeptSite>>,
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
    fn new(
        model: &dyn Body,
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
        let (recording, source) = record::<F>(model, draw, &serving, key, sampler)?;
        if recording.tape.is_tainted() {
            return Ok(None);
        }
        source.check_shared(&recording, model.model_name())?;
        let sites = PredictedSites::of([source.sites(&recording)], false);
        check_words(words, sites.all(), fitted.iter().map(String::as_str), true)?;
        serving.plates = source.plates();
        let is_wanted = |s: &&SiteRecord| {
            (s.kind == SiteKind::Tracked || s.is_missing || source.is_drawn(&s.address))
                && matches!(s.stored, Held::Node(_))
        };
        let kept: Vec<&SiteRecord> = recording.kept_sites().filter(is_wanted).collect();
        Ok(Some(Self::compile(&recording, kept, sites, serving)?))
    }

    /// Returns where the values of sites come from.
    fn into_sites(self) -> PredictedSites {
        self.sites
    }

    fn compile(recording: &Recording, kept: Vec<&SiteRecord>, sites: PredictedSites, serving: Serving) -> Result<Self> {
        let range = |s: &Slot| s.offset..s.offset + s.shape.iter().product::<usize>();
        let latents = recording.slots.iter().filter(|s| !s.is_param);
        Ok(Predictor {
            program: recording.values_and_checks(&kept)?,
            shapes: latents.map(|s| (s.name.site().to_string(), s.shape.to_vec())).collect(),
            outputs: kept.iter().map(|s| Arc::new(KeptSite::of(recording, s))).collect(),
            sites,
            serving,
            initial: recording.initial.iter().map(|&x| F::from_f64(x)).collect(),
            slots: recording
                .slots
                .iter()
                .map(|s| (s.name.site().to_string(), range(s)))
                .collect(),
        })
    }

    /// Runs the model for `n` draws, which `fill` writes: given what `start` made, the draw's number, and what takes a site
    /// with its values.
    ///
    /// # Errors
    ///
    /// If the log density of a value at its own draw is not finite; `model` is recorded with that draw to tell which and why.
    fn run<S>(
        &self,
        n: usize,
        (model, key, sampler): (&(dyn Body + Sync), Key, &Sampler),
        start: impl Fn() -> S + Sync,
        fill: impl Fn(&mut S, usize, &mut dyn FnMut(&str, &[F])) + Sync,
    ) -> Result<Draws> {
        let start = || (self.program.workspace(), self.initial.clone(), start());
        let one = |(workspace, theta, state): &mut (Workspace<F>, Vec<F>, S), i: usize| {
            fill(state, i, &mut |site, values| {
                if let Some((_, range)) = self.slots.iter().find(|(address, _)| address == site) {
                    theta[range.clone()].copy_from_slice(values);
                }
            });
            workspace.key = key.split(i as u64);
            self.program.value(workspace, theta);
            let output = |k: usize| self.program.output(workspace, theta, k);
            let mut checks = self.outputs.len()..self.program.outputs.len();
            if !checks.all(|k| output(k).0.iter().all(|&x| x < F::INFINITY)) {
                let mut draw = LatentValues::new();
                fill(state, i, &mut |site, values| {
                    if let Some(shape) = self.shapes.get(site) {
                        let values = values.iter().map(|x| x.to_f64()).collect();
                        draw.insert(site.to_string(), (shape.clone(), values));
                    }
                });
                let (recording, _) = record::<F>(model, draw, &self.serving, key.split(i as u64), sampler)?;
                recording.check_draws()?;
                let message = format!("the log density of a value drawn in prediction {i} is not finite");
                return Err(Error::Invalid(message));
            }
            let row = self.outputs.iter().enumerate().map(|(k, site)| {
                let values = output(k).0.iter().map(|x| x.to_f64()).collect();
                (Arc::clone(site), values)
            });
            Ok(row.collect())
        };
        rows(n, start, one)
    }
}
