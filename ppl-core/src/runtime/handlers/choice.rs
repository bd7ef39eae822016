//! Choices of sites: by typed name, or by a string for sites that have none.

use crate::error::Error;
use crate::runtime::context::Ctx;
use crate::runtime::sites::SiteNames;
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

    /// Returns an error if a run met no site of a name that was given as a string.
    pub(super) fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        let state = ctx.state();
        if !self.is_text || state.sites.iter().any(|s| self.contains(&s.address)) {
            return Ok(());
        }
        let met: Vec<&str> = state.sites.iter().map(|s| s.address.as_str()).collect();
        let wanted: Vec<&str> = self.names.iter().collect();
        let message = format!(
            "the model has no site `{}`; it has {}",
            wanted.join(", "),
            met.join(", ")
        );
        Err(Stop(Error::Invalid(message)))
    }
}

/// What chooses sites: the typed names of a model, or one name as a string.
pub trait SiteChoice {
    /// Returns the choice.
    fn chosen(self) -> Chosen;
}

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
