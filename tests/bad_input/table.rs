//! A table of bad inputs: each is tried when it is added, and those that were not refused well fail the test at its end.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use posterior::core::runtime::context::Ctx;
use posterior::core::runtime::data::DataVisitor;
use posterior::core::runtime::handlers::Trace;
use posterior::core::runtime::sites::{DrawsBySite, SiteAccessors, SiteNames};
use posterior::core::runtime::stop::Res;
use posterior::prelude::*;

/// The ways to run a model.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Mh,
    Svi,
    /// SVI in single precision.
    Single,
    Prior,
    Trace,
}

/// Every way.
pub const ALL: &[Way] = &[Way::Mh, Way::Svi, Way::Single, Way::Prior, Way::Trace];

/// The ways that score what is observed.
pub const SCORED: &[Way] = &[Way::Mh, Way::Svi, Way::Single];

/// The ways that score in double precision: for data that are other numbers in single precision.
pub const DOUBLE: &[Way] = &[Way::Mh, Way::Svi];

/// The ways that draw from the prior.
pub const DRAWN: &[Way] = &[Way::Prior, Way::Trace];

#[derive(Default)]
pub struct Table {
    faults: Vec<String>,
}

impl Table {
    /// Tries a call that has to be refused with an error which contains all of `words`.
    pub fn call<T, E: Display>(&mut self, name: &str, words: &[&str], call: impl FnOnce() -> Result<T, E>) {
        match catch_unwind(AssertUnwindSafe(|| call().map(drop).map_err(|error| error.to_string()))) {
            Ok(Err(text)) => self.expect(name, words, &text),
            Ok(Ok(())) => self.faults.push(format!("{name}: it succeeds")),
            Err(panic) => self.faults.push(format!("{name}: it panics: {}", message(&*panic))),
        }
    }

    /// Tries a misuse of the interface that has to panic with a message which contains all of `words`.
    pub fn misuse<T>(&mut self, name: &str, words: &[&str], call: impl FnOnce() -> T) {
        match catch_unwind(AssertUnwindSafe(|| drop(call()))) {
            Ok(()) => self.faults.push(format!("{name}: it succeeds")),
            Err(panic) => self.expect(name, words, &message(&*panic)),
        }
    }

    /// Runs a model in several ways, each of which has to end with an error which contains all of `words`.
    pub fn model<M: Model + Sync>(&mut self, name: &str, ways: &[Way], words: &[&str], model: &M) {
        for way in ways {
            self.call(&format!("{name}, {way:?}"), words, || way.run(&AnyModel(model)));
        }
    }

    fn expect(&mut self, name: &str, words: &[&str], text: &str) {
        println!("{name}: {text}");
        for word in words.iter().filter(|word| !text.contains(*word)) {
            self.faults.push(format!("{name}: `{word}` is not in: {text}"));
        }
        if text.len() < 20 || words.is_empty() {
            self.faults.push(format!("{name}: it says nothing: {text}"));
        }
    }

    /// Ends the table.
    pub fn finish(self) {
        assert!(self.faults.is_empty(), "\n{}\n", self.faults.join("\n"));
    }
}

/// A model of any type behind one, so that the algorithms are compiled once for all tables.
pub struct AnyModel<'m>(pub &'m dyn Body);

/// What [`AnyModel`] needs of a model.
pub trait Body: Sync {
    fn body<'t>(&'t self, ctx: Ctx<'t>) -> Res<()>;
    fn data(&self, visitor: &mut dyn DataVisitor);
    fn title(&self) -> &'static str;
}

impl<M: Model + Sync> Body for M {
    fn body<'t>(&'t self, ctx: Ctx<'t>) -> Res<()> {
        self.run(ctx).map(drop)
    }

    fn data(&self, visitor: &mut dyn DataVisitor) {
        self.visit_data(visitor);
    }

    fn title(&self) -> &'static str {
        self.name()
    }
}

/// The draws of no site.
pub struct NoAccessors;

impl From<Arc<dyn DrawsBySite>> for NoAccessors {
    fn from(_: Arc<dyn DrawsBySite>) -> Self {
        NoAccessors
    }
}

impl SiteAccessors for NoAccessors {
    type Names = SiteNames;
}

impl Model for AnyModel<'_> {
    type Out<'t>
        = ()
    where
        Self: 't;
    type Values = SiteValues;
    type Names = SiteNames;
    type Accessors = NoAccessors;

    fn run<'t>(&'t self, ctx: Ctx<'t>) -> Res<()> {
        self.0.body(ctx)
    }

    fn visit_data(&self, visitor: &mut dyn DataVisitor) {
        self.0.data(visitor);
    }

    fn name(&self) -> &'static str {
        self.0.title()
    }
}

impl Way {
    /// Runs a model, and returns the text of its error.
    pub fn run(self, model: &AnyModel) -> Result<(), String> {
        let text = |error: posterior::core::error::Error| error.to_string();
        match self {
            Way::Mh => mh().run(model).map(drop).map_err(text),
            Way::Svi => svi().run(model).map(drop).map_err(text),
            Way::Single => svi().precision(Precision::F32).run(model).map(drop).map_err(text),
            Way::Prior => Prior::default().draws(5).run(model).map(drop).map_err(text),
            Way::Trace => trace(model, 1).map(|_: Trace| ()).map_err(text),
        }
    }
}

/// A short run of Metropolis–Hastings.
pub fn mh() -> Mh {
    Mh::default().chains(1).draws(10).warmup(10).progress(Progress::Hidden)
}

/// A short run of SVI.
pub fn svi() -> Svi<AutoNormal, Adam> {
    Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(20)
        .progress(Progress::Hidden)
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// Returns the names of the cases in the source of a table: the strings that begin one.
pub fn names(source: &str) -> impl Iterator<Item = &str> {
    const CALLS: [&str; 4] = ["t.call(", "t.misuse(", "t.model(", "danger("];
    let begins = |line: &str| CALLS.iter().any(|call| line.trim_start().starts_with(call));
    let lines: Vec<&str> = source.lines().collect();
    let name = |i: usize| {
        let own = lines[i].split('"').nth(1);
        own.or_else(|| lines.get(i + 1)?.split('"').nth(1))
    };
    let found: Vec<&str> = (0..lines.len())
        .filter(|&i| begins(lines[i]))
        .filter_map(name)
        .collect();
    found.into_iter()
}
