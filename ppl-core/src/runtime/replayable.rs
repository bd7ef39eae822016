//! Whether a model can be replayed, and if not, which line of it stands in the way.

use crate::diagnostics::Warning;
use crate::program::structure::{first_difference, structure_key};
use crate::runtime::recording::Recording;
use crate::runtime::state::{Held, SiteRecord};

/// Returns why a model is recorded anew at each evaluation, given two recordings of it at different values, or `None` if
/// both have one structure and a program made from either serves all values.
pub fn hindrance(first: &Recording, second: &Recording) -> Option<Warning> {
    if let Some(read) = value_read(first).or_else(|| value_read(second)) {
        return Some(read);
    }
    let (a, b) = (first.tape.records(), second.tape.records());
    if structure_key(&a) == structure_key(&b) {
        return None;
    }
    let node = first_difference(&a, &b);
    let site = first.site_after(node).or(second.sites.last());
    Some(Warning::HiddenDependence {
        site: site.map(|s| (s.address.clone(), s.place)),
    })
}

/// Returns the warning of a recording that depends on a value which was read out of it.
pub fn value_read(recording: &Recording) -> Option<Warning> {
    let place = recording.tape.tainted_at()?;
    Some(Warning::RecordedAnew { place })
}

impl Recording {
    /// Returns the first site that node `node` or a later one belongs to, or else the last site.
    fn site_after(&self, node: u32) -> Option<&SiteRecord> {
        let records = self.tape.records();
        let is_at_or_after = |held: Held| matches!(held, Held::Node(own) if own >= node);
        let has_term = |number: usize| {
            let mut terms = records.terms.iter();
            terms.any(|t| t.site as usize == number && t.node >= node)
        };
        let found = self
            .sites
            .iter()
            .enumerate()
            .find(|(number, s)| is_at_or_after(s.value) || is_at_or_after(s.stored) || has_term(*number));
        found.map(|(_, site)| site).or(self.sites.last())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::distributions::Normal;
    use crate::error::Place;
    use crate::rng::Key;
    use crate::runtime::recording::Recorder;
    use crate::tape::store::Precision;
    use ppl_macros::model;

    #[model(crate = crate)]
    fn plain() {
        let a = sample(Normal(0, 1));
        let b = sample(Normal(a, 1));
    }

    #[model(crate = crate)]
    fn reads() {
        let a = sample(Normal(0, 1));
        let scale = if a > 0.0 { 1.0 } else { 2.0 }; // read
        let b = sample(Normal(a, scale));
    }

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[model(crate = crate)]
    fn counts() {
        let a = sample(Normal(0, 1));
        let b = sample(Normal(a, 1));
        let c = sample(Normal(b * (RUNS.fetch_add(1, Relaxed) as f64), 1)); // counts
        let d = sample(Normal(c, 1));
    }

    fn twice(model: &impl crate::runtime::model::Model) -> Option<Warning> {
        let record = |seed| Recorder::density(Precision::F64, Key::new(seed)).record(model).unwrap();
        hindrance(&record(1), &record(2))
    }

    fn line_of(code: &str) -> u32 {
        let lines = include_str!("replayable.rs").lines();
        1 + lines.take_while(|line| !line.ends_with(code)).count() as u32
    }

    #[test]
    fn the_line_that_reads_a_value_is_named_and_a_hidden_dependence_by_its_site() {
        assert_eq!(twice(&plain()), None);
        let place = |code| Place {
            file: file!(),
            line: line_of(code),
        };
        let read = Warning::RecordedAnew {
            place: place("// read"),
        };
        assert_eq!(twice(&reads()), Some(read));
        let site = Some(("c".to_string(), place("// counts")));
        assert_eq!(twice(&counts()), Some(Warning::HiddenDependence { site }));
    }
}
