//! The bridge from models to samplers: a model becomes a log density on unconstrained vectors.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostics::Warning;
use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::inference::discrete::Discrete;
use crate::inference::model_facts::ModelFacts;
use crate::inference::site_values::{SiteProgram, write_recording};
use crate::inference::sizes::{KeptShape, check_draws, kept_shapes};
use crate::inference::transition::State;
use crate::log_density::LogDensity;
use crate::program::compile::Program;
use crate::program::passes::Passes;
use crate::program::workspace::Workspace;
use crate::rng::Key;
use crate::runtime::context::Ctx;
use crate::runtime::model::Body;
use crate::runtime::recording::{Recorder, Recording};
use crate::runtime::replayable::hindrance;
use crate::runtime::source::{FromInputs, Latent, LatentSite, Source};
use crate::runtime::state::{Held, Slot};
use crate::runtime::stop::Res;
use crate::tape::gradient::gradient;
use crate::tape::records::depends;
use crate::tape::store::Precision;

/// How many starting points are tried before a model counts as impossible.
pub(crate) const MAX_STARTS: u64 = 100;

/// The log density of a model on the vector of its unconstrained latents, shared by all chains.
///
/// A model whose recording does not depend on values is compiled once and replayed; any other is recorded anew at each
/// evaluation ([`Potential::is_replayed`] tells which). The latents lie in the vector in the order in which the model
/// meets them ([`Potential::slots`]).
pub struct Potential<'m> {
    model: &'m (dyn Body + Sync),
    key: Key,
    slots: Vec<Slot>,
    discrete: Vec<Option<Discrete>>,
    dim: usize,
    program: Option<Program<f64>>,
    kept: Option<SiteProgram>,
    hindrance: Option<Warning>,
    kept_shapes: Vec<KeptShape>,
    given: HashSet<(String, usize)>,
    facts: ModelFacts,
}

impl<'m> Potential<'m> {
    /// Records a model twice, at different points, and compiles it if both recordings have one structure.
    ///
    /// # Errors
    ///
    /// If the model cannot be recorded, has a `param`, or its density depends on fresh random draws.
    pub fn new(model: &'m (dyn Body + Sync), key: Key) -> Result<Self> {
        let supports = Rc::new(Supports::default());
        let recorder = |k| Recorder {
            source: Rc::clone(&supports) as Rc<dyn Source>,
            ..recorder(key.split(k))
        };
        let first = recorder(0).record(model)?;
        // The second point is another one, whatever values the chains are to start from.
        supports.is_elsewhere.set(true);
        let second = recorder(1).record(model)?;
        check_params(&first)?;
        check_noise(&first)?;
        let hindrance = hindrance(&first, &second);
        let is_replayed = hindrance.is_none();
        let found = supports.found.borrow();
        Ok(Potential {
            model,
            key: key.split(2),
            discrete: first.slots.iter().map(|s| found.get(s.name.site()).copied()).collect(),
            dim: first.n_inputs(),
            program: is_replayed.then(|| first.density(Passes::default())),
            kept: if is_replayed {
                Some(SiteProgram::new(&first)?)
            } else {
                None
            },
            kept_shapes: kept_shapes(&first),
            given: first.given_elements(),
            facts: ModelFacts::of(model.model_name(), &first, is_replayed)?,
            slots: first.slots,
            hindrance,
        })
    }

    /// Returns whether evaluations replay a compiled program; otherwise each runs the model.
    pub fn is_replayed(&self) -> bool {
        self.program.is_some()
    }

    /// Returns why evaluations do not replay a program, with the line of the model that is in the way.
    pub fn hindrance(&self) -> Option<&Warning> {
        self.hindrance.as_ref()
    }

    /// Refuses draws for which there is no room in memory.
    pub(crate) fn check_draws(&self, n_chains: usize, n_draws: usize) -> Result<()> {
        check_draws(&self.kept_shapes, n_chains, n_draws)
    }

    /// Returns what results keep of the model.
    pub(crate) fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// Returns the scalars that data give, which do not move: sites with numbers of elements.
    pub(crate) fn given(&self) -> &HashSet<(String, usize)> {
        &self.given
    }

    /// Returns the length of the vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the parts of the vector, one for each latent site.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns for each slot the kind of its points, `None` for continuous latents.
    pub fn discrete(&self) -> &[Option<Discrete>] {
        &self.discrete
    }

    /// Returns the density with buffers of its own, for one chain.
    pub fn evaluator(&self) -> Evaluator<'_> {
        let engine = match &self.program {
            Some(program) => Engine::Replay {
                workspace: program.workspace(),
                program,
            },
            None => Engine::Record(Rerun::new(self)),
        };
        Evaluator {
            potential: self,
            engine,
        }
    }

    /// Returns a starting point with a finite log density: unconstrained latents uniform on (−2, 2), discrete ones drawn
    /// from the prior.
    ///
    /// # Errors
    ///
    /// If none of a hundred points has a finite log density: the error names the site at fault in the last of them.
    pub fn start(&self, key: Key) -> Result<State> {
        let mut fault = None;
        for attempt in 0..MAX_STARTS {
            let recording = recorder(key.split(attempt)).record(self.model)?;
            self.check_layout(&recording.slots)?;
            let log_density = recording.tape.log_density();
            if log_density.is_finite() {
                return Ok(State::new(recording.initial, log_density));
            }
            fault = recording.fault();
        }
        let message = || Error::Invalid(format!("the log density is not finite at {MAX_STARTS} starting points"));
        Err(fault.unwrap_or_else(message))
    }

    /// Returns the kept values at draws of the vector, `positions: [draw, dim]`, as one chain.
    ///
    /// # Errors
    ///
    /// If the model fails at a draw.
    pub fn constrain(&self, positions: &[f64], n_draws: usize) -> Result<Draws> {
        let mut draws = Draws::new(1, n_draws);
        let row = |draw_idx: usize| &positions[draw_idx * self.dim..][..self.dim];
        match &self.kept {
            Some(kept) => {
                let mut workspace = kept.workspace();
                (0..n_draws).try_for_each(|i| kept.write(&mut workspace, row(i), i, &mut draws))?;
            }
            None => {
                let mut rerun = Rerun::new(self);
                (0..n_draws).try_for_each(|i| rerun.at(self, row(i), |r| write_recording(r, i, &mut draws))?)?;
            }
        }
        Ok(draws)
    }

    fn check_layout(&self, slots: &[Slot]) -> Result<()> {
        if slots.len() == self.slots.len() && slots.iter().zip(&self.slots).all(|(a, b)| is_same(a, b)) {
            return Ok(());
        }
        let differs = slots
            .iter()
            .enumerate()
            .find(|(i, slot)| self.slots.get(*i).is_none_or(|own| !is_same(slot, own)));
        let site = differs.map_or_else(|| &self.slots[slots.len()], |(_, slot)| slot);
        let message = "the latents change from run to run, and a vector of fixed length cannot hold them: use \
                       `Mh::default().proposal(Proposal::SingleSite)`";
        Err(Error::at_site(site.name.to_string(), site.place, message))
    }
}

/// Returns whether two slots are the same part of the vector.
fn is_same(a: &Slot, b: &Slot) -> bool {
    a.name == b.name && a.offset == b.offset && a.shape == b.shape && a.is_discrete == b.is_discrete
}

/// Returns how samplers run a model: over all rows of its plates.
pub(crate) fn recorder(key: Key) -> Recorder {
    Recorder {
        whole_plates: true,
        ..Recorder::density(Precision::F64, key)
    }
}

fn check_params(recording: &Recording) -> Result<()> {
    let Some(slot) = recording.slots.iter().find(|s| s.is_param) else {
        return Ok(());
    };
    let message =
        "a `param` has no prior, so that it has no posterior: give it one with `sample`, or learn it by `Svi`";
    Err(Error::at_site(slot.name.to_string(), slot.place, message))
}

/// Refuses a density or a kept value that would be another at each evaluation.
fn check_noise(recording: &Recording) -> Result<()> {
    let records = recording.tape.records();
    let is_random = |node: u32| records.nodes[node as usize].depends & depends::NOISE != 0;
    let terms = records
        .terms
        .iter()
        .filter(|t| records.args(t.node).iter().any(|&a| is_random(a)));
    let noisy_terms = terms.map(|t| &recording.sites[t.site as usize]);
    let noisy_values = recording
        .kept_sites()
        .filter(|s| matches!(s.stored, Held::Node(node) if is_random(node)));
    let Some(site) = noisy_terms.chain(noisy_values).next() else {
        return Ok(());
    };
    let message = "it depends on a fresh random draw, such as that of a blocked site: condition that site instead";
    Err(Error::at_site(&site.address, site.place, message))
}

/// Makes latents inputs, and notes the kinds of discrete ones.
#[derive(Default)]
struct Supports {
    found: RefCell<HashMap<String, Discrete>>,
    is_elsewhere: Cell<bool>,
}

impl Source for Supports {
    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        if let Some(kind) = Discrete::of(&site.support) {
            self.found.borrow_mut().insert(site.address.to_string(), kind);
        }
        let start = site.start.as_ref().filter(|_| !self.is_elsewhere.get());
        FromInputs::starting_at(start, ctx, site)
    }
}

/// The density of a [`Potential`] with the buffers of one chain.
pub struct Evaluator<'p> {
    potential: &'p Potential<'p>,
    engine: Engine<'p>,
}

enum Engine<'p> {
    Replay {
        program: &'p Program<f64>,
        workspace: Workspace<f64>,
    },
    Record(Rerun),
}

impl LogDensity for Evaluator<'_> {
    fn dim(&self) -> usize {
        self.potential.dim
    }

    fn value(&mut self, position: &[f64]) -> Result<f64> {
        match &mut self.engine {
            Engine::Replay { program, workspace } => Ok(program.value(workspace, position)),
            Engine::Record(rerun) => rerun.at(self.potential, position, |r| r.tape.log_density()),
        }
    }

    fn value_and_gradient(&mut self, position: &[f64], out: &mut [f64]) -> Result<f64> {
        match &mut self.engine {
            Engine::Replay { program, workspace } => Ok(program.value_and_gradient(workspace, position, out)),
            Engine::Record(rerun) => rerun.at(self.potential, position, |r| {
                out.copy_from_slice(&gradient(&r.tape));
                r.tape.log_density()
            }),
        }
    }
}

/// Runs a model again and again at other values.
struct Rerun {
    recorder: Recorder,
}

impl Rerun {
    fn new(potential: &Potential<'_>) -> Self {
        let values = vec![0.0; potential.dim];
        Rerun {
            recorder: recorder(potential.key).with_values(&potential.slots, values),
        }
    }

    /// Runs the model at `position` and lets `read` look at the recording.
    fn at<T>(&mut self, potential: &Potential<'_>, position: &[f64], read: impl FnOnce(&Recording) -> T) -> Result<T> {
        Rc::make_mut(&mut self.recorder.known).values.copy_from_slice(position);
        let recording = self.recorder.record(potential.model)?;
        potential.check_layout(&recording.slots)?;
        Ok(read(&recording))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::Normal;
    use crate::runtime::handlers::ModelExt;
    use ppl_macros::model;

    /// Its body looks at a latent behind the back of the tape.
    #[model(crate = crate)]
    fn peeks() {
        let x = sample(Normal(0, 1));
        let scale = if x.elements()[0] > 3.0 { 1.0 } else { 2.0 };
        let y = sample(Normal(0, scale));
    }

    #[test]
    fn a_hidden_dependence_is_found_where_chains_are_to_start_at_a_given_point() {
        // Points that nobody gives lie between −2 and 2.
        let far = peeks().init(|s| s.x(5.0));
        let potential = Potential::new(&far, Key::new(1)).expect("both points have a density");
        let hindrance = potential.hindrance();
        assert!(
            matches!(hindrance, Some(Warning::HiddenDependence { .. })),
            "{hindrance:?}"
        );
    }
}
