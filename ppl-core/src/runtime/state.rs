//! What a run of a model keeps: sites, slots of inputs, plates, names.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::distributions::Kl;
use crate::distributions::support::Bounded;
use crate::error::Place;
use crate::runtime::handler::Handler;
use crate::runtime::slot_name::SlotName;
use crate::runtime::source::Source;
use crate::runtime::terms::{Collector, Density};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;
use crate::tensor::shape::Shape;

/// What a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// A random choice that inference is about.
    Latent,
    /// A random choice with a given value.
    Observed,
    /// A random choice set from outside: it has no density.
    Intervened,
    /// A value kept with the draws.
    Tracked,
    /// A term of the log density.
    Factor,
    /// A learnable value.
    Param,
}

/// A value in a recording without a borrow of its tape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held {
    /// A constant that is on no tape.
    Constant(f64),
    /// A node.
    Node(u32),
}

impl Held {
    /// Returns the value on the tape that it was recorded on.
    pub fn on(self, tape: &Tape) -> Var<'_> {
        match self {
            Held::Constant(x) => Var::constant(x),
            Held::Node(node) => Var::on(tape, node),
        }
    }
}

/// A site as it was met in a run.
#[derive(Clone, Debug)]
pub struct SiteRecord {
    /// The unique name, with prefixes and suffixes.
    pub address: String,
    /// Where it is written.
    pub place: Place,
    /// What it is.
    pub kind: SiteKind,
    /// The distribution, empty for sites without one.
    pub distribution: &'static str,
    /// Its parameters, with the plates as first axes where the flag says so.
    pub params: Vec<(&'static str, Held, bool)>,
    /// The set of its values, bounds with the plates as first axes, if it has a distribution.
    pub support: Option<Bounded<Held>>,
    /// Its divergence from others, where closed forms are known.
    pub kl: Option<Kl>,
    /// The value in the body of the model, with its plates.
    pub value: Held,
    /// The value with the plates as first axes: `[plates…, event…]`.
    pub stored: Held,
    /// The log density at its own draw, zero where it is masked, with the plates as first axes, if the draw was made
    /// [forward](crate::runtime::source::Latent::Forward): NaN tells of parameters that are not allowed.
    pub drawn_log_prob: Option<Held>,
    /// The log density of each of its rows, `[plates…]`, if the run [collects](crate::runtime::terms) it.
    pub log_prob: Option<Held>,
    /// Whether the values are isolated points.
    pub is_discrete: bool,
    /// Whether it is a site of a guide, not of the model.
    pub is_guide: bool,
    /// Whether it was drawn in place of an observation that is missing.
    pub is_missing: bool,
    /// Of a partly missing observation the numbers of the elements that are there.
    pub given: Vec<usize>,
    /// Of an observation of which missing elements were integrated out what was observed, NaN where nothing was, in the form of
    /// `stored`.
    pub raw: Option<Held>,
    /// Whether its log density is scaled or masked.
    pub is_weighted: bool,
    /// The plates that were open.
    pub plates: Vec<DimId>,
    /// The event shape.
    pub event: Shape,
}

/// A part of the vector of inputs: a latent or a parameter, unconstrained.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// What it is called.
    pub name: SlotName,
    /// Where the site is written.
    pub place: Place,
    /// The first element.
    pub offset: usize,
    /// `[plates…, unconstrained event…]`.
    pub shape: Shape,
    /// Whether the values are isolated points, which have no derivative.
    pub is_discrete: bool,
    /// Whether it is a parameter of a guide or model.
    pub is_param: bool,
    /// Of a parameter: its domain, and the number of axes behind its plates, unconstrained.
    pub domain: (Bounded<f64>, usize),
}

/// The values of inputs that an earlier run had, by name.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Where each slot starts, and how many values it has.
    pub places: HashMap<SlotName, (usize, usize)>,
    /// The values.
    pub values: Vec<f64>,
    /// The rows of subsampled plates, by address.
    pub rows: HashMap<String, Vec<usize>>,
}

/// A subsampled plate.
#[derive(Clone, Debug, PartialEq)]
pub struct Subsample {
    /// The name of the plate, with prefixes and its number among plates of that name.
    pub address: String,
    /// The data slot with the row numbers.
    pub slot: usize,
    /// The number of rows.
    pub full: usize,
    /// The number of rows taken.
    pub batch: usize,
}

/// The bookkeeping of a run.
pub(crate) struct State {
    pub source: Rc<dyn Source>,
    pub collector: Rc<dyn Collector>,
    pub handlers: Vec<Rc<dyn Handler>>,
    pub prefix: Vec<String>,
    pub suffix: Vec<usize>,
    pub plates: Vec<DimId>,
    /// The factor N/B of loops that really run over a subset.
    pub loop_scale: f64,
    pub sites: Vec<SiteRecord>,
    /// The sites that handlers left out of the density.
    pub hidden: Vec<(String, Place)>,
    pub by_address: HashMap<String, usize>,
    /// The sites of the guide, once it has ended.
    pub by_guide_address: HashMap<String, usize>,
    pub slots: Vec<Slot>,
    pub n_inputs: usize,
    pub initial: Vec<f64>,
    pub known: Rc<Known>,
    pub subsamples: Vec<Subsample>,
    pub plate_names: HashMap<String, usize>,
    /// The lengths of plates whose names are given by strings, and where they stand.
    pub named_plates: HashMap<String, (usize, Place)>,
    /// The address of each plate, by which other runs know it.
    pub plate_addresses: HashMap<DimId, String>,
    pub arguments: Vec<Option<usize>>,
    /// The names of the data arguments, in the same order.
    pub argument_names: Vec<&'static str>,
    /// The data slots of the guide, once it has ended.
    pub guide_arguments: Vec<Option<usize>>,
    /// Whether plates run over all rows in place of a batch.
    pub whole_plates: bool,
    /// Whether what is missing of a partly missing observation is integrated out of the density; otherwise it is drawn.
    pub integrates: bool,
    /// The partly missing observations of which the model reads what is missing: it is a latent of the density.
    pub imputed: BTreeSet<u64>,
    /// Whether the run is a prediction, whose plates may have any number of rows.
    pub is_prediction: bool,
}

impl State {
    pub(crate) fn new(source: Rc<dyn Source>, known: Rc<Known>) -> Self {
        State {
            source,
            collector: Rc::new(Density),
            handlers: Vec::new(),
            prefix: Vec::new(),
            suffix: Vec::new(),
            plates: Vec::new(),
            loop_scale: 1.0,
            sites: Vec::new(),
            hidden: Vec::new(),
            by_address: HashMap::new(),
            by_guide_address: HashMap::new(),
            slots: Vec::new(),
            n_inputs: 0,
            initial: Vec::new(),
            known,
            subsamples: Vec::new(),
            plate_names: HashMap::new(),
            named_plates: HashMap::new(),
            plate_addresses: HashMap::new(),
            arguments: Vec::new(),
            argument_names: Vec::new(),
            guide_arguments: Vec::new(),
            whole_plates: false,
            integrates: true,
            imputed: BTreeSet::new(),
            is_prediction: false,
        }
    }

    /// Returns the name of a slot: a parameter of the guide of this name is another one.
    pub(crate) fn slot_name(&self, site: &str) -> SlotName {
        let of_guide = self.by_guide_address.get(site);
        match of_guide.is_some_and(|&k| self.sites[k].kind == SiteKind::Param) {
            true => SlotName::OfModel(site.to_string()),
            false => SlotName::Own(site.to_string()),
        }
    }

    /// Ends the part of a run that belongs to a guide: names and plates begin anew, inputs and sites stay.
    pub(crate) fn end_guide(&mut self) {
        self.by_guide_address = std::mem::take(&mut self.by_address);
        self.plate_names.clear();
        self.named_plates.clear();
        self.guide_arguments = std::mem::take(&mut self.arguments);
        self.sites.iter_mut().for_each(|s| s.is_guide = true);
    }
}
