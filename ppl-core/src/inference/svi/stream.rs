//! Steps on models that were bound to other data: minibatches of a stream.

use crate::diagnostics::Warning;
use crate::distributions::support::Bounded;
use crate::error::{Error, Result};
use crate::inference::svi::advance::On;
use crate::inference::svi::guides::GuideFor;
use crate::inference::svi::loss_program::{Changing, LossProgram, Pair};
use crate::inference::svi::objective::record_elbo;
use crate::inference::svi::state::{Engine, Fixed, Loop, SviState, Typed, streams};
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::model::Model;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::replayable::{hindrance, value_read};
use crate::runtime::state::{SiteKind, SiteRecord, Slot};
use crate::tape::store::Scalar;

/// The number of programs kept, one for each shape of batch.
const CAPACITY: usize = 4;

/// What was compiled for the latest kinds of batches, the one in use first.
pub(super) struct Programs<F> {
    entries: Vec<(Option<u64>, LossProgram<F>)>,
}

impl<F: Scalar> Programs<F> {
    pub fn new() -> Self {
        Programs { entries: Vec::new() }
    }

    /// Puts the entry of a key first, if there is one.
    fn find(&mut self, key: u64) -> Option<&mut LossProgram<F>> {
        let at = self.entries.iter().position(|(own, _)| *own == Some(key))?;
        self.entries[..=at].rotate_right(1);
        Some(self.current())
    }

    /// Puts an entry first; without a key it is for one step only.
    fn insert(&mut self, key: Option<u64>, compiled: LossProgram<F>) {
        self.entries.retain(|(own, _)| own.is_some() && *own != key);
        self.entries.truncate(CAPACITY - 1);
        self.entries.insert(0, (key, compiled));
    }

    /// Returns the entry in use.
    pub fn current(&mut self) -> &mut LossProgram<F> {
        &mut self.entries[0].1
    }
}

impl<M: Model, G, O> SviState<'_, M, G, O> {
    /// Makes one step on the model bound to other data, a minibatch of a stream, and returns the estimate of the ELBO.
    ///
    /// The data are copied into the program of an earlier step if one was made on a binding with the same owned arguments
    /// and the same shapes of data. Otherwise guide and model are recorded; the programs of the last four kinds of batches
    /// are kept, so that a short last batch of each epoch is recorded once. An owned argument of a type without `Hash`, and
    /// not made of floating-point numbers, is not compared: each step then records. A body that reads data by `.value()`
    /// is recorded at each step too. [`Approximation::warnings`](super::Approximation::warnings) says so, with the reason.
    ///
    /// `plate(x, total = n)` says in the model how many rows there are altogether, so that the batch counts n / B-fold.
    ///
    /// # Errors
    ///
    /// As [`Svi::start`](super::Svi::start) and [`SviState::step`]: what a first binding refuses is refused here. A batch
    /// that makes the ELBO infinite or NaN leaves the parameters as they were before it, and steps may go on; if the
    /// parameters are to blame, they go back by at most 64 steps. Latents and parameters have to be those of the model that
    /// the run began with.
    ///
    /// # Examples
    ///
    /// ```
    /// use ndarray::{Array1, s};
    /// use ppl_core::distributions::{HalfNormal, Normal};
    /// use ppl_core::inference::svi::{AutoNormal, Svi};
    /// use ppl_core::optim::Adam;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn level(n_rows: usize, y: Obs<Array1<f64>>) {
    ///     let mu = sample(Normal(0, 10));
    ///     let sigma = sample(HalfNormal(1));
    ///     for i in plate(y, total = n_rows) {
    ///         observe(y[i], Normal(mu, sigma));
    ///     }
    /// }
    ///
    /// let y = Array1::from_iter((0..100).map(|i| 3.0 + 0.1 * (i % 7) as f64));
    /// let batches: Vec<_> = (0..100).step_by(40).map(|i| y.slice(s![i..100.min(i + 40)])).collect();
    /// assert_eq!(batches.iter().map(|b| b.len()).collect::<Vec<_>>(), [40, 40, 20]);
    ///
    /// let svi = Svi::new(AutoNormal::default(), Adam::new(0.02));
    /// let first = level(100, batches[0]);
    /// let mut state = svi.start(&first)?;
    /// for _ in 0..500 {
    ///     for &batch in &batches {
    ///         state.step_on(&level(100, batch))?;
    ///     }
    /// }
    /// let fit = state.finish()?;
    /// assert!((fit.mu().mean().unwrap() - y.mean().unwrap()).abs() < 0.05);
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    pub fn step_on<N>(&mut self, model: &N) -> Result<f64>
    where
        N: Model<Names = M::Names> + Sync,
        G: GuideFor<N>,
    {
        let guide = &self.svi.guide;
        self.steps.step_on(Pair { model, guide }, Changing::Model)
    }

    /// Makes one step as [`SviState::step_on`] does, with the guide bound to other data too: for guides that read the batch.
    ///
    /// # Errors
    ///
    /// As [`SviState::step_on`].
    pub fn step_with<N, H>(&mut self, model: &N, guide: &H) -> Result<f64>
    where
        N: Model<Names = M::Names> + Sync,
        H: GuideFor<N>,
    {
        self.steps.step_on(Pair { model, guide }, Changing::Both)
    }
}

impl Loop<'_> {
    /// Makes one step on another binding of the model, with those data copied that change.
    fn step_on(&mut self, pair: Pair<'_>, changing: Changing) -> Result<f64> {
        let key = ArgumentsKey::of(|key| {
            key.put(changing);
            pair.model.hash_into(key);
            if changing == Changing::Both {
                pair.guide.hash_arguments(key);
            }
        });
        let step = self.losses.len();
        let hindrance = match &mut self.engine {
            Engine::F64(typed) => self.run.prepare(typed, pair, changing, key, step)?,
            Engine::F32(typed) => self.run.prepare(typed, pair, changing, key, step)?,
        };
        let notes = &mut self.notes.warnings;
        notes.extend(hindrance.filter(|new| !notes.contains(new)));
        self.attempt(On::Stream, pair)
    }
}

impl Fixed<'_> {
    /// Makes the program for a binding the one in use, with its data in the slots; returns why there is none, if the binding
    /// was recorded and has to be recorded at each step.
    fn prepare<F: Scalar>(
        &self,
        typed: &mut Typed<'_, F>,
        pair: Pair<'_>,
        changing: Changing,
        key: Option<u64>,
        step: usize,
    ) -> Result<Option<Warning>> {
        if let Some(compiled) = key.and_then(|key| typed.stream.find(key))
            && compiled.replay.as_mut().is_none_or(|replay| replay.bind(pair))
        {
            return Ok(None);
        }
        let step_key = self.key_of(step).split(0);
        let elsewhere = Recorder::density(self.setting.precision, self.key.split(streams::START));
        let values = typed.params.iter().map(|x| x.to_f64()).collect();
        let here = Recorder {
            key: step_key,
            ..elsewhere.with_values(&self.slots, values)
        };
        let recording = record_elbo(&here, pair.model, pair.guide, &self.analytic)?;
        self.check_latents(&recording, !recording.tape.is_tainted())?;
        let again = || record_elbo(&elsewhere, pair.model, pair.guide, &self.analytic);
        let hindrance = match value_read(&recording).or_else(|| self.obstacle(key, &recording, &here)) {
            Some(found) => Some(found),
            None => again().map_or(Some(recorded("guide or model fail at other values")), |again| {
                hindrance(&recording, &again)
            }),
        };
        let compiled = LossProgram::new(&recording, self.setting.particles, hindrance.is_none(), changing);
        typed.stream.insert(key, compiled);
        Ok(hindrance)
    }

    /// Returns what keeps the program of a recording from serving other batches, beside what the model does.
    fn obstacle(&self, key: Option<u64>, recording: &Recording, here: &Recorder) -> Option<Warning> {
        let is_same = |(a, b): (&Slot, &Slot)| a.offset == b.offset && a.name == b.name;
        if key.is_none() {
            let reason = "an owned argument of the model or of its guide has a type whose values cannot be compared: derive \
                          `Hash` for it, or pass numbers and arrays of them";
            Some(recorded(reason))
        } else if !here.imputed.borrow().is_empty() {
            Some(recorded(
                "the model reads elements of an observation that are missing, and which ones these are is part of the program",
            ))
        } else if !recording.slots.iter().zip(&self.slots).all(is_same) {
            Some(recorded(
                "its latents and parameters are met in another order than those of the model that the run began with",
            ))
        } else {
            None
        }
    }

    /// Refuses latents and parameters that are not those of the first recording; `all` of them have to be there.
    fn check_latents(&self, recording: &Recording, all: bool) -> Result<()> {
        let fault = |slot: &Slot, message: String| Err(Error::at_site(slot.name.to_string(), slot.place, message));
        for slot in &recording.slots {
            let Some(first) = self.slots.iter().find(|s| s.name == slot.name) else {
                return fault(
                    slot,
                    "the model that the run began with has no such latent or parameter".to_string(),
                );
            };
            if first.shape != slot.shape {
                let shapes = (slot.shape.as_slice(), first.shape.as_slice());
                let message = format!("the unconstrained shape is {:?} here and was {:?}", shapes.0, shapes.1);
                return fault(slot, message + " in the model that the run began with");
            }
        }
        let is_there = |slot: &&Slot| recording.slots.iter().any(|s| s.name == slot.name);
        if all && let Some(slot) = self.slots.iter().find(|s| !is_there(s)) {
            let message = "the model that the run began with has this latent or parameter, this one lacks it";
            return fault(slot, message.to_string());
        }
        for (site, here) in recording.sites.iter().filter_map(|s| Some((s, Domain::of(s)?))) {
            let first = self.domains.iter().find(|d| d.is_of(&here));
            if let Some(first) = first.filter(|first| **first != here) {
                let text = format!("it is {here} here and was {first} in the model that the run began with");
                return Err(Error::at_site(&site.address, site.place, text));
            }
        }
        Ok(())
    }
}

fn recorded(reason: &'static str) -> Warning {
    Warning::BatchesRecorded { reason }
}

/// Where the values of a latent or parameter lie.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Domain {
    address: String,
    is_guide: bool,
    support: &'static str,
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.support)
    }
}

impl Domain {
    /// Returns the domain of a site that has one.
    fn of(site: &SiteRecord) -> Option<Self> {
        let support = match site.support? {
            Bounded::Real => "a real number",
            Bounded::Positive => "positive",
            Bounded::UnitInterval => "between zero and one",
            Bounded::Interval(..) => "between two bounds",
            Bounded::Simplex => "on the simplex",
            Bounded::Ordered => "ordered",
            Bounded::LowerCholesky => "a Cholesky factor",
            Bounded::Boolean | Bounded::Category(_) | Bounded::OneHot(_) | Bounded::Count(_) => "discrete",
        };
        matches!(site.kind, SiteKind::Latent | SiteKind::Param).then(|| Domain {
            address: site.address.clone(),
            is_guide: site.is_guide,
            support,
        })
    }

    /// Returns the domains of all latents and parameters of a recording.
    pub fn all(recording: &Recording) -> Vec<Self> {
        recording.sites.iter().filter_map(Domain::of).collect()
    }

    fn is_of(&self, other: &Domain) -> bool {
        self.address == other.address && self.is_guide == other.is_guide
    }
}
