//! What happens when a step fails, or leaves the ELBO or a parameter not finite: the cause is named, and the last good
//! parameters come back.

use crate::error::{Error, NamedArrays, Result};
use crate::inference::svi::advance::On;
use crate::inference::svi::loss_program::Pair;
use crate::inference::svi::state::{Engine, Fixed, Loop, Typed};
use crate::runtime::recording::Recording;
use crate::tape::store::Scalar;
use crate::tensor::shape::position;

impl Loop<'_> {
    /// Returns the error of a step whose loss is not finite, and goes back to the last good parameters.
    pub(super) fn not_finite(&mut self, on: On, pair: Pair<'_>, step: usize) -> Error {
        let cause = Box::new(self.blame(on, pair, step));
        self.go_back(on, step);
        let params = NamedArrays(self.params());
        Error::NotFinite { step, cause, params }
    }

    /// Returns an error that ends the run, with the parameters in it.
    pub(crate) fn stopped(&self, cause: Error) -> Error {
        match cause {
            Error::NotFinite { .. } => cause,
            _ if self.losses.is_empty() => cause,
            _ => Error::Stopped {
                steps: self.losses.len(),
                cause: Box::new(cause),
                params: NamedArrays(self.params()),
            },
        }
    }

    /// Returns whether all parameters are finite.
    pub(super) fn has_finite_params(&self) -> bool {
        match &self.engine {
            Engine::F64(t) => t.params.iter().all(|x| x.is_finite()),
            Engine::F32(t) => t.params.iter().all(|x| x.is_finite()),
        }
    }

    /// Records a particle of a step at the present parameters.
    fn record_present(&mut self, on: On, pair: Pair<'_>, step: usize, particle: usize) -> Result<Recording> {
        match &mut self.engine {
            Engine::F64(typed) => self.run.record_present(typed, on, pair, step, particle),
            Engine::F32(typed) => self.run.record_present(typed, on, pair, step, particle),
        }
    }

    /// Returns the error that names what made a step's loss not finite, or that its recording ends with.
    fn blame(&mut self, on: On, pair: Pair<'_>, step: usize) -> Error {
        let values = self.values();
        for slot in &self.run.slots {
            let n: usize = slot.shape.iter().product();
            if let Some(i) = values[slot.offset..slot.offset + n].iter().position(|x| !x.is_finite()) {
                let element = match slot.shape.is_empty() {
                    true => String::new(),
                    false => format!(
                        " at element {:?} of shape {:?}",
                        position(&slot.shape, i).as_slice(),
                        slot.shape.as_slice()
                    ),
                };
                let message = format!("the parameter became {}{element}", values[slot.offset + i]);
                return Error::at_site(slot.name.to_string(), slot.place, message);
            }
        }
        for particle in 0..self.run.setting.particles {
            match self.record_present(on, pair, step, particle).map(|r| r.fault()) {
                Ok(None) => {}
                Ok(Some(fault)) | Err(fault) => return fault,
            }
        }
        Error::Invalid("the sum of the terms overflowed".to_string())
    }

    /// Restores the parameters of the last step whose loss was finite, and keeps them: steps that follow begin there.
    pub(super) fn go_back(&mut self, on: On, failed: usize) {
        self.restore_good(on, failed);
        match &mut self.engine {
            Engine::F64(t) => t.snapshot.keep(failed, &t.params, &t.moments),
            Engine::F32(t) => t.snapshot.keep(failed, &t.params, &t.moments),
        }
    }

    /// Restores the parameters of the last step whose loss was finite.
    ///
    /// Steps on models of a stream cannot be made again. If one was made since parameters were kept, or failed, these are
    /// taken back unless the present ones are good: finite, with a finite ELBO on the model that the run began with.
    fn restore_good(&mut self, on: On, failed: usize) {
        let was_streamed = self.last_streamed.is_some_and(|step| step >= self.snapshot_step());
        if on == On::Stream || was_streamed {
            if !self.has_finite_params() || !self.is_finite_on_first(failed) {
                self.restore(failed);
            }
            return;
        }
        let mut good = failed.saturating_sub(1);
        while let Some(bad) = self.run_again(good) {
            good = bad;
        }
    }

    /// Makes the steps before `good` again, from the parameters kept; returns the first one that fails or spoils a
    /// parameter.
    fn run_again(&mut self, good: usize) -> Option<usize> {
        let first = self.run.first;
        let start = self.restore(good);
        (start..good).find(|&step| self.advance(On::First, first, step).is_err() || !self.has_finite_params())
    }

    /// Returns whether the ELBO on the first model is finite at the present parameters.
    pub(super) fn is_finite_on_first(&mut self, step: usize) -> bool {
        let first = self.run.first;
        (0..self.run.setting.particles).all(|particle| {
            let recording = self.record_present(On::First, first, step, particle);
            recording.is_ok_and(|r| r.tape.log_density().is_finite())
        })
    }

    fn snapshot_step(&self) -> usize {
        match &self.engine {
            Engine::F64(t) => t.snapshot.step,
            Engine::F32(t) => t.snapshot.step,
        }
    }

    /// Returns to the last parameters kept, and tells before which step they were.
    fn restore(&mut self, step: usize) -> usize {
        match &mut self.engine {
            Engine::F64(t) => t.restore(step),
            Engine::F32(t) => t.restore(step),
        }
    }
}

impl Fixed<'_> {
    fn record_present<F: Scalar>(
        &self,
        typed: &mut Typed<'_, F>,
        on: On,
        pair: Pair<'_>,
        step: usize,
        particle: usize,
    ) -> Result<Recording> {
        let params = std::mem::take(&mut typed.params);
        let recording = self.record(&params, &mut typed.compiled(on).subsamples, pair, step, particle);
        typed.params = params;
        recording
    }
}
