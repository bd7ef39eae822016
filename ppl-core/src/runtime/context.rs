//! The context of a run: what the words of the language do.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use crate::distributions::Dist;
use crate::distributions::erased::AnyDist;
use crate::distributions::family::{Family, ObsKind};
use crate::distributions::support::Bounded;
use crate::error::{Error, Place};
use crate::kernels::random::fill_uniform;
use crate::ops::param::{IntoVar, Param};
use crate::rng::{Key, name_hash};
use crate::runtime::argument::{DataArg, ObsArg};
use crate::runtime::columns::{Columns, KindOf};
use crate::runtime::data::{Data, DataVisitor};
use crate::runtime::data_source::{DataSource, Handle};
use crate::runtime::model::Sample;
use crate::runtime::site::Site;
use crate::runtime::source::Source;
use crate::runtime::state::{Held, Known, SiteKind, SiteRecord, Slot, State};
use crate::runtime::stop::{Poisoned, Res, Stop};
use crate::runtime::terms::{Computed, Part, Term};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;
use crate::tensor::shape::{Shape, size};

/// A tape with the bookkeeping of one run of a model.
pub struct Run {
    pub(crate) tape: Tape,
    pub(crate) state: RefCell<State>,
}

impl Run {
    /// Returns an empty run on `tape`, whose latents come from `source`.
    pub(crate) fn new(tape: Tape, source: Rc<dyn Source>, known: Rc<Known>) -> Self {
        Run {
            tape,
            state: RefCell::new(State::new(source, known)),
        }
    }

    /// Returns the handle that models run in.
    pub(crate) fn ctx(&self) -> Ctx<'_> {
        Ctx { run: self }
    }
}

/// The handle of a run, which the macro passes to every word; user code never names it.
#[derive(Clone, Copy)]
pub struct Ctx<'t> {
    pub(crate) run: &'t Run,
}

impl<'t> Ctx<'t> {
    /// Returns the tape.
    pub fn tape(self) -> &'t Tape {
        &self.run.tape
    }

    pub(crate) fn state(self) -> RefMut<'t, State> {
        self.run.state.borrow_mut()
    }

    /// Returns the error that an operation since the last word left behind.
    pub(crate) fn check(self) -> Res<()> {
        self.tape().take_error().map_or(Ok(()), |error| Err(Stop(error)))
    }

    /// Returns the unique name of a site here, with the prefixes of enclosing models and the suffixes of loops.
    pub fn address(self, name: &str) -> String {
        let state = self.state();
        let mut address = String::with_capacity(name.len() + 8);
        for part in &state.prefix {
            address.push_str(part);
            address.push('.');
        }
        address.push_str(name);
        for k in &state.suffix {
            address.push_str(&format!("[{k}]"));
        }
        address
    }

    /// Records the columns of a data argument as slots of the program.
    pub fn data<A: Columns + ?Sized>(self, argument: &DataArg<'_, A>) -> A::Of<Var<'t>> {
        argument.values(&mut |source| self.slot_of(source))
    }

    /// Records an observed argument, or a stand-in if it is missing.
    pub fn observed<A: ?Sized>(self, argument: &ObsArg<'_, A>) -> Var<'t> {
        self.slot_of(argument.source())
    }

    fn slot_of(self, source: &DataSource<'_>) -> Var<'t> {
        let tape = self.tape();
        let mut slot = None;
        let value = match source {
            DataSource::Array(data) => {
                slot = Some(tape.records().slots.len());
                tape.data(&data.shape(), |buffer| data.write(buffer))
            }
            DataSource::Partly(data) => {
                slot = Some(tape.records().slots.len());
                if let Some(fault) = data.fault() {
                    tape.fail(Error::Invalid(fault));
                }
                let value = tape.data(&data.shape(), |buffer| data.write(buffer));
                tape.mark_partly(value);
                value
            }
            DataSource::Value(handle) => self.attach(handle),
            DataSource::Missing(shape) => tape.missing(shape.as_deref()),
        };
        let mut state = self.state();
        if state.prefix.is_empty() {
            let is_own = !matches!(source, DataSource::Value(_));
            if let Some(&name) = state.argument_names.get(state.arguments.len()).filter(|_| is_own) {
                tape.name_argument(value, name);
            }
            state.arguments.push(slot);
        }
        drop(state);
        value
    }

    /// Takes the names of the data arguments of the model or guide that runs next, for messages.
    pub(crate) fn expect_arguments(self, visit: impl FnOnce(&mut dyn DataVisitor)) {
        struct Names(Vec<&'static str>);
        impl DataVisitor for Names {
            fn visit(&mut self, argument: &'static str, _: Option<&dyn Data>) {
                self.0.push(argument);
            }
        }
        let mut names = Names(Vec::new());
        visit(&mut names);
        self.state().argument_names = names.0;
    }

    /// Returns the value of an enclosing model that was handed to this one.
    pub fn attach(self, handle: &Handle<'_>) -> Var<'t> {
        let foreign = || Error::Invalid("a value of one recording is used in another".to_string());
        handle
            .attach(self.tape())
            .unwrap_or_else(|| self.tape().fail(foreign()))
    }

    /// Draws from a distribution, or runs a submodel or a random module with the site's name as a prefix.
    ///
    /// # Errors
    ///
    /// If a site is at fault.
    pub fn sample<S: Sample<'t, Out = O>, O>(self, site: Site, from: S) -> Res<O> {
        self.check()?;
        from.draw(self, site)
    }

    /// Observes `value` under a distribution, or draws where the observation is missing.
    ///
    /// # Errors
    ///
    /// If the shapes do not fit, or the name is taken.
    pub fn observe<D: Dist<'t>>(self, site: Site, value: impl IntoVar<'t>, mut dist: D) -> Res<Var<'t>> {
        self.observe_any(site, value.into_param(), &mut dist)
    }

    fn observe_any(self, site: Site, value: Param<'t>, dist: &mut dyn AnyDist<'t>) -> Res<Var<'t>> {
        self.check()?;
        let value = value.on(self.tape());
        if self.tape().is_missing(value) {
            let drawn = self.sample_any(site, dist)?;
            self.note_missing(site, Vec::new());
            self.tape().fill_missing(value, drawn);
            return Ok(drawn);
        }
        let value = self.tape().filled(value);
        match self.tape().partly(value) {
            Some(number) => self.observe_partly(site, value, number, dist),
            None => self.observe_value(site, value, dist),
        }
    }

    /// Keeps that the last site was drawn in place of an observation, of which the elements with the numbers `given` are there.
    pub(crate) fn note_missing(self, site: Site, given: Vec<usize>) {
        let address = self.address(site.name);
        if let Some(last) = self.state().sites.last_mut().filter(|last| last.address == address) {
            last.is_missing = true;
            last.given = given;
        }
    }

    /// Observes a model argument of type `A`, whose elements must be of the kind that the distribution explains.
    ///
    /// # Errors
    ///
    /// As [`Ctx::observe`].
    pub fn observe_as<A: ObsKind<<D as Family>::Kind> + ?Sized, D: Dist<'t>>(
        self,
        site: Site,
        value: impl IntoVar<'t>,
        dist: D,
    ) -> Res<Var<'t>> {
        self.observe(site, value, dist)
    }

    /// Observes a column of an argument, whose elements must be of the kind that the distribution explains.
    ///
    /// # Errors
    ///
    /// As [`Ctx::observe`].
    pub fn observe_column<A: ObsKind<<D as Family>::Kind> + ?Sized, D: Dist<'t>>(
        self,
        _: KindOf<A>,
        site: Site,
        value: impl IntoVar<'t>,
        dist: D,
    ) -> Res<Var<'t>> {
        self.observe(site, value, dist)
    }

    /// Keeps a value with the draws.
    ///
    /// # Errors
    ///
    /// If the name is taken.
    pub fn track(self, site: Site, value: impl IntoVar<'t>) -> Res<()> {
        self.check()?;
        let value = self.tape().lift(value.into_param().on(self.tape()));
        self.check_room(&self.address(site.name), site.place(), &value.event_shape())?;
        let record = self.site_record(site, SiteKind::Tracked, value);
        self.add_site(record).map(drop)
    }

    /// Adds a term to the log density; inside a plate that it does not depend on, it counts for each row.
    ///
    /// # Errors
    ///
    /// If the name is taken.
    pub fn factor(self, site: Site, value: impl IntoVar<'t>) -> Res<()> {
        self.check()?;
        let tape = self.tape();
        let value = tape.lift(value.into_param().on(tape));
        let mut record = self.site_record(site, SiteKind::Factor, value);
        record.address = format!("{}#{}", record.address, self.state().sites.len());
        let number = self.add_site(record)?;
        self.term(&Term::plain(number, Part::Factor, &Computed(value)));
        Ok(())
    }

    /// Runs a submodel with the site's name as a prefix.
    ///
    /// # Errors
    ///
    /// Those of the body.
    pub fn submodel<T>(self, site: Site, body: impl FnOnce(Ctx<'t>) -> Res<T>) -> Res<T> {
        let mut name = site.name.to_string();
        let suffix = std::mem::take(&mut self.state().suffix);
        for k in &suffix {
            name.push_str(&format!("[{k}]"));
        }
        self.state().prefix.push(name);
        let out = body(self);
        let mut state = self.state();
        state.prefix.pop();
        state.suffix = suffix;
        out
    }

    /// Keeps an error inside a closure, where words cannot end the model, and returns a stand-in value.
    pub fn poison<T: Poisoned>(self, result: Res<T>) -> T {
        result.unwrap_or_else(|stop| {
            self.tape().fail(stop.0);
            T::poisoned()
        })
    }

    /// Stands where the macro found a mistake, which it reported.
    ///
    /// # Panics
    ///
    /// Always; code that holds it does not compile.
    pub fn hole(self) -> Var<'t> {
        unreachable!("the macro reported a mistake here")
    }

    /// Records a slot of the vector of inputs, `shape` being `[plates…, free event…]`.
    ///
    /// Its values are those known by its name, or else `initial`.
    pub(crate) fn input(
        self,
        address: &str,
        place: Place,
        shape: &[usize],
        is_discrete: bool,
        is_param: bool,
        initial: impl FnOnce() -> Vec<f64>,
    ) -> Var<'t> {
        let n = size(shape);
        let known = Rc::clone(&self.state().known);
        let name = self.state().slot_name(address);
        let values = match known.places.get(&name) {
            Some(&(at, len)) if len == n => known.values[at..at + len].to_vec(),
            // A draw that an error on the tape kept from being made is a single NaN.
            _ => Some(initial())
                .filter(|x| x.len() == n)
                .unwrap_or_else(|| vec![f64::NAN; n]),
        };
        let mut state = self.state();
        let offset = state.n_inputs;
        state.n_inputs += n;
        state.initial.extend_from_slice(&values);
        state.slots.push(Slot {
            name,
            place,
            offset,
            shape: Shape::from_slice(shape),
            is_discrete,
            is_param,
            domain: (Bounded::Real, 0),
        });
        drop(state);
        self.tape().input(offset, &[], shape, &values, is_discrete)
    }

    /// Refuses a site whose value of shape `[plates…, event…]` finds no room in memory.
    pub(crate) fn check_room(self, address: &str, place: Place, event: &[usize]) -> Res<()> {
        let mut shape = self.plate_lengths();
        shape.extend_from_slice(event);
        match self.tape().lack(&shape) {
            None => Ok(()),
            Some(why) => Err(Stop(Error::at_site(address, place, format!("it needs {why}")))),
        }
    }

    /// Returns a starting point for an unconstrained slot: uniform on (−2, 2), as Stan does.
    pub(crate) fn spread(self, address: &str, shape: &[usize]) -> Vec<f64> {
        let mut out = vec![0.0; size(shape)];
        fill_uniform(self.key_of(address), &mut out);
        out.iter_mut().for_each(|x| *x = 4.0 * *x - 2.0);
        out
    }

    fn key_of(self, address: &str) -> Key {
        self.tape().key().split(name_hash(address))
    }

    /// Returns the lengths of the open plates, all rows in memory counted.
    pub(crate) fn plate_lengths(self) -> Shape {
        self.state()
            .plates
            .iter()
            .map(|&d| self.tape().dim(d).in_memory)
            .collect()
    }

    /// Returns the lengths of the open plates, of subsampled ones the batch.
    pub(crate) fn batch_lengths(self) -> Shape {
        self.state().plates.iter().map(|&d| self.tape().dim(d).len).collect()
    }

    /// Gives a value `[plates…, event…]` the open plates as dimensions; of a subsampled plate it takes the rows.
    pub(crate) fn rows_of(self, stored: Var<'t>, event: &[usize]) -> Var<'t> {
        let tape = self.tape();
        let plates = self.state().plates.clone();
        let lengths: Shape = plates.iter().map(|&d| tape.dim(d).len).collect();
        let own = stored.event_shape();
        if own.len() >= plates.len() && own[..plates.len()] == lengths[..] {
            return tape.alias(stored, &plates, event);
        }
        plates
            .iter()
            .fold(stored, |x, &dim| x[crate::tape::var::Ix { tape, dim }])
    }

    /// Gives a value with plates as dimensions the form `[plates…, event…]`; plates that it lacks are repeated.
    pub(crate) fn stored(self, x: Var<'t>) -> Var<'t> {
        let tape = self.tape();
        let plates = self.state().plates.clone();
        let event = x.event_shape();
        let full = if plates.iter().all(|d| x.dims().contains(d)) {
            tape.lift(x)
        } else {
            crate::ops::broadcast::broadcast_to(tape, tape.lift(x), &plates, &event)
        };
        let mut shape: Shape = full.dims().iter().map(|&d| tape.dim(d).len).collect();
        shape.extend_from_slice(&event);
        tape.alias(full, &[], &shape)
    }

    /// Returns by how much a term counts: N/B for each plate that it depends on, N for each other.
    pub(crate) fn multiplicity(self, dims: &[DimId]) -> f64 {
        let state = self.state();
        let plates = state.plates.iter().map(|&d| {
            let dim = self.tape().dim(d);
            if dims.contains(&d) {
                dim.full as f64 / dim.len as f64
            } else {
                dim.full as f64
            }
        });
        plates.product::<f64>() * state.loop_scale
    }

    /// Returns a record of a site here without a distribution.
    pub(crate) fn site_record(self, site: Site, kind: SiteKind, value: Var<'t>) -> SiteRecord {
        let stored = if matches!(kind, SiteKind::Factor) {
            value
        } else {
            self.stored(value)
        };
        SiteRecord {
            address: self.address(site.name),
            place: site.place(),
            kind,
            distribution: "",
            params: Vec::new(),
            support: None,
            kl: None,
            value: hold(value),
            stored: hold(stored),
            drawn_log_prob: None,
            log_prob: None,
            is_discrete: false,
            is_guide: false,
            is_missing: false,
            raw: None,
            given: Vec::new(),
            is_weighted: false,
            plates: self.state().plates.clone(),
            event: value.event_shape(),
        }
    }

    /// Keeps a parameter of a distribution: of one with plates the form with plates as first axes.
    pub(crate) fn hold_param(self, name: &'static str, value: Var<'t>) -> (&'static str, Held, bool) {
        let has_plates = !value.dims().is_empty();
        (
            name,
            hold(if has_plates { self.stored(value) } else { value }),
            has_plates,
        )
    }

    /// Returns a value that was kept.
    pub(crate) fn unhold(self, value: Held) -> Var<'t> {
        value.on(self.tape())
    }

    /// Adds a site of a guide that is made while the model runs, and returns its number.
    pub(crate) fn add_guide_site(self, record: SiteRecord) -> u32 {
        let mut state = self.state();
        state.sites.push(SiteRecord {
            is_guide: true,
            ..record
        });
        state.sites.len() as u32 - 1
    }

    /// Adds a site and returns its number.
    pub(crate) fn add_site(self, record: SiteRecord) -> Res<u32> {
        let mut state = self.state();
        let number = state.sites.len();
        if let Some(&other) = state.by_address.get(&record.address) {
            let message = format!("the name is taken by the site at {}", state.sites[other].place);
            return Err(Stop(Error::at_site(record.address, record.place, message)));
        }
        state.by_address.insert(record.address.clone(), number);
        state.sites.push(record);
        Ok(number as u32)
    }
}

/// Returns a value without the borrow of its tape.
pub(crate) fn hold(x: Var<'_>) -> Held {
    x.as_constant().map_or_else(|| Held::Node(x.node()), Held::Constant)
}
