//! A finished run of a model: its tape, its sites and the slots of its inputs.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::program::compile::{Program, Roots};
use crate::program::constants::constant_nodes;
use crate::program::passes::Passes;
use crate::rng::Key;
use crate::runtime::context::{Ctx, Run};
use crate::runtime::handler::Handler;
use crate::runtime::model::Body;
use crate::runtime::source::{FromInputs, FromPrior, Source};
use crate::runtime::state::{Held, Known, SiteKind, SiteRecord, Slot, Subsample};
use crate::runtime::stop::Res;
use crate::runtime::terms::{Collector, Density};
use crate::tape::record::Tape;
use crate::tape::records::depends;
use crate::tape::store::{Precision, Scalar};
use crate::tensor::dims::DimId;

/// A finished run.
pub struct Recording {
    /// What was recorded.
    pub tape: Tape,
    /// The sites in the order in which they were met.
    pub sites: Vec<SiteRecord>,
    /// The parts of the vector of inputs.
    pub slots: Vec<Slot>,
    /// The values of the inputs at recording.
    pub initial: Vec<f64>,
    /// The subsampled plates.
    pub subsamples: Vec<Subsample>,
    /// For each data argument of the model the data slot, if its data are in memory.
    pub arguments: Vec<Option<usize>>,
    /// The same for a guide that was recorded before the model.
    pub guide_arguments: Vec<Option<usize>>,
    /// The address of each plate.
    pub plate_addresses: HashMap<DimId, String>,
    /// The addresses of plates that were given a name, without numbers.
    named_plates: HashSet<String>,
}

/// A compiled density whose outputs are the numbers that pick rows.
pub struct WithIndexes<F> {
    /// The density.
    pub program: Program<F>,
    /// For each output the number of rows that the precision tells apart: its elements, rounded, must lie from zero to it.
    pub n_rows: Vec<usize>,
}

/// How a model is run.
#[derive(Clone)]
pub struct Recorder {
    /// The precision of the tape.
    pub precision: Precision,
    /// The key of all random numbers of the run.
    pub key: Key,
    /// Where latents come from.
    pub source: Rc<dyn Source>,
    /// What is made of the terms of the log density.
    pub collector: Rc<dyn Collector>,
    /// Values of inputs by address; others get starting values.
    pub known: Rc<Known>,
    /// Handlers around the model, outermost first.
    pub handlers: Vec<Rc<dyn Handler>>,
    /// Whether plates run over all rows in place of a batch.
    pub whole_plates: bool,
    /// Whether what is missing of a partly missing observation is integrated out of the density, unless the model reads it;
    /// otherwise it is drawn.
    pub integrates: bool,
    /// The partly missing observations of which the model was found to read what is missing.
    pub imputed: Rc<RefCell<BTreeSet<u64>>>,
    /// Whether the run is a prediction, whose plates may have any number of rows, whatever `batch` and `total` are.
    pub is_prediction: bool,
}

impl Recorder {
    /// Returns a recorder whose latents are inputs of the density.
    pub fn density(precision: Precision, key: Key) -> Self {
        Recorder {
            precision,
            key,
            source: Rc::new(FromInputs),
            collector: Rc::new(Density),
            known: Rc::default(),
            handlers: Vec::new(),
            whole_plates: false,
            integrates: true,
            imputed: Rc::default(),
            is_prediction: false,
        }
    }

    /// Returns a recorder whose latents are drawn from the prior.
    pub fn prior(precision: Precision, key: Key) -> Self {
        Recorder {
            source: Rc::new(FromPrior),
            integrates: false,
            ..Recorder::density(precision, key)
        }
    }

    /// Returns this recorder with values for inputs.
    pub fn with_values(&self, slots: &[Slot], values: Vec<f64>) -> Self {
        let places = slots
            .iter()
            .map(|s| (s.name.clone(), (s.offset, s.shape.iter().product())));
        let known = Known {
            places: places.collect(),
            values,
            rows: self.known.rows.clone(),
        };
        Recorder {
            known: Rc::new(known),
            ..self.clone()
        }
    }

    /// Returns this recorder with the values that another recording had.
    pub fn with_recording(&self, recording: &Recording) -> Self {
        self.with_values(&recording.slots, recording.initial.clone())
    }

    /// Returns this recorder with rows for subsampled plates, by address.
    pub fn with_rows(&self, rows: HashMap<String, Vec<usize>>) -> Self {
        let known = Known {
            rows,
            ..(*self.known).clone()
        };
        Recorder {
            known: Rc::new(known),
            ..self.clone()
        }
    }

    /// Runs a model once.
    ///
    /// # Errors
    ///
    /// Those of the model's body: a site, a plate or an operation at fault.
    pub fn record(&self, model: &dyn Body) -> Result<Recording> {
        self.imputing(|| {
            let run = self.start();
            let outcome = {
                let ctx = run.ctx();
                ctx.expect_arguments(|visitor| model.visit_arguments(visitor));
                model.run_body(ctx).and_then(|()| ctx.check())
            };
            (run, outcome.map_err(|stop| stop.into_error()))
        })
    }

    /// Returns the recording of a run, which is repeated if it read what is missing of an observation that was integrated out:
    /// that is then a latent.
    pub(crate) fn imputing(&self, once: impl Fn() -> (Run, Result<()>)) -> Result<Recording> {
        loop {
            let (run, outcome) = once();
            let read = run.tape.read_missing();
            let is_found = self.integrates && !read.is_subset(&self.imputed.borrow());
            match outcome {
                Err(_) if is_found => self.imputed.borrow_mut().extend(read),
                outcome => return outcome.map(|()| Recording::from_run(run)),
            }
        }
    }

    /// Runs a body once, as a model.
    ///
    /// # Errors
    ///
    /// Those of the body.
    pub fn record_with(&self, body: impl for<'t> FnOnce(Ctx<'t>) -> Res<()>) -> Result<Recording> {
        let run = self.start();
        let outcome = {
            let ctx = run.ctx();
            body(ctx).and_then(|()| ctx.check())
        };
        outcome.map_err(|stop| stop.into_error())?;
        Ok(Recording::from_run(run))
    }

    /// Returns an empty run.
    pub(crate) fn start(&self) -> Run {
        let tape = Tape::new(self.precision, self.key);
        let run = Run::new(tape, Rc::clone(&self.source), Rc::clone(&self.known));
        {
            let mut state = run.state.borrow_mut();
            state.handlers = self.handlers.clone();
            state.collector = Rc::clone(&self.collector);
            state.whole_plates = self.whole_plates;
            state.integrates = self.integrates;
            state.imputed = self.imputed.borrow().clone();
            state.is_prediction = self.is_prediction;
        }
        run
    }
}

impl Recording {
    pub(crate) fn from_run(run: Run) -> Self {
        let state = run.state.into_inner();
        Recording {
            tape: run.tape,
            sites: state.sites,
            slots: state.slots,
            initial: state.initial,
            subsamples: state.subsamples,
            arguments: state.arguments,
            guide_arguments: state.guide_arguments,
            plate_addresses: state.plate_addresses,
            named_plates: state.named_plates.into_keys().collect(),
        }
    }

    /// Returns the length of the vector of inputs.
    pub fn n_inputs(&self) -> usize {
        self.initial.len()
    }

    /// Returns a site by its address.
    pub fn site(&self, address: &str) -> Option<&SiteRecord> {
        self.sites.iter().find(|s| s.address == address)
    }

    /// Returns the values of a site, `[plates…, event…]`, and their shape.
    pub fn values_of(&self, site: &SiteRecord) -> (Vec<f64>, Vec<usize>) {
        match site.stored {
            Held::Constant(x) => (vec![x], Vec::new()),
            Held::Node(node) => (self.tape.elements_of(node), self.tape.records().shape(node).to_vec()),
        }
    }

    /// Returns the sites whose values are kept as draws: latents and tracked values.
    pub fn kept_sites(&self) -> impl Iterator<Item = &SiteRecord> {
        self.sites
            .iter()
            .filter(|s| matches!(s.kind, SiteKind::Latent | SiteKind::Tracked) && !s.is_guide)
    }

    /// Returns the scalars among the kept values that data give, as sites with numbers of elements: in every draw they are the
    /// same.
    pub fn given_elements(&self) -> HashSet<(String, usize)> {
        let elements = |site: &'_ SiteRecord| {
            let of_site = |&i: &usize| (site.address.clone(), i);
            site.given.iter().map(of_site).collect::<Vec<_>>()
        };
        self.kept_sites().flat_map(elements).collect()
    }

    /// Returns what the dimension of a plate is called in results.
    ///
    /// A plate that was given a name is called so, in whichever step of a loop it stands; any other by its index, `i`, with
    /// the prefixes of submodels and the numbers of loops, later plates of that name `i_1`, `i_2`, ….
    pub(crate) fn dimension(&self, plate: DimId) -> Option<String> {
        let (name, count) = self.plate_addresses.get(&plate)?.rsplit_once('#')?;
        Some(match (self.named_plates.contains(name), count) {
            (true, _) => without_numbers(name),
            (false, "0") => name.to_string(),
            (false, count) => format!("{name}_{count}"),
        })
    }

    /// Compiles the log density; the rows of subsampled plates are rebound between evaluations, other data are fixed.
    pub fn density<F: Scalar>(&self, passes: Passes) -> Program<F> {
        let rebound = self.rebound();
        Program::compile(
            &self.tape.records(),
            &Roots {
                density: true,
                rebound: &rebound,
                ..Roots::default()
            },
            passes,
        )
    }

    /// Compiles the log density with data slots rebound beside the rows of subsampled plates, and the numbers that pick
    /// rows as outputs.
    pub fn density_with_data<F: Scalar>(&self, slots: impl Iterator<Item = usize>) -> WithIndexes<F> {
        let mut rebound = self.rebound();
        slots.for_each(|slot| rebound[slot] = true);
        let indexes = self.indexes(&rebound);
        let nodes: Vec<u32> = indexes.iter().map(|&(node, _)| node).collect();
        let roots = Roots {
            density: true,
            outputs: &nodes,
            rebound: &rebound,
        };
        WithIndexes {
            program: Program::compile(&self.tape.records(), &roots, Passes::default()),
            n_rows: indexes
                .into_iter()
                .map(|(_, n)| n.min(F::PRECISION.n_indexes() as usize))
                .collect(),
        }
    }

    /// Returns the nodes that pick rows and change with rebound data alone, each with the number of rows to pick from.
    ///
    /// The row numbers of subsampled plates are not among them: they are in range by construction.
    fn indexes(&self, rebound: &[bool]) -> Vec<(u32, usize)> {
        let records = self.tape.records();
        let constant = constant_nodes(&records, rebound, true);
        let own: Vec<u32> = self.subsamples.iter().map(|s| records.slots[s.slot]).collect();
        let index_of = |node: u32| {
            let operand = records.args(node)[records.nodes[node as usize].def.index?];
            let n = &records.nodes[operand as usize];
            let changes = !constant[operand as usize] && n.depends == depends::DATA && !own.contains(&n.root);
            changes.then(|| (operand, records.attrs(node)[0] as usize))
        };
        let mut found: Vec<_> = (0..records.nodes.len() as u32).filter_map(index_of).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Compiles the values of the given sites as functions of the inputs.
    ///
    /// # Errors
    ///
    /// If a site's value is a constant number, which no program computes.
    pub fn values<F: Scalar>(&self, sites: &[&SiteRecord]) -> Result<Program<F>> {
        self.values_and(sites, &[])
    }

    /// As [`Recording::values`], with the log densities of what was drawn
    /// [forward](crate::runtime::source::Latent::Forward) as further outputs.
    ///
    /// # Errors
    ///
    /// Those of [`Recording::values`].
    pub fn values_and_checks<F: Scalar>(&self, sites: &[&SiteRecord]) -> Result<Program<F>> {
        let node = |s: &SiteRecord| match s.drawn_log_prob {
            Some(Held::Node(node)) => Some(node),
            _ => None,
        };
        self.values_and(sites, &self.sites.iter().filter_map(node).collect::<Vec<_>>())
    }

    fn values_and<F: Scalar>(&self, sites: &[&SiteRecord], further: &[u32]) -> Result<Program<F>> {
        let mut nodes: Vec<u32> = sites
            .iter()
            .map(|site| match site.stored {
                Held::Node(node) => Ok(node),
                Held::Constant(_) => Err(Error::at_site(&site.address, site.place, "the value is a constant")),
            })
            .collect::<Result<_>>()?;
        nodes.extend_from_slice(further);
        Ok(self.outputs(&nodes))
    }

    /// Compiles the values of nodes as functions of the inputs.
    pub(crate) fn outputs<F: Scalar>(&self, nodes: &[u32]) -> Program<F> {
        let rebound = self.rebound();
        let roots = Roots {
            density: false,
            outputs: nodes,
            rebound: &rebound,
        };
        Program::compile(&self.tape.records(), &roots, Passes::default())
    }

    /// Returns for each data slot whether it changes between evaluations.
    fn rebound(&self) -> Vec<bool> {
        let mut rebound = vec![false; self.tape.records().slots.len()];
        for s in &self.subsamples {
            rebound[s.slot] = true;
        }
        rebound
    }
}

/// Returns an address without the numbers of loops: `a[0].i[2]` is `a.i`.
fn without_numbers(address: &str) -> String {
    let parts = address.split('[').enumerate();
    let outside = parts.map(|(k, part)| match k {
        0 => part,
        _ => part.split_once(']').map_or(part, |(_, after)| after),
    });
    outside.collect()
}
