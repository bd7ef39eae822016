//! What results keep of the model: its fingerprint, and the data that it was given.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::draws::{Draws, Kind, NamedAxis};
use crate::error::Result;
use crate::inference::attributes::Fingerprint;
use crate::inference::site_rows::{KeptSite, put};
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteKind, SiteRecord};

/// A model as its results remember it.
#[derive(Clone, Debug)]
pub(crate) struct ModelFacts {
    pub name: String,
    pub fingerprint: Fingerprint,
    /// The values of observed sites, as one draw of one chain; NaN where one is missing.
    pub observed: Draws,
    /// The arguments that are no observations, by name, as one draw of one chain.
    pub constant: Draws,
}

impl ModelFacts {
    /// Reads a recording; the sites of one that is replayed are the same in each.
    pub fn of(name: &str, recording: &Recording, is_replayed: bool) -> Result<Self> {
        let arguments = arguments(recording);
        Ok(ModelFacts {
            name: name.to_string(),
            fingerprint: fingerprint(name, recording, &arguments, is_replayed),
            observed: observed(recording)?,
            constant: constant(recording, &arguments)?,
        })
    }
}

/// An argument of a model whose data are in memory: its name and its node.
type Argument = (&'static str, u32);

/// Returns the arguments of the model, not of its submodels.
fn arguments(recording: &Recording) -> Vec<Argument> {
    let slots = recording.arguments.iter().flatten();
    let nodes = slots.map(|&slot| recording.tape.records().slots[slot]);
    let named = nodes.filter_map(|node| Some((recording.tape.argument_name(node)?, node)));
    named.collect()
}

fn fingerprint(name: &str, recording: &Recording, arguments: &[Argument], is_replayed: bool) -> Fingerprint {
    let records = recording.tape.records();
    let mut text = format!("model {name}");
    for &(argument, node) in arguments {
        let _ = write!(text, "\ndata {argument} {:?}", records.shape(node));
    }
    let own = recording.sites.iter().filter(|s| !s.is_guide && is_replayed);
    for site in own.filter(|s| s.kind != SiteKind::Factor) {
        let kept = KeptSite::of(recording, site);
        let shape: Vec<usize> = kept.shape().collect();
        let (address, kind, distribution) = (&site.address, site.kind, site.distribution);
        let _ = write!(text, "\n{kind:?} {address} {distribution} {shape:?} {:?}", kept.kind);
    }
    Fingerprint::of(text)
}

/// Returns the values of the observed sites; what was drawn or integrated out in place of a missing element is NaN.
fn observed(recording: &Recording) -> Result<Draws> {
    let mut data = Draws::new(1, 1);
    for site in recording.sites.iter().filter(|s| is_observed(s)) {
        let kept = KeptSite::of(recording, site);
        let (mut values, _) = recording.values_of(site);
        if let Some(held) = site.raw {
            values = recording.elements_of(held);
        } else if site.is_missing {
            let given: BTreeSet<usize> = site.given.iter().copied().collect();
            let absent = (0..values.len()).filter(|k| !given.contains(k));
            absent
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|k| values[k] = f64::NAN);
        }
        put(&mut data, 0, &kept, &values)?;
    }
    Ok(data)
}

/// Returns whether a site of the model has an observed value, or is one of which some elements are there.
fn is_observed(site: &SiteRecord) -> bool {
    let is_partly = site.is_missing && !site.given.is_empty();
    !site.is_guide && (site.kind == SiteKind::Observed || is_partly)
}

/// Returns the arguments from which no observed value is read.
fn constant(recording: &Recording, arguments: &[Argument]) -> Result<Draws> {
    let read = read_by_observations(recording);
    let mut data = Draws::new(1, 1);
    for &(name, node) in arguments.iter().filter(|(_, node)| !read.contains(node)) {
        let kept = KeptSite {
            address: name.to_string(),
            axes: NamedAxis::unnamed(name, recording.tape.records().shape(node)),
            kind: Kind::Real,
        };
        put(&mut data, 0, &kept, &recording.tape.elements_of(node))?;
    }
    Ok(data)
}

/// Returns the nodes that observed values are read from; the numbers by which elements are picked are not among them.
fn read_by_observations(recording: &Recording) -> BTreeSet<u32> {
    let records = recording.tape.records();
    let values = recording
        .sites
        .iter()
        .filter(|s| is_observed(s))
        .map(|s| s.raw.unwrap_or(s.value));
    let mut open: Vec<u32> = values
        .filter_map(|held| match held {
            Held::Node(node) => Some(node),
            Held::Constant(_) => None,
        })
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            let index = records.nodes[node as usize].def.index;
            let operands = records.args(node).iter().enumerate();
            open.extend(operands.filter(|(k, _)| Some(*k) != index).map(|(_, &operand)| operand));
        }
    }
    seen
}
