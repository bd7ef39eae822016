//! One step of SVI: the loss and its gradient, by a program or by recording, and the move of the parameters.

use crate::error::{Error, Result};
use crate::inference::svi::loss_program::{LossProgram, Pair, ReplayedLoss};
use crate::inference::svi::objective::record_elbo;
use crate::inference::svi::row_order::RowOrder;
use crate::inference::svi::state::{Engine, Fixed, Loop, Typed, streams};
use crate::rng::Key;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::state::Slot;
use crate::tape::gradient::gradient;
use crate::tape::store::Scalar;

/// Debug builds compare every 64th run of a program with a recording made anew.
const RECHECK_EVERY: u64 = 64;

/// Which model a step is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The one that the run began with.
    First,
    /// The last one that was bound.
    Stream,
}

impl<F: Scalar> Typed<'_, F> {
    /// Returns what is kept for a model.
    pub(super) fn compiled(&mut self, on: On) -> &mut LossProgram<F> {
        match on {
            On::First => &mut self.first,
            On::Stream => self.stream.current(),
        }
    }
}

impl Loop<'_> {
    /// Computes the loss at the present parameters and moves them by its gradient if it is finite.
    pub(super) fn advance(&mut self, on: On, pair: Pair<'_>, step: usize) -> Result<f64> {
        match &mut self.engine {
            Engine::F64(typed) => self.run.advance(typed, on, pair, step),
            Engine::F32(typed) => self.run.advance(typed, on, pair, step),
        }
    }
}

impl Fixed<'_> {
    fn advance<F: Scalar>(&self, typed: &mut Typed<'_, F>, on: On, pair: Pair<'_>, step: usize) -> Result<f64> {
        let compiled = match on {
            On::First => &mut typed.first,
            On::Stream => typed.stream.current(),
        };
        let LossProgram { subsamples, replay } = compiled;
        let Some(replay) = replay else {
            let (loss, gradient) = self.record_loss(&typed.params, subsamples, pair, step)?;
            if loss.is_finite() {
                typed.snapshot.take(step, &typed.params, &typed.moments);
                let gradient: Vec<F> = gradient.into_iter().map(F::from_f64).collect();
                typed.optimizer.step(&mut typed.moments, &mut typed.params, &gradient);
            }
            return Ok(loss);
        };
        replay.choose_rows(subsamples, self.key.split(streams::ROWS), step as u64);
        let loss = replay.evaluate(&typed.params, self.key_of(step));
        if !replay.picks_are_in_range(&typed.params) {
            return Err(self.refusal(&typed.params, subsamples, pair, step));
        }
        if loss.is_finite() {
            if cfg!(debug_assertions) && replay.n_runs().is_multiple_of(RECHECK_EVERY) {
                self.recheck(replay, &typed.params, subsamples, pair, step, loss)?;
            }
            typed.snapshot.take(step, &typed.params, &typed.moments);
            typed
                .optimizer
                .step_parallel(&mut typed.moments, &mut typed.params, replay.gradient());
        }
        Ok(loss)
    }

    /// Returns the key of the random numbers of a step.
    pub(super) fn key_of(&self, step: usize) -> Key {
        self.key.split(streams::STEP).split(step as u64)
    }

    /// Records all particles and returns their loss with its gradient.
    fn record_loss<F: Scalar>(
        &self,
        params: &[F],
        subsamples: &mut [RowOrder],
        pair: Pair<'_>,
        step: usize,
    ) -> Result<(f64, Vec<f64>)> {
        let mut total = 0.0;
        let mut sum = vec![0.0; params.len()];
        for particle in 0..self.setting.particles {
            let recording = self.record(params, subsamples, pair, step, particle)?;
            recording.tape.scale_terms(-1.0 / self.setting.particles as f64);
            total += recording.tape.log_density();
            let d = gradient(&recording.tape);
            for (slot, own) in matching_slots(&self.slots, &recording)? {
                let n: usize = slot.shape.iter().product();
                let (sum, d) = (&mut sum[slot.offset..][..n], &d[own.offset..][..n]);
                sum.iter_mut().zip(d).for_each(|(s, d)| *s += d);
            }
        }
        Ok((total, sum))
    }

    /// Records guide and model at the present parameters with the random numbers of a step.
    pub(super) fn record<F: Scalar>(
        &self,
        params: &[F],
        subsamples: &mut [RowOrder],
        pair: Pair<'_>,
        step: usize,
        particle: usize,
    ) -> Result<Recording> {
        let values = params.iter().map(|x| x.to_f64()).collect();
        let key = self.key_of(step).split(particle as u64);
        let recorder = Recorder::density(self.setting.precision, key).with_values(&self.slots, values);
        let rows_key = self.key.split(streams::ROWS);
        let rows = subsamples.iter_mut().map(|r| {
            let chosen = r.at(rows_key, step as u64).to_vec();
            (r.plate.address.clone(), chosen)
        });
        let recorder = recorder.with_rows(rows.collect());
        record_elbo(&recorder, pair.model, pair.guide, &self.analytic)
    }

    /// Returns the error of a recording whose program picked a row that there is not.
    fn refusal<F: Scalar>(&self, params: &[F], subsamples: &mut [RowOrder], pair: Pair<'_>, step: usize) -> Error {
        self.record(params, subsamples, pair, step, 0)
            .err()
            .unwrap_or_else(|| Error::Invalid("an index of the data is out of range".to_string()))
    }

    /// Compares the last run of a program with a program that is recorded anew, bit for bit.
    fn recheck<F: Scalar>(
        &self,
        replay: &ReplayedLoss<F>,
        params: &[F],
        subsamples: &mut [RowOrder],
        pair: Pair<'_>,
        step: usize,
        loss: f64,
    ) -> Result<()> {
        let recording = self.record(params, subsamples, pair, step, 0)?;
        let is_same = replay.again(&recording).is_some_and(|mut again| {
            let of_again = again.evaluate(params, self.key_of(step));
            let mut both = again.gradient().iter().zip(replay.gradient());
            of_again.to_bits() == loss.to_bits() && both.all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits())
        });
        if is_same {
            return Ok(());
        }
        let message = format!(
            "step {step}: model {} does not run as it did when its program was recorded: its body, or the guide's, reads \
             something that is no argument",
            pair.model.model_name()
        );
        Err(Error::Invalid(message))
    }
}

/// Pairs the slots of a run with those of a recording; a parameter that is new is an error.
pub(super) fn matching_slots<'a>(slots: &'a [Slot], recording: &'a Recording) -> Result<Vec<(&'a Slot, &'a Slot)>> {
    let pair = |own: &'a Slot| {
        let slot = slots.iter().find(|s| s.name == own.name && s.shape == own.shape);
        slot.map(|s| (s, own)).ok_or_else(|| {
            let message =
                "this latent or parameter was not there in the first recording: SVI needs a fixed set of them";
            Error::at_site(own.name.to_string(), own.place, message)
        })
    };
    recording.slots.iter().map(pair).collect()
}
