//! Values given to sites from outside: which site takes which, and whether each was taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{ArrayD, Axis};

use crate::error::{Error, Place};
use crate::runtime::arguments_key::{ArgumentsKey, Bits};
use crate::runtime::context::Ctx;
use crate::runtime::handlers::choice::{listed, met_sites};
use crate::runtime::sites::{SiteNames, SiteValues};
use crate::runtime::state::SiteKind;
use crate::runtime::stop::{Res, Stop};

/// The values of a handler.
///
/// A site takes the value of its own name, or else its row of a value for a family: `z[k]` takes row k of a value for `z`,
/// and `s[0].w[1]` the element `[0, 1]` of one for `s.w`, or the element `[1]` of one for `s[0].w`.
#[derive(Clone, Debug)]
pub(super) struct Assignments {
    values: Arc<SiteValues>,
}

impl Assignments {
    pub(super) fn new(values: SiteValues) -> Self {
        Assignments {
            values: Arc::new(values),
        }
    }

    /// Returns the value for a site, if there is one.
    pub(super) fn value_of(&self, address: &str) -> Option<ArrayD<f64>> {
        let (_, value, numbers) = self.owner(address)?;
        row(value, &numbers)
    }

    pub(super) fn hash_into(&self, key: &mut ArgumentsKey) {
        for (name, value) in self.values.iter() {
            key.put(name);
            value.0.put_bits(key);
        }
    }

    /// Returns the name and the value that a site belongs to, with the numbers that pick its row.
    fn owner(&self, address: &str) -> Option<(&str, &ArrayD<f64>, Vec<usize>)> {
        let owners = self
            .values
            .iter()
            .filter_map(|(name, value)| Some((name, &value.0, numbers_beyond(name, address)?)));
        owners.min_by_key(|(_, _, numbers)| numbers.len())
    }

    /// Returns an error if a value has no site or rows without one, or a site of a family no row of the value.
    ///
    /// Where the course of the run depends on values, sites that were not met may be met in another run.
    pub(super) fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        let takes = |kind| matches!(kind, SiteKind::Latent | SiteKind::Observed | SiteKind::Intervened);
        self.check_among(ctx, met_sites(ctx, takes), "site")
    }

    /// As [`Assignments::check`], for values that only latents take.
    pub(super) fn check_latents(&self, ctx: Ctx<'_>) -> Res<()> {
        self.check_among(ctx, met_latents(ctx), "latent")
    }

    /// Returns an error if no latent takes a value.
    pub(super) fn check_some_latent(&self, ctx: Ctx<'_>) -> Res<()> {
        let met = met_latents(ctx);
        if ctx.tape().is_tainted() || met.iter().any(|(address, _)| self.owner(address).is_some()) {
            return Ok(());
        }
        let own: Vec<&str> = self.values.iter().map(|(name, _)| name).collect();
        let met: Vec<&str> = met.iter().map(|(address, _)| address.as_str()).collect();
        let message = format!(
            "the model has none of the sites of the draws that it is to start from, {}: its latents are {}",
            listed(&own),
            listed(&met)
        );
        Err(Stop(Error::Invalid(message)))
    }

    fn check_among(&self, ctx: Ctx<'_>, met: Vec<(String, Place)>, noun: &str) -> Res<()> {
        let mut lengths: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (address, place) in &met {
            let Some((name, value, numbers)) = self.owner(address) else {
                continue;
            };
            if row(value, &numbers).is_none() {
                let message = format!(
                    "the value given to `{name}` has shape {:?}: no row for it",
                    value.shape()
                );
                return Err(Stop(Error::at_site(address, *place, message)));
            }
            let lengths = lengths.entry(name).or_default();
            lengths.resize(lengths.len().max(numbers.len()), 0);
            lengths
                .iter_mut()
                .zip(&numbers)
                .for_each(|(n, &k)| *n = (*n).max(k + 1));
        }
        if ctx.tape().is_tainted() {
            return Ok(());
        }
        let addresses: Vec<&str> = met.iter().map(|(address, _)| address.as_str()).collect();
        for (name, value) in self.values.iter() {
            let Some(lengths) = lengths.get(name) else {
                return Err(Stop(Error::Invalid(untaken(name, &addresses, noun))));
            };
            let own = &value.0.shape()[..lengths.len()];
            if own != lengths.as_slice() {
                let message = format!(
                    "the value given to `{name}` has shape {:?}, and the model has sites of this name for {lengths:?} rows",
                    value.0.shape()
                );
                return Err(Stop(Error::Invalid(message)));
            }
        }
        Ok(())
    }
}

/// Returns the latents of the model that a run met.
fn met_latents(ctx: Ctx<'_>) -> Vec<(String, Place)> {
    let state = ctx.state();
    let latents = state.sites.iter().filter(|s| !s.is_guide && s.kind == SiteKind::Latent);
    latents.map(|s| (s.address.clone(), s.place)).collect()
}

/// Says that no site takes the value of `name`, and which sites there are.
fn untaken(name: &str, met: &[&str], noun: &str) -> String {
    let family = SiteNames::default().with(name);
    let members: Vec<&str> = met.iter().copied().filter(|a| family.contains(a)).collect();
    match members.first() {
        Some(first) => format!(
            "`{name}` is no site that takes a value, it has the sites {}: give each its value by its whole name, as in \
             `|s| SiteValues::from(s).with(\"{first}\", …).into()`",
            listed(&members)
        ),
        None => format!(
            "a value was given to `{name}`, and the model has no such {noun}; it has {}",
            listed(met)
        ),
    }
}

/// Returns the numbers in brackets that `address` has beyond `name`, or `None` if they differ in anything else.
fn numbers_beyond(name: &str, address: &str) -> Option<Vec<usize>> {
    let (mut name, mut rest) = (name, address);
    let mut numbers = Vec::new();
    loop {
        let (text, brackets) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
        name = name.strip_prefix(text)?;
        if brackets.is_empty() {
            return name.is_empty().then_some(numbers);
        }
        let (number, after) = brackets.split_at(brackets.find(']')? + 1);
        match name.strip_prefix(number) {
            Some(left) => name = left,
            None => numbers.push(number[1..number.len() - 1].parse().ok()?),
        }
        rest = after;
    }
}

/// Returns the part of a value that numbers pick, if it has that part.
fn row(value: &ArrayD<f64>, numbers: &[usize]) -> Option<ArrayD<f64>> {
    let mut part = value.view();
    for &k in numbers {
        if part.ndim() == 0 || k >= part.len_of(Axis(0)) {
            return None;
        }
        part = part.index_axis_move(Axis(0), k);
    }
    Some(part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{arr0, array};

    #[test]
    fn a_site_of_a_loop_takes_its_row() {
        let values = Assignments::new(
            SiteValues::default()
                .with("z", array![[1.0, 2.0], [3.0, 4.0]])
                .with("z[5]", 9.0),
        );
        assert_eq!(values.value_of("z[1]"), Some(array![3.0, 4.0].into_dyn()));
        assert_eq!(values.value_of("z[1][0]"), Some(arr0(3.0).into_dyn()));
        assert_eq!(values.value_of("z[5]"), Some(arr0(9.0).into_dyn()));
        assert_eq!(values.value_of("z[2]"), None);
        assert_eq!(values.value_of("y[0]"), None);
    }

    #[test]
    fn a_site_of_a_submodel_in_a_loop_takes_its_element() {
        let values = Assignments::new(
            SiteValues::default()
                .with("s.w", array![[1.0, 2.0], [3.0, 4.0]])
                .with("s[1].w", array![5.0, 6.0])
                .with("s.w.b", 7.0),
        );
        assert_eq!(values.value_of("s[0].w[1]"), Some(arr0(2.0).into_dyn()));
        assert_eq!(values.value_of("s[1].w[0]"), Some(arr0(5.0).into_dyn()));
        assert_eq!(values.value_of("s[2].w[0]"), None);
        assert_eq!(values.value_of("s.w.b"), Some(arr0(7.0).into_dyn()));
        assert_eq!(values.value_of("s[0].v[1]"), None);
    }
}
