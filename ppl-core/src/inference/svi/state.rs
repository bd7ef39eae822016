//! The loop of SVI: one step after the other, with what is needed to go back to the last good one.

use std::collections::HashSet;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::inference::sizes::{check_draws, check_elements, check_number, kept_shapes};
use crate::inference::svi::advance::{On, matching_slots};
use crate::inference::svi::approximation::Approximation;
use crate::inference::svi::config::{ElboEstimator, Svi};
use crate::inference::svi::guide_draws::{GuideDraws, Sampler};
use crate::inference::svi::guides::GuideFor;
use crate::inference::svi::loss_program::{Changing, LossProgram, Pair};
use crate::inference::svi::objective::{analytic_sites, record_elbo, record_guide};
use crate::inference::svi::snapshot::Snapshot;
use crate::inference::svi::stream::{Domain, Programs};
use crate::optim::{Optimizer, State};
use crate::program::compile::Program;
use crate::program::structure::structure_key;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::Slot;
use crate::tape::store::{Precision, Scalar};

/// The streams of random numbers of a run.
pub(super) mod streams {
    /// Of starting values.
    pub const START: u64 = 0;
    /// Of steps.
    pub const STEP: u64 = 1;
    /// Of the order of rows in subsampled plates.
    pub const ROWS: u64 = 2;
    /// Of draws after the run.
    pub const DRAWS: u64 = 3;
}

/// For so many steps the losses have memory from the start.
const LOSSES: usize = 1 << 16;

/// SVI between two steps.
pub struct SviState<'m, M, G, O> {
    pub(super) svi: &'m Svi<G, O>,
    model: &'m M,
    pub(super) key: Key,
    pub(super) analytic: Rc<HashSet<String>>,
    pub(super) slots: Vec<Slot>,
    pub(super) domains: Vec<Domain>,
    pub(super) engine: Engine,
    pub(super) losses: Vec<f64>,
    is_replayed: bool,
    /// The last step that was made on another model than the first.
    pub(super) last_streamed: Option<usize>,
}

/// The engine in one of two precisions.
pub(super) enum Engine {
    F64(Typed<f64>),
    F32(Typed<f32>),
}

/// What depends on the precision.
pub(super) struct Typed<F> {
    pub params: Vec<F>,
    pub moments: State<F>,
    pub snapshot: Snapshot<F>,
    pub first: LossProgram<F>,
    pub stream: Programs<F>,
}

impl<'m, M, G, O> SviState<'m, M, G, O>
where
    M: Model + Sync,
    G: GuideFor<M>,
    O: Optimizer<f32> + Optimizer<f64>,
{
    pub(crate) fn new(svi: &'m Svi<G, O>, model: &'m M) -> Result<Self> {
        if svi.particles == 0 || svi.draws == 0 {
            return Err(Error::Invalid(
                "SVI needs at least one particle and one draw".to_string(),
            ));
        }
        check_elements("steps", svi.steps, size_of::<f64>())?;
        check_number("particles", svi.particles)?;
        let key = Key::new(svi.seed);
        let recorder = Recorder::density(svi.precision, key.split(streams::START));
        let mut analytic = Rc::default();
        let mut recording = record_elbo(&recorder, model, &svi.guide, &analytic)?;
        if svi.estimator == ElboEstimator::AnalyticKl {
            analytic = Rc::new(analytic_sites(&recording));
            recording = record_elbo(&recorder, model, &svi.guide, &analytic)?;
        }
        if let Some(fault) = recording.fault() {
            return Err(fault);
        }
        check_draws(&kept_shapes(&recording), 1, svi.draws)?;
        check_elements(
            "particles",
            svi.particles,
            2 * size_of::<f64>() * recording.tape.records().store.len(),
        )?;
        let is_replayed = !recording.tape.is_tainted() && {
            let again = Recorder {
                key: key.split(streams::STEP),
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
            domains: Domain::all(&recording),
            slots: recording.slots,
            engine,
            losses: Vec::with_capacity(svi.steps.min(LOSSES)),
            is_replayed,
            last_streamed: None,
        })
    }

    /// Makes one step and returns the estimate of the ELBO that it was made by.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the estimate is not finite; otherwise if guide or model cannot be recorded. The state then
    /// holds the last good parameters: those of the last step whose estimate was finite.
    pub fn step(&mut self) -> Result<f64> {
        self.attempt(On::First, self.first())
    }

    /// Makes one step on a model.
    pub(super) fn attempt<N: Model, H: GuideFor<N>>(&mut self, on: On, pair: Pair<'_, N, H>) -> Result<f64> {
        let step = self.losses.len();
        if Snapshot::<f64>::is_due(step) && !self.has_finite_params() {
            return Err(self.not_finite(on, pair, step));
        }
        let loss = match self.advance(on, pair, step) {
            Ok(loss) => loss,
            Err(error) => {
                self.go_back(on, step);
                return Err(error);
            }
        };
        self.is_replayed = self.replays(on);
        if !loss.is_finite() {
            return Err(self.not_finite(on, pair, step));
        }
        if on == On::Stream {
            self.last_streamed = Some(step);
        }
        self.losses.push(loss);
        Ok(-loss)
    }

    /// Returns the model that the run began with.
    pub(super) fn first(&self) -> Pair<'m, M, G> {
        Pair {
            model: self.model,
            guide: &self.svi.guide,
        }
    }

    fn replays(&mut self, on: On) -> bool {
        match &mut self.engine {
            Engine::F64(t) => t.compiled(on).replay.is_some(),
            Engine::F32(t) => t.compiled(on).replay.is_some(),
        }
    }

    /// Returns −ELBO of each step so far.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// Returns whether the last step replayed a program, before the first one whether it will; otherwise guide and model
    /// are recorded anew at each step.
    pub fn is_replayed(&self) -> bool {
        self.is_replayed
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
            Engine::F32(t) => t.first.replay.as_ref().map(|r| (&r.program, t.params.as_slice())),
            Engine::F64(_) => None,
        }
    }

    /// Ends the run.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the last step left a parameter that is not finite; [`Error::Stopped`] if draws from the guide
    /// cannot be recorded. Both hold the last good parameters.
    pub fn finish(mut self) -> Result<Approximation<M::Accessors>> {
        if !self.has_finite_params() {
            return Err(self.not_finite(On::First, self.first(), self.losses.len()));
        }
        match self.guide_draws() {
            Ok(guide) => {
                let params = self.params();
                Ok(Approximation::new(guide, self.losses, params))
            }
            Err(error) => Err(self.stopped(error)),
        }
    }

    /// Prepares draws of the guide at the present parameters.
    fn guide_draws(&self) -> Result<GuideDraws> {
        let sampler = Sampler {
            slots: self.slots.clone(),
            values: self.values(),
            precision: self.svi.precision,
            key: self.key.split(streams::DRAWS),
            n_draws: self.svi.draws,
        };
        let (model, guide, slots) = (self.model, &self.svi.guide, self.slots.as_slice());
        let (precision, values) = (sampler.precision, sampler.values.clone());
        GuideDraws::new(sampler, |key, whole_plates| {
            let recorder = Recorder::density(precision, key).with_values(slots, values.clone());
            let recording = if guide.has_sites() {
                record_guide::<M, G>(&recorder, guide)?
            } else {
                let recorder = Recorder {
                    whole_plates,
                    ..recorder
                };
                record_elbo(&recorder, model, guide, &Rc::default())?
            };
            matching_slots(slots, &recording)?;
            Ok(recording)
        })
    }

    pub(super) fn values(&self) -> Vec<f64> {
        match &self.engine {
            Engine::F64(t) => t.params.clone(),
            Engine::F32(t) => t.params.iter().map(|&x| x as f64).collect(),
        }
    }
}

impl<F: Scalar> Typed<F> {
    pub fn empty() -> Self {
        let snapshot = Snapshot::none();
        Typed {
            params: Vec::new(),
            moments: snapshot.moments.clone(),
            snapshot,
            first: LossProgram::empty(),
            stream: Programs::new(),
        }
    }

    fn new<G, O: Optimizer<F>>(svi: &Svi<G, O>, recording: &Recording, is_replayed: bool) -> Self {
        let params: Vec<F> = recording.initial.iter().map(|&x| F::from_f64(x)).collect();
        Typed {
            moments: svi.optimizer.init(params.len()),
            params,
            snapshot: Snapshot::none(),
            first: LossProgram::new(recording, svi.particles, is_replayed, Changing::Nothing),
            stream: Programs::new(),
        }
    }

    /// Returns to the last snapshot not after `step`, and tells of which step it is.
    pub fn restore(&mut self, step: usize) -> usize {
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
