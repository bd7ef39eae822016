//! The end of a run: draws of the guide, and what tells whether it should be trusted.

use std::rc::Rc;
use std::sync::OnceLock;

use crate::diagnostics::{GuideWarning, Warning};
use crate::error::Result;
use crate::inference::svi::advance::{On, matching_slots};
use crate::inference::svi::approximation::Course;
use crate::inference::svi::guide_draws::{GuideDraws, Sampler};
use crate::inference::svi::loss_program::{LossProgram, Pair};
use crate::inference::svi::objective::{record_elbo, record_guide};
use crate::inference::svi::state::{Engine, Fixed, Loop, Typed, streams};
use crate::inference::svi::weights::{Either, Weights};
use crate::program::compile::Program;
use crate::program::passes::Passes;
use crate::runtime::recording::{Recorder, Recording};
use crate::tape::store::Scalar;

/// The number of parameters above which guide and model are not recorded once more for their weights.
const MAX_RECORDED: usize = 1 << 17;

impl Loop<'_> {
    /// Ends the run: draws of the guide, and what is kept beside it.
    pub(super) fn finish(mut self) -> Result<(GuideDraws, Course)> {
        if !self.has_finite_params() {
            return Err(self.not_finite(On::First, self.run.first, self.losses.len()));
        }
        match self.guide_draws() {
            Ok(guide) => {
                let (params, weights) = (self.params(), self.weights()?);
                if self.n_refused > 0 {
                    self.notes
                        .warnings
                        .push(Warning::Guide(GuideWarning::RefusedSteps { n: self.n_refused }));
                }
                let course = Course {
                    losses: self.losses,
                    params,
                    notes: self.notes,
                    iterates: self.iterates,
                    weights,
                };
                Ok((guide, course))
            }
            Err(error) => Err(self.stopped(error)),
        }
    }

    /// Prepares draws of the guide at the present parameters.
    fn guide_draws(&self) -> Result<GuideDraws> {
        let sampler = Sampler {
            slots: self.run.slots.clone(),
            values: self.values(),
            precision: self.run.setting.precision,
            key: self.run.key.split(streams::DRAWS),
            n_draws: self.run.setting.draws,
        };
        let (Pair { model, guide }, slots) = (self.run.first, self.run.slots.as_slice());
        let (precision, values) = (sampler.precision, sampler.values.clone());
        GuideDraws::new(sampler, |key, whole_plates| {
            let recorder = Recorder::density(precision, key).with_values(slots, values.clone());
            let recording = if guide.has_sites() {
                record_guide(&recorder, guide)?
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

    /// Takes the program of the steps for the weights of the guide, or, where it holds divergences in closed form, records
    /// another.
    ///
    /// There are none where guide and model are recorded anew at each step, nor of batches, whose weights are estimates.
    fn weights(&mut self) -> Result<Option<Weights>> {
        let theta = self.values();
        if self.last_streamed.is_some() || !self.run.has_draws {
            return Ok(None);
        }
        let program = match &mut self.engine {
            Engine::F64(typed) => self.run.program(typed, &theta)?.map(|(p, f)| (Either::F64(p), f)),
            Engine::F32(typed) => self.run.program(typed, &theta)?.map(|(p, f)| (Either::F32(p), f)),
        };
        Ok(program.map(|(program, factor)| Weights {
            program,
            theta,
            key: self.run.key.split(streams::WEIGHTS),
            factor,
            tail: OnceLock::new(),
        }))
    }
}

impl Fixed<'_> {
    fn program<F: Scalar>(&self, typed: &mut Typed<'_, F>, theta: &[f64]) -> Result<Option<(Program<F>, f64)>> {
        let LossProgram { subsamples, replay } = &mut typed.first;
        let Some(replay) = replay.take().filter(|_| subsamples.is_empty()) else {
            return Ok(None);
        };
        if self.analytic.is_empty() {
            return Ok(Some((replay.program, -(self.setting.particles as f64))));
        }
        if theta.len() > MAX_RECORDED {
            return Ok(None);
        }
        let recorder = Recorder::density(self.setting.precision, self.key.split(streams::WEIGHTS));
        let recorder = recorder.with_values(&self.slots, theta.to_vec());
        let Pair { model, guide } = self.first;
        let recording: Recording = record_elbo(&recorder, model, guide, &Rc::default())?;
        matching_slots(&self.slots, &recording)?;
        Ok((!recording.tape.is_tainted()).then(|| (recording.density(Passes::default()), 1.0)))
    }
}
