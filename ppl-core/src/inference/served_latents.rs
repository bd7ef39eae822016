//! Latents from a draw: a source that serves what was drawn elsewhere, and draws what is left.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, Place, Result};
use crate::inference::predicted_sites::{Origin, PredictedSite};
use crate::inference::row_words::{RowWords, Word, choice, family_of};
use crate::ops::gather::gather;
use crate::runtime::context::Ctx;
use crate::runtime::recording::Recording;
use crate::runtime::sites::SiteNames;
use crate::runtime::source::{Latent, LatentSite, Source};
use crate::runtime::state::SiteKind;
use crate::runtime::stop::{Res, Stop};
use crate::tape::var::Var;
use crate::tensor::shape::size;

/// How often a model may be run until the words about its plates have reached all sites.
const MAX_RUNS: usize = 100;

/// The latents of one draw by address: shape and values.
pub(crate) type LatentValues = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// What was said of plates, by address.
pub(crate) type PlateWords = BTreeMap<String, Word>;

/// How the values of a draw stand on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Baked into the recording.
    Constants,
    /// As inputs, so that the recording serves other draws too.
    Inputs,
}

/// What served latents are served from.
#[derive(Clone)]
pub(crate) struct Serving {
    /// What was said of rows.
    pub words: Arc<RowWords>,
    /// What is known of plates beforehand.
    pub plates: PlateWords,
    /// How values stand on the tape.
    pub served: Served,
}

/// Serves latents from a draw, on their supports, and draws those that it lacks or that are to be drawn anew.
pub(crate) struct ServedLatents {
    draw: Rc<LatentValues>,
    serving: Serving,
    /// What was said of plates, those included that the run found.
    plates: RefCell<PlateWords>,
    met: RefCell<Vec<Met>>,
    n_given: Cell<usize>,
}

/// A latent as it was met.
struct Met {
    address: String,
    place: Place,
    /// The plates around it: address, name, length.
    plates: Vec<(String, String, usize)>,
    word: Option<Word>,
    shape: Vec<usize>,
    decided: Result<Origin>,
}

/// Runs a model with the latents of a draw.
///
/// A word of a site is one of its plate, and may be met after other sites of that plate: the model runs again until all
/// have followed it.
///
/// # Errors
///
/// Those of the model; rows that are not those of the fit, where nothing was said of them; words that contradict each other.
pub(crate) fn serve(
    draw: LatentValues,
    serving: &Serving,
    record: impl Fn(Rc<dyn Source>) -> Result<Recording>,
) -> Result<(Recording, Rc<ServedLatents>)> {
    let (draw, mut plates) = (Rc::new(draw), serving.plates.clone());
    for _ in 0..MAX_RUNS {
        let source = Rc::new(ServedLatents {
            draw: Rc::clone(&draw),
            serving: serving.clone(),
            plates: RefCell::new(plates),
            met: RefCell::default(),
            n_given: Cell::new(0),
        });
        let recording = record(Rc::clone(&source) as Rc<dyn Source>)?;
        if source.is_settled() {
            source.check(&recording)?;
            return Ok((recording, source));
        }
        plates = source.plates.take();
    }
    let message = "the plates of the model change from run to run, so that words about their rows reach no end";
    Err(Error::Invalid(message.to_string()))
}

impl ServedLatents {
    /// Returns whether a latent was drawn, or a part of it.
    pub fn is_drawn(&self, address: &str) -> bool {
        let met = self.met.borrow();
        let own = met.iter().find(|m| m.address == address);
        own.is_some_and(|m| !matches!(m.decided, Ok(Origin::TakenOver)))
    }

    /// Returns what is known of plates after the run.
    pub fn plates(&self) -> PlateWords {
        self.plates.borrow().clone()
    }

    /// Returns the latents in the order in which they were met, and where each came from.
    pub fn sites(&self, recording: &Recording) -> Vec<PredictedSite> {
        let met = self.met.borrow();
        let found: HashMap<&str, &Met> = met.iter().map(|m| (m.address.as_str(), m)).collect();
        let kept = recording.kept_sites().filter_map(|site| {
            let origin = match (site.kind, found.get(site.address.as_str())) {
                (SiteKind::Tracked, _) => Origin::Tracked,
                (_, Some(_)) if site.is_missing => Origin::Missing,
                (_, Some(met)) => met.decided.clone().ok()?,
                // A handler gave it the value of a run.
                (_, None) => Origin::Given,
            };
            Some(PredictedSite {
                address: site.address.clone(),
                shape: recording.values_of(site).1,
                origin,
                has_rows: !site.plates.is_empty() || self.is_in_loop(&site.address),
            })
        });
        kept.collect()
    }

    /// Refuses a recording that would not depend on the fit: of a model with neither served latents nor parameters.
    pub fn check_shared(&self, recording: &Recording, model: &str) -> Result<()> {
        if self.n_given.get() > 0 || recording.slots.iter().any(|s| s.is_param) {
            return Ok(());
        }
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.dedup();
            names.join(", ")
        };
        let met = self.met.borrow();
        let known = met
            .iter()
            .map(|m| m.address.as_str())
            .filter(|site| self.draw.contains_key(*site));
        let known: Vec<&str> = known.collect();
        Err(Error::Invalid(if known.is_empty() {
            let known = sorted(self.draw.keys().map(String::as_str).collect());
            format!("model {model} has none of the latents that were drawn, which are {known}")
        } else {
            let sites = sorted(known);
            format!(
                "all latents of model {model} that were drawn are drawn anew: {sites}; predictions would not depend on the fit: \
                 draw them by `Prior`"
            )
        }))
    }

    /// Returns whether a site belongs to a loop, or comes before one as the first of its family.
    fn is_in_loop(&self, address: &str) -> bool {
        let member = |other: &String| other.strip_prefix(address).is_some_and(|rest| rest.starts_with('['));
        address.contains('[') || self.draw.keys().any(member)
    }

    /// Returns whether all sites followed what is known of their plates now.
    fn is_settled(&self) -> bool {
        let plates = self.plates.borrow();
        let same = |m: &Met| {
            let again = self.decide(m, &plates);
            again.is_ok() == m.decided.is_ok() && again.ok() == m.decided.clone().ok()
        };
        self.serving.words.is_empty() || self.met.borrow().iter().all(same)
    }

    /// Looks at a finished run.
    fn check(&self, recording: &Recording) -> Result<()> {
        let (met, plates) = (self.met.borrow(), self.plates.borrow());
        // What is known of plates by now tells which remedy is left.
        if let Some(error) = met.iter().find_map(|m| self.decide(m, &plates).err()) {
            return Err(error);
        }
        for param in recording.sites.iter().filter(|s| s.kind == SiteKind::Param) {
            let around = param.plates.iter().filter_map(|d| recording.plate_addresses.get(d));
            if let Some((plate, word)) = around.filter_map(|plate| plates.get_key_value(plate)).next() {
                let message = format!(
                    "`{}` was said of its plate `{}`, and a `param` has no distribution to draw other rows from: give it one \
                     with `sample`",
                    word.name(),
                    plate_name(plate)
                );
                return Err(Error::at_site(&param.address, param.place, message));
            }
        }
        Ok(())
    }

    /// Decides where a site's value comes from.
    fn decide(&self, met: &Met, plates: &PlateWords) -> Result<Origin> {
        let fault = |message: String| Err(Error::at_site(&met.address, met.place, message));
        let of_plate = |plate: &(String, String, usize)| plates.get(&plate.0).copied();
        if met.word == Some(Word::New) || met.plates.iter().any(|p| of_plate(p) == Some(Word::New)) {
            return Ok(Origin::DrawnAnew);
        }
        let Some((shape, _)) = self.draw.get(&met.address) else {
            return Ok(Origin::DrawnAnew);
        };
        let n_plates = met.plates.len();
        let event = &met.shape[n_plates..];
        if shape.len() != met.shape.len() {
            let message = format!(
                "its draws have the shape {shape:?}, here it has {:?}: it lies in other plates, or has another event",
                met.shape
            );
            return fault(message);
        }
        if shape[n_plates..] != *event {
            return fault(format!(
                "its draws have the shape {shape:?}, here its event is {event:?}"
            ));
        }
        let mut is_longer = false;
        for (plate, &before) in met.plates.iter().zip(shape) {
            let (name, now) = (&plate.1, plate.2);
            let more = met.word == Some(Word::More) || of_plate(plate) == Some(Word::More);
            is_longer |= now > before;
            if now < before || (now > before && !more) {
                return fault(self.other_length(met, name, [before, now], more));
            }
        }
        Ok(match is_longer {
            true => Origin::Extended(shape[..n_plates].to_vec()),
            false => Origin::TakenOver,
        })
    }

    /// Says that a plate has another length than in the fit, and what to do.
    fn other_length(&self, met: &Met, plate: &str, [before, now]: [usize; 2], more: bool) -> String {
        let site = choice(&met.address);
        let lengths = format!("plate `{plate}` has {now} rows here and had {before} in the fit");
        let anew = format!("`new_rows({site})` draws all of them anew");
        match (now > before, more) {
            (true, _) => format!(
                "{lengths}, and its draws are those of the same rows. Before `predict`, {anew}, and `more_rows({site})` keeps \
                 the {before} and draws the later ones"
            ),
            (false, true) => format!(
                "{lengths}, and `more_rows` keeps all rows of the fit: pass the data of all {before}, in their order. For other \
                 rows, {anew}"
            ),
            (false, false) => format!(
                "{lengths}, and its draws are those of the same rows: pass the data of all {before}, in their order. For other \
                 rows, {anew}"
            ),
        }
    }

    /// Returns a value of the draw as it stands on the tape, with the open plates.
    fn given<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>, before: &[usize]) -> Var<'t> {
        let (shape, values) = &self.draw[site.address];
        let stored = match self.serving.served {
            Served::Constants => ctx.tape().constant_array(shape, values.iter().copied()),
            Served::Inputs => ctx.input(site.address, site.place, shape, false, false, || values.clone()),
        };
        if *before == site.rows[..] {
            return ctx.rows_of(stored, &site.event);
        }
        let tape = ctx.tape();
        let rows: Vec<f64> = old_rows(before, &site.rows)
            .map(|row| row.unwrap_or(0) as f64)
            .collect();
        let with_rows = |n_rows: usize| -> Vec<usize> { [&[n_rows], &site.event[..]].concat() };
        let of_rows = tape.alias(stored, &[], &with_rows(size(before)));
        let picked = gather(of_rows, tape.constant_array(&[rows.len()], rows.iter().copied()));
        let shape: Vec<usize> = [&site.rows[..], &site.event[..]].concat();
        ctx.rows_of(tape.alias(picked, &[], &shape), &site.event)
    }
}

/// Returns for each row of plates with the lengths `now` the row among those with the lengths `before`, if it is one.
fn old_rows<'a>(before: &'a [usize], now: &'a [usize]) -> impl Iterator<Item = Option<usize>> + 'a {
    (0..size(now)).map(move |row| {
        let (mut rest, mut old, mut step) = (row, 0, 1);
        for (&n_before, &n_now) in before.iter().zip(now).rev() {
            let k = rest % n_now;
            rest /= n_now;
            if k >= n_before {
                return None;
            }
            old += k * step;
            step *= n_before;
        }
        Some(old)
    })
}

/// Returns the name of a plate of this address.
fn plate_name(address: &str) -> &str {
    let name = address.split('#').next().unwrap_or(address);
    let name = name.rsplit('.').next().unwrap_or(name);
    name.split('[').next().unwrap_or(name)
}

impl Source for ServedLatents {
    fn serves_missing(&self, address: &str) -> bool {
        self.draw.contains_key(address)
    }

    fn latent<'t>(&self, ctx: Ctx<'t>, site: &LatentSite<'_, 't>) -> Res<Latent<'t>> {
        let has_rows = !site.rows.is_empty() || self.is_in_loop(site.address);
        let word = if has_rows {
            self.serving.words.of(site.address)?
        } else {
            None
        };
        let plates: Vec<(String, String, usize)> = {
            let state = ctx.state();
            let around = state.plates.iter().zip(&site.rows).map(|(dim, &n)| {
                let address = state.plate_addresses.get(dim).cloned().unwrap_or_default();
                (address, ctx.tape().dim(*dim).name, n)
            });
            around.collect()
        };
        if let (Some(word), Some((plate, name, _))) = (word, plates.last()) {
            let known = *self.plates.borrow_mut().entry(plate.clone()).or_insert(word);
            if known != word {
                let message = format!(
                    "`{}` names it, and `{}` another site of its plate `{name}`, whose rows can be but one of the two",
                    word.name(),
                    known.name()
                );
                return Err(Stop(Error::at_site(site.address, site.place, message)));
            }
        }
        let mut met = Met {
            address: site.address.to_string(),
            place: site.place,
            plates,
            word,
            shape: [&site.rows[..], &site.event[..]].concat(),
            decided: Ok(Origin::DrawnAnew),
        };
        met.decided = self.decide(&met, &self.plates.borrow());
        let decided = met.decided.clone();
        self.met.borrow_mut().push(met);
        match decided {
            Ok(Origin::TakenOver) => {
                self.n_given.set(self.n_given.get() + 1);
                Ok(Latent::Value(self.given(ctx, site, &site.rows)))
            }
            Ok(Origin::Extended(before)) => {
                self.n_given.set(self.n_given.get() + 1);
                let is_given = old_rows(&before, &site.rows).map(|row| row.is_some() as u8 as f64);
                let is_given = ctx.tape().constant_array(&site.rows, is_given);
                Ok(Latent::ForwardBeside {
                    given: self.given(ctx, site, &before),
                    is_given: ctx.rows_of(is_given, &[]),
                })
            }
            // Another site may still speak for its plate.
            Err(error) if self.serving.words.is_empty() => Err(Stop(error)),
            _ => Ok(Latent::Forward),
        }
    }
}

/// Refuses words that did not find what they name: `sites` are all that any run met, `fitted` those of the fit, and `is_fixed`
/// tells whether all runs meet the same.
pub(crate) fn check_words<'a>(
    words: &RowWords,
    sites: &[PredictedSite],
    mut fitted: impl Iterator<Item = &'a str>,
    is_fixed: bool,
) -> Result<()> {
    for (word, name) in words.names() {
        let own = SiteNames::default().with(name);
        let found: Vec<&PredictedSite> = sites
            .iter()
            .filter(|s| s.is_drawable() && own.contains(&s.address))
            .collect();
        let word_of = |name: &str| format!("`{}({})`", word.name(), choice(name));
        if found.is_empty() {
            let mut there: Vec<String> = sites
                .iter()
                .filter(|s| s.is_drawable())
                .map(|s| family_of(&s.address))
                .collect();
            there.dedup();
            return Err(Error::Invalid(format!(
                "{} names a site that the model does not draw; it draws {}",
                word_of(name),
                there.join(", ")
            )));
        }
        if !found.iter().any(|s| s.has_rows) {
            return Err(Error::Invalid(format!(
                "{} names a site outside of plates and loops, which has no rows: leave it out; to draw it from its prior, \
                 `block` it in the model",
                word_of(name)
            )));
        }
        let is_lost =
            |site: &&str| own.contains(site) && site.contains('[') && !found.iter().any(|s| s.address == *site);
        if word == Word::More
            && is_fixed
            && let Some(lost) = fitted.find(is_lost)
        {
            return Err(Error::Invalid(format!(
                "{} keeps all steps of the fit, and the model has no site {lost}: pass the data of all steps, or leave the word out",
                word_of(name)
            )));
        }
    }
    Ok(())
}
