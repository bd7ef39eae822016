//! The loop of SVI: one step after the other, with what is needed to go back to the last good one.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::diagnostics::Warning;
use crate::error::{Error, Result};
use crate::inference::fit::Notes;
use crate::inference::sizes::{check_draws, check_elements, check_number, kept_shapes};
use crate::inference::svi::advance::On;
use crate::inference::svi::approximation::Approximation;
use crate::inference::svi::config::{ElboEstimator, Svi};
use crate::inference::svi::guides::GuideFor;
use crate::inference::svi::iterates::Iterates;
use crate::inference::svi::loss_program::{Changing, LossProgram, Pair};
use crate::inference::svi::objective::{analytic_sites, record_elbo, sampled_sites};
use crate::inference::svi::snapshot::Snapshot;
use crate::inference::svi::stream::{Domain, Programs};
use crate::optim::{Optimizer, State};
use crate::program::compile::Program;
use crate::rng::Key;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::replayable::{hindrance, value_read};
use crate::runtime::state::{SiteKind, Slot};
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
    /// Of the draws whose importance weights are looked at.
    pub const WEIGHTS: u64 = 4;
}

/// The number of losses for which memory is reserved from the start.
const LOSSES: usize = 1 << 16;

/// SVI between two steps.
pub struct SviState<'m, M, G, O> {
    pub(super) svi: &'m Svi<G, O>,
    pub(super) steps: Loop<'m>,
    model: PhantomData<fn() -> M>,
}

/// The loop of SVI without the types of model, guide and optimiser, so that it is compiled once.
pub(super) struct Loop<'m> {
    pub run: Fixed<'m>,
    pub engine: Engine<'m>,
    pub losses: Vec<f64>,
    is_replayed: bool,
    /// What the run has to say beside its losses.
    pub notes: Notes,
    pub iterates: Iterates,
    /// The number of steps that ended with an error.
    pub n_refused: usize,
    /// The last step that was made on another model than the first.
    pub last_streamed: Option<usize>,
}

/// What stays as it is during a run.
pub(super) struct Fixed<'m> {
    /// The model that the run began with, and its guide.
    pub first: Pair<'m>,
    pub setting: Setting,
    pub key: Key,
    pub analytic: Rc<HashSet<String>>,
    pub slots: Vec<Slot>,
    /// Whether the guide draws anything: otherwise it is a point.
    pub has_draws: bool,
    pub domains: Vec<Domain>,
}

/// The numbers among the settings of [`Svi`].
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub steps: usize,
    pub particles: usize,
    pub draws: usize,
    pub seed: u64,
    pub precision: Precision,
    pub estimator: ElboEstimator,
}

/// The optimiser in both precisions.
#[derive(Clone, Copy)]
pub(super) struct Optimizers<'m> {
    pub single: &'m dyn Optimizer<f32>,
    pub double: &'m dyn Optimizer<f64>,
}

/// The engine in one of two precisions.
pub(super) enum Engine<'m> {
    F64(Typed<'m, f64>),
    F32(Typed<'m, f32>),
}

/// What depends on the precision.
pub(super) struct Typed<'m, F> {
    pub optimizer: &'m dyn Optimizer<F>,
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
        let setting = Setting {
            steps: svi.steps,
            particles: svi.particles,
            draws: svi.draws,
            seed: svi.seed,
            precision: svi.precision,
            estimator: svi.estimator,
        };
        let optimizers = Optimizers {
            single: &svi.optimizer,
            double: &svi.optimizer,
        };
        let guide = &svi.guide;
        Ok(SviState {
            svi,
            steps: Loop::new(setting, optimizers, Pair { model, guide })?,
            model: PhantomData,
        })
    }
}

// Whether the guide fits the model was asked when the state was made: bounds here would hide that answer behind missing methods.
impl<M, G, O> SviState<'_, M, G, O> {
    /// Makes one step and returns the estimate of the ELBO that it was made by.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`] if the estimate is not finite; if [`Optimizer::check`] refuses the step, which then is not made;
    /// otherwise if guide or model cannot be recorded. The state then holds the last good parameters: those of the last step whose estimate was finite.
    pub fn step(&mut self) -> Result<f64> {
        self.steps.step()
    }

    /// Returns −ELBO of each step so far.
    pub fn losses(&self) -> &[f64] {
        &self.steps.losses
    }

    /// Returns whether the last step replayed a program, before the first one whether it will; otherwise guide and model
    /// are recorded anew at each step.
    pub fn is_replayed(&self) -> bool {
        self.steps.is_replayed
    }

    /// Returns the parameters, unconstrained, with the names of their sites.
    pub fn params(&self) -> Vec<(String, ndarray::ArrayD<f64>)> {
        self.steps.params()
    }

    /// Returns the program of the steps, for its profile, if steps replay one in single precision.
    pub fn program_f32(&self) -> Option<(&Program<f32>, &[f32])> {
        match &self.steps.engine {
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
    pub fn finish(self) -> Result<Approximation<M::Accessors>>
    where
        M: Model,
    {
        let (guide, course) = self.steps.finish()?;
        Ok(Approximation::new(guide, course))
    }

    /// Returns an error that ends the run, with the parameters in it.
    pub(crate) fn stopped(&self, cause: Error) -> Error {
        self.steps.stopped(cause)
    }
}

impl Setting {
    /// Refuses numbers that are zero or find no room.
    fn check(&self) -> Result<()> {
        if self.particles == 0 || self.draws == 0 {
            return Err(Error::Invalid(
                "SVI needs at least one particle and one draw".to_string(),
            ));
        }
        check_elements("steps", self.steps, size_of::<f64>())?;
        check_number("particles", self.particles)
    }
}

impl<'m> Loop<'m> {
    fn new(svi: Setting, optimizers: Optimizers<'m>, pair: Pair<'m>) -> Result<Self> {
        svi.check()?;
        optimizers.double.check(1)?;
        let key = Key::new(svi.seed);
        let recorder = Recorder::density(svi.precision, key.split(streams::START));
        let mut analytic = Rc::default();
        let mut recording = record_elbo(&recorder, pair.model, pair.guide, &analytic)?;
        if svi.estimator == ElboEstimator::AnalyticKl {
            analytic = Rc::new(analytic_sites(&recording));
            recording = record_elbo(&recorder, pair.model, pair.guide, &analytic)?;
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
        let again = Recorder {
            key: key.split(streams::STEP),
            ..recorder.with_recording(&recording)
        };
        let again = || record_elbo(&again, pair.model, pair.guide, &analytic);
        let mut notes: Vec<Warning> = against_replay(&recording, again)?.into_iter().collect();
        let is_replayed = notes.is_empty();
        if svi.estimator == ElboEstimator::AnalyticKl {
            notes.extend(sampled_sites(&recording, &analytic));
        }
        let engine = match svi.precision {
            Precision::F64 => Engine::F64(Typed::new(optimizers.double, svi.particles, &recording, is_replayed)),
            Precision::F32 => Engine::F32(Typed::new(optimizers.single, svi.particles, &recording, is_replayed)),
        };
        Ok(Loop {
            engine,
            losses: Vec::with_capacity(svi.steps.min(LOSSES)),
            is_replayed,
            notes: Notes {
                warnings: notes,
                given: recording.given_elements(),
            },
            iterates: Iterates::new(recording.n_inputs()),
            n_refused: 0,
            last_streamed: None,
            run: Fixed {
                first: pair,
                setting: svi,
                key,
                analytic,
                has_draws: recording.sites.iter().any(|s| s.is_guide && s.kind == SiteKind::Latent),
                domains: Domain::all(&recording),
                slots: recording.slots,
            },
        })
    }

    /// Makes one step on the model that the run began with.
    fn step(&mut self) -> Result<f64> {
        self.attempt(On::First, self.run.first)
    }

    /// Makes one step on a model.
    pub fn attempt(&mut self, on: On, pair: Pair<'_>) -> Result<f64> {
        let outcome = self.try_step(on, pair);
        self.n_refused += usize::from(outcome.is_err());
        outcome
    }

    fn try_step(&mut self, on: On, pair: Pair<'_>) -> Result<f64> {
        let step = self.losses.len();
        if Snapshot::<f64>::is_due(step) && !self.has_finite_params() {
            return Err(self.not_finite(on, pair, step));
        }
        if let Err(refused) = self.check_optimizer() {
            if !self.has_finite_params() || !self.is_finite_on_first(step) {
                self.go_back(on, step);
            }
            return Err(refused);
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
        match &self.engine {
            Engine::F64(t) => self.iterates.push(step, &t.params),
            Engine::F32(t) => self.iterates.push(step, &t.params),
        }
        Ok(-loss)
    }

    /// Refuses settings of the optimiser that its next step cannot be made by.
    fn check_optimizer(&self) -> Result<()> {
        match &self.engine {
            Engine::F64(t) => t.optimizer.check(t.moments.step + 1),
            Engine::F32(t) => t.optimizer.check(t.moments.step + 1),
        }
    }

    fn replays(&mut self, on: On) -> bool {
        match &mut self.engine {
            Engine::F64(t) => t.compiled(on).replay.is_some(),
            Engine::F32(t) => t.compiled(on).replay.is_some(),
        }
    }

    /// Returns the parameters, unconstrained, with the names of their sites.
    pub fn params(&self) -> Vec<(String, ndarray::ArrayD<f64>)> {
        let values = self.values();
        let of = |s: &Slot| {
            let n: usize = s.shape.iter().product();
            let part = values[s.offset..s.offset + n].to_vec();
            let array = ndarray::ArrayD::from_shape_vec(s.shape.as_slice(), part).expect("a slot has its shape's size");
            (s.name.to_string(), array)
        };
        self.run.slots.iter().map(of).collect()
    }

    pub(super) fn values(&self) -> Vec<f64> {
        match &self.engine {
            Engine::F64(t) => t.params.clone(),
            Engine::F32(t) => t.params.iter().map(|&x| x as f64).collect(),
        }
    }
}

/// Returns why guide and model are recorded anew at each step, if they are; they run again if the first recording does not tell.
fn against_replay(first: &Recording, again: impl FnOnce() -> Result<Recording>) -> Result<Option<Warning>> {
    match value_read(first) {
        Some(read) => Ok(Some(read)),
        None => Ok(hindrance(first, &again()?)),
    }
}

impl<'m, F: Scalar> Typed<'m, F> {
    fn new(optimizer: &'m dyn Optimizer<F>, n_particles: usize, recording: &Recording, is_replayed: bool) -> Self {
        let params: Vec<F> = recording.initial.iter().map(|&x| F::from_f64(x)).collect();
        Typed {
            optimizer,
            moments: optimizer.init(params.len()),
            params,
            snapshot: Snapshot::none(),
            first: LossProgram::new(recording, n_particles, is_replayed, Changing::Nothing),
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
