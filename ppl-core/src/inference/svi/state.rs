//! The loop of SVI: one step after the other, with what is needed to go back to the last good one.

use std::collections::HashSet;
use std::rc::Rc;

use rayon::prelude::*;

use crate::error::{Error, NamedArrays, Result};
use crate::inference::svi::approximation::{Approximation, Sampler};
use crate::inference::svi::config::{ElboEstimator, Svi};
use crate::inference::svi::guides::Approximates;
use crate::inference::svi::objective::{analytic_sites, record_elbo, record_guide};
use crate::inference::svi::snapshot::Snapshot;
use crate::optim::{Optimizer, State};
use crate::program::compile::Program;
use crate::program::passes::Passes;
use crate::program::structure::structure_key;
use crate::program::workspace::Workspace;
use crate::rng::{Key, name_hash};
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::{Slot, Subsample};
use crate::tape::gradient::gradient;
use crate::tape::store::{Precision, Scalar};

/// The streams of random numbers of a run.
mod stream {
    /// Of starting values.
    pub const START: u64 = 0;
    /// Of steps.
    pub const STEP: u64 = 1;
    /// Of the order of rows in subsampled plates.
    pub const ROWS: u64 = 2;
    /// Of draws after the run.
    pub const DRAWS: u64 = 3;
}

/// SVI between two steps.
pub struct SviState<'m, M, G, O> {
    svi: &'m Svi<G, O>,
    model: &'m M,
    key: Key,
    analytic: Rc<HashSet<String>>,
    slots: Vec<Slot>,
    engine: Engine,
    losses: Vec<f64>,
}

/// The engine in one of two precisions.
enum Engine {
    F64(Typed<f64>),
    F32(Typed<f32>),
}

/// What depends on the precision.
struct Typed<F> {
    params: Vec<F>,
    moments: State<F>,
    snapshot: Snapshot<F>,
    subsamples: Vec<Rows>,
    replay: Option<Replay<F>>,
}

/// A program with a workspace and a gradient for each particle.
struct Replay<F> {
    program: Program<F>,
    particles: Vec<(Workspace<F>, Vec<F>, f64)>,
}

/// The order in which a subsampled plate visits its rows: a new shuffle each epoch.
struct Rows {
    plate: Subsample,
    epoch: Option<u64>,
    order: Vec<usize>,
}

impl Rows {
    /// Returns the rows of a step.
    fn at(&mut self, key: Key, step: u64) -> &[usize] {
        let per_epoch = (self.plate.full / self.plate.batch) as u64;
        let epoch = step / per_epoch;
        if self.epoch != Some(epoch) {
            let key = key.split(name_hash(&self.plate.address)).split(epoch);
            self.order = crate::runtime::plates::random_subset(key, self.plate.full, self.plate.full);
            self.epoch = Some(epoch);
        }
        let at = (step % per_epoch) as usize * self.plate.batch;
        &self.order[at..at + self.plate.batch]
    }
}

impl<'m, M, G, O> SviState<'m, M, G, O>
where
    M: Model + Sync,
    G: Approximates<M>,
    O: Optimizer<f32> + Optimizer<f64>,
{
    pub(crate) fn new(svi: &'m Svi<G, O>, model: &'m M) -> Result<Self> {
        if svi.particles == 0 {
            return Err(Error::Invalid("SVI needs at least one particle".to_string()));
        }
        let key = Key::new(svi.seed);
        let recorder = Recorder::density(svi.precision, key.split(stream::START));
        let mut analytic = Rc::default();
        let mut recording = record_elbo(&recorder, model, &svi.guide, &analytic)?;
        if svi.estimator == ElboEstimator::AnalyticKl {
            analytic = Rc::new(analytic_sites(&recording));
            recording = record_elbo(&recorder, model, &svi.guide, &analytic)?;
        }
        if let Some(fault) = recording.fault() {
            return Err(fault);
        }
        let is_replayed = !recording.tape.is_tainted() && {
            let again = Recorder {
                key: key.split(stream::STEP),
                ..recorder.with_recording(&recording)
            };
            let again = record_elbo(&again, model, &svi.guide, &analytic)?;
            !again.tape.is_tainted() && structure_key(&again.tape.records()) == structure_key(&recording.tape.records())
        };
        let engine = match svi.precision {
            Precision::F64 => Engine::F64(Typed::new(svi, &recording, is_replayed)),
            Precision::F32 => Engine::F32(Typed::new(svi, &recording, is_replayed)),
        };
        Ok(SviState {
            svi,
            model,
            key,
            analytic,
            slots: recording.slots,
            engine,
            losses: Vec::new(),
        })
    }

    /// Makes one step and returns the estimate of the ELBO that it was made by.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the estimate is not finite; the state then holds the last good parameters.
    pub fn step(&mut self) -> Result<f64> {
        let step = self.losses.len();
        let loss = self.advance(step)?;
        if loss.is_finite() {
            self.losses.push(loss);
            return Ok(-loss);
        }
        Err(self.not_finite(step)?)
    }

    /// Returns −ELBO of each step so far.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// Returns whether steps replay a program; otherwise guide and model are recorded anew at each step.
    pub fn is_replayed(&self) -> bool {
        match &self.engine {
            Engine::F64(t) => t.replay.is_some(),
            Engine::F32(t) => t.replay.is_some(),
        }
    }

    /// Returns the parameters, unconstrained, with the names of their sites.
    pub fn params(&self) -> Vec<(String, ndarray::ArrayD<f64>)> {
        let values = self.values();
        let of = |s: &Slot| {
            let n: usize = s.shape.iter().product();
            let part = values[s.offset..s.offset + n].to_vec();
            let array = ndarray::ArrayD::from_shape_vec(s.shape.as_slice(), part).expect("a slot has its shape's size");
            (s.address.clone(), array)
        };
        self.slots.iter().map(of).collect()
    }

    /// Returns the program of the steps, for its profile, if steps replay one in single precision.
    pub fn program_f32(&self) -> Option<(&Program<f32>, &[f32])> {
        match &self.engine {
            Engine::F32(t) => t.replay.as_ref().map(|r| (&r.program, t.params.as_slice())),
            Engine::F64(_) => None,
        }
    }

    /// Ends the run.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the last step left a parameter that is not finite; otherwise if draws from the guide cannot
    /// be recorded.
    pub fn finish(mut self) -> Result<Approximation<M>> {
        if self.values().iter().any(|x| !x.is_finite()) {
            return Err(self.not_finite(self.losses.len())?);
        }
        let sampler = Sampler {
            values: self.values(),
            precision: self.svi.precision,
            key: self.key.split(stream::DRAWS),
        };
        let recorder = Recorder::density(self.svi.precision, sampler.key);
        let recorder = recorder.with_values(&self.slots, sampler.values.clone());
        let recording = if self.svi.guide.has_sites() {
            record_guide::<M, G>(&recorder, &self.svi.guide)?
        } else {
            record_elbo(&recorder, self.model, &self.svi.guide, &Rc::default())?
        };
        let params = self.params();
        Approximation::new(sampler, recording, self.losses, params)
    }

    fn values(&self) -> Vec<f64> {
        match &self.engine {
            Engine::F64(t) => t.params.clone(),
            Engine::F32(t) => t.params.iter().map(|&x| x as f64).collect(),
        }
    }

    /// Computes the loss at the present parameters and moves them by its gradient if it is finite.
    fn advance(&mut self, step: usize) -> Result<f64> {
        let mut engine = std::mem::replace(&mut self.engine, Engine::F64(Typed::empty()));
        let loss = match &mut engine {
            Engine::F64(t) => self.advance_as(t, step),
            Engine::F32(t) => self.advance_as(t, step),
        };
        self.engine = engine;
        loss
    }

    fn advance_as<F: Scalar>(&self, typed: &mut Typed<F>, step: usize) -> Result<f64>
    where
        O: Optimizer<F>,
    {
        let rows_key = self.key.split(stream::ROWS);
        let key = self.key.split(stream::STEP).split(step as u64);
        if let Some(replay) = &mut typed.replay {
            for rows in &mut typed.subsamples {
                let data_slot = rows.plate.slot;
                let chosen = rows.at(rows_key, step as u64);
                for (workspace, _, _) in &mut replay.particles {
                    if replay.program.has_slot(data_slot) {
                        let slot = replay.program.slot(workspace, data_slot);
                        slot.iter_mut()
                            .zip(chosen)
                            .for_each(|(o, &r)| *o = F::from_f64(r as f64));
                    }
                }
            }
            let loss = replay.evaluate(&typed.params, key);
            if loss.is_finite() {
                typed.snapshot.take(step, &typed.params, &typed.moments);
                let gradient = &replay.particles[0].1;
                self.svi
                    .optimizer
                    .step_parallel(&mut typed.moments, &mut typed.params, gradient);
            }
            return Ok(loss);
        }
        let mut total = 0.0;
        let mut sum = vec![0.0; typed.params.len()];
        for particle in 0..self.svi.particles {
            let recording = self.record(typed, step, particle)?;
            recording.tape.scale_terms(-1.0 / self.svi.particles as f64);
            total += recording.tape.log_density();
            for (slot, own) in self.matching_slots(&recording)? {
                let d = gradient_of(&recording, own);
                sum[slot.offset..slot.offset + d.len()]
                    .iter_mut()
                    .zip(d)
                    .for_each(|(s, d)| *s += d);
            }
        }
        if total.is_finite() {
            typed.snapshot.take(step, &typed.params, &typed.moments);
            let gradient: Vec<F> = sum.into_iter().map(F::from_f64).collect();
            self.svi
                .optimizer
                .step(&mut typed.moments, &mut typed.params, &gradient);
        }
        Ok(total)
    }

    /// Records guide and model at the present parameters with the random numbers of a step.
    fn record<F: Scalar>(&self, typed: &mut Typed<F>, step: usize, particle: usize) -> Result<Recording> {
        let key = self.key.split(stream::STEP).split(step as u64).split(particle as u64);
        let values = typed.params.iter().map(|x| x.to_f64()).collect();
        let recorder = Recorder::density(self.svi.precision, key).with_values(&self.slots, values);
        let rows_key = self.key.split(stream::ROWS);
        let rows = typed.subsamples.iter_mut().map(|r| {
            let chosen = r.at(rows_key, step as u64).to_vec();
            (r.plate.address.clone(), chosen)
        });
        let recorder = recorder.with_rows(rows.collect());
        record_elbo(&recorder, self.model, &self.svi.guide, &self.analytic)
    }

    /// Pairs the slots of the run with those of a recording; a parameter that is new is an error.
    fn matching_slots<'a>(&'a self, recording: &'a Recording) -> Result<Vec<(&'a Slot, &'a Slot)>> {
        let pair = |own: &'a Slot| {
            let slot = self
                .slots
                .iter()
                .find(|s| s.address == own.address && s.shape == own.shape);
            slot.map(|s| (s, own)).ok_or_else(|| {
                let message =
                    "this latent or parameter was not there in the first recording: SVI needs a fixed set of them";
                Error::at_site(&own.address, own.place, message)
            })
        };
        recording.slots.iter().map(pair).collect()
    }

    /// Returns the error of a step whose loss is not finite, and goes back to the last good parameters.
    fn not_finite(&mut self, step: usize) -> Result<Error> {
        let cause = Box::new(self.blame(step)?);
        self.go_back(step)?;
        let params = NamedArrays(self.params());
        Ok(Error::NotFinite { step, cause, params })
    }

    /// Returns the error that names what made a step's loss not finite.
    fn blame(&mut self, step: usize) -> Result<Error> {
        let mut engine = std::mem::replace(&mut self.engine, Engine::F64(Typed::empty()));
        let cause = (|| {
            let values = match &engine {
                Engine::F64(t) => t.params.clone(),
                Engine::F32(t) => t.params.iter().map(|&x| x as f64).collect(),
            };
            for slot in &self.slots {
                let n: usize = slot.shape.iter().product();
                if let Some(i) = values[slot.offset..slot.offset + n].iter().position(|x| !x.is_finite()) {
                    let message = format!("the parameter became {} at element {i} of {n}", values[slot.offset + i]);
                    return Ok(Error::at_site(&slot.address, slot.place, message));
                }
            }
            for particle in 0..self.svi.particles {
                let recording = match &mut engine {
                    Engine::F64(t) => self.record(t, step, particle)?,
                    Engine::F32(t) => self.record(t, step, particle)?,
                };
                if let Some(fault) = recording.fault() {
                    return Ok(fault);
                }
            }
            Ok(Error::Invalid("the sum of the terms overflowed".to_string()))
        })();
        self.engine = engine;
        cause
    }

    /// Restores the parameters of the last step whose loss was finite.
    fn go_back(&mut self, failed: usize) -> Result<()> {
        let good = failed.saturating_sub(1);
        let from = match &mut self.engine {
            Engine::F64(t) => t.restore(good),
            Engine::F32(t) => t.restore(good),
        };
        for step in from..good {
            self.advance(step)?;
        }
        Ok(())
    }
}

/// Returns the part of the gradient that belongs to a slot.
fn gradient_of(recording: &Recording, slot: &Slot) -> Vec<f64> {
    let n: usize = slot.shape.iter().product();
    gradient(&recording.tape)[slot.offset..slot.offset + n].to_vec()
}

impl<F: Scalar> Typed<F> {
    fn empty() -> Self {
        let snapshot = Snapshot::none();
        Typed {
            params: Vec::new(),
            moments: snapshot.moments.clone(),
            snapshot,
            subsamples: Vec::new(),
            replay: None,
        }
    }

    fn new<G, O: Optimizer<F>>(svi: &Svi<G, O>, recording: &Recording, is_replayed: bool) -> Self {
        let params: Vec<F> = recording.initial.iter().map(|&x| F::from_f64(x)).collect();
        let moments = svi.optimizer.init(params.len());
        let rows = recording.subsamples.iter();
        let subsamples = rows
            .map(|s| Rows {
                plate: s.clone(),
                epoch: None,
                order: Vec::new(),
            })
            .collect();
        let replay = is_replayed.then(|| {
            recording.tape.scale_terms(-1.0 / svi.particles as f64);
            let program = recording.density::<F>(Passes::default());
            let particle = || (program.workspace(), vec![F::ZERO; params.len()], 0.0);
            let particles = (0..svi.particles).map(|_| particle()).collect();
            Replay { program, particles }
        });
        Typed {
            params,
            moments,
            snapshot: Snapshot::none(),
            subsamples,
            replay,
        }
    }

    /// Returns to the last snapshot not after `step`, and tells of which step it is.
    fn restore(&mut self, step: usize) -> usize {
        let Snapshot {
            step: at,
            params,
            moments,
        } = self.snapshot.clone();
        if at > step {
            return step;
        }
        self.params = params;
        self.moments = moments;
        at
    }
}

impl<F: Scalar> Replay<F> {
    /// Computes the loss and leaves its gradient with the first particle.
    fn evaluate(&mut self, params: &[F], key: Key) -> f64 {
        let program = &self.program;
        let run = |(particle, (workspace, gradient, loss)): (usize, &mut (Workspace<F>, Vec<F>, f64))| {
            workspace.key = key.split(particle as u64);
            *loss = program.value_and_gradient(workspace, params, gradient);
        };
        if let [one] = self.particles.as_mut_slice() {
            run((0, one));
        } else {
            self.particles.par_iter_mut().enumerate().for_each(run);
        }
        let (first, rest) = self.particles.split_first_mut().expect("there is a particle");
        for (_, gradient, loss) in rest {
            first.2 += *loss;
            first.1.iter_mut().zip(gradient.iter()).for_each(|(sum, &g)| *sum += g);
        }
        first.2
    }
}
