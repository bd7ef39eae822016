//! Choices of sites: by typed name, or by a string for sites that have none.

use crate::error::{Error, Place};
use crate::runtime::context::Ctx;
use crate::runtime::sites::SiteNames;
use crate::runtime::state::SiteKind;
use crate::runtime::stop::{Res, Stop};

/// Sites of a model that a handler is about.
#[derive(Clone, Debug, Hash)]
pub struct Chosen {
    names: SiteNames,
    /// Whether the names are strings, which only a run can check.
    is_text: bool,
}

impl Chosen {
    /// Returns whether a site is chosen.
    pub fn contains(&self, address: &str) -> bool {
        self.names.contains(address)
    }

    /// Returns the names of sites and families.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter()
    }

    /// Returns an error if a run met no site of a name that was given as a string.
    ///
    /// Where the course of the run depends on values, the site may be met in another run.
    pub(super) fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        if !self.is_text || ctx.tape().is_tainted() {
            return Ok(());
        }
        let met = met_sites(ctx, |_| true);
        if met.iter().any(|(address, _)| self.contains(address)) {
            return Ok(());
        }
        let met: Vec<&str> = met.iter().map(|(address, _)| address.as_str()).collect();
        let wanted: Vec<&str> = self.names.iter().collect();
        let message = format!("the model has no site `{}`; it has {}", wanted.join(", "), listed(&met));
        Err(Stop(Error::Invalid(message)))
    }
}

/// Returns the sites of the model that a run met, of some kinds, and those that handlers hid.
pub(super) fn met_sites(ctx: Ctx<'_>, is_of_kind: impl Fn(SiteKind) -> bool) -> Vec<(String, Place)> {
    let state = ctx.state();
    let own = state.sites.iter().filter(|s| !s.is_guide && is_of_kind(s.kind));
    let own = own.map(|s| (s.address.clone(), s.place));
    own.chain(state.hidden.iter().cloned()).collect()
}

/// Returns names for a message, the first of many.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 20;
    match names.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST].join(", ")),
    }
}

/// A closure that chooses sites: `|s| s.mu()`, or `|s| s.a().b()` for several.
#[diagnostic::on_unimplemented(
    message = "sites are chosen by a closure, and this is a `{Self}`",
    label = "write `|s| s.mu()`, and `|s| s.a().b()` for several sites"
)]
pub trait Choose<N, S>: FnOnce(N) -> S {}

#[diagnostic::do_not_recommend]
impl<N, S, F: FnOnce(N) -> S> Choose<N, S> for F {}

/// A closure that gives sites values: `|s| s.mu(4.0)`, or `|s| s.a(1.0).b(2.0)` for several.
#[diagnostic::on_unimplemented(
    message = "sites are given values by a closure, and this is a `{Self}`",
    label = "write `|s| s.mu(4.0)`, and `|s| s.a(1.0).b(2.0)` for several sites"
)]
pub trait Give<V>: FnOnce(V) -> V {}

#[diagnostic::do_not_recommend]
impl<V, F: FnOnce(V) -> V> Give<V> for F {}

/// What chooses sites: the typed names of a model, or one name as a string.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` chooses no sites",
    label = "several sites are chosen one after the other: write `|s| s.a().b()`"
)]
pub trait SiteChoice {
    /// Returns the choice.
    fn chosen(self) -> Chosen;
}

#[diagnostic::do_not_recommend]
impl<N: Into<SiteNames>> SiteChoice for N {
    fn chosen(self) -> Chosen {
        Chosen {
            names: self.into(),
            is_text: false,
        }
    }
}

impl SiteChoice for &str {
    fn chosen(self) -> Chosen {
        Chosen {
            names: SiteNames::default().with(self),
            is_text: true,
        }
    }
}
