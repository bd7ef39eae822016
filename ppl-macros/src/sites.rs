//! The sites of a function in the order of the source, and the check that no path meets one twice.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::errors::Errors;
use crate::names::{family, mangle};
use crate::support::Support;

/// What a site is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A random choice to be inferred.
    Latent,
    /// A random choice that has data.
    Observed,
    /// A learnable point value.
    Param,
    /// A deterministic value kept with the draws.
    Tracked,
}

/// A site as it is written.
#[derive(Clone)]
pub struct SiteUse {
    /// Its name.
    pub name: String,
    /// Where it is named.
    pub span: Span,
    /// What it is for.
    pub role: Role,
    /// What its values are.
    pub support: Support,
    /// Whether an assignment names it.
    pub is_assignment: bool,
    /// The loops around it, outermost first.
    pub loops: Vec<usize>,
}

/// A way through the code so far: the sites on it, in the order in which they are met.
#[derive(Clone, Default)]
pub struct Path {
    met: Vec<usize>,
    /// Whether it has ended, by a `return` or a jump.
    is_over: bool,
}

/// All sites of a function, and those met on the present path.
#[derive(Default)]
pub struct Sites {
    all: Vec<SiteUse>,
    path: Path,
    /// What was met on the ways that jump to the ends of the loops and labelled blocks around, outermost first.
    jumps: Vec<Vec<usize>>,
    same: Vec<(Support, Support)>,
}

impl Sites {
    /// Adds a site to the present path; one that is met twice is a mistake.
    pub fn add(&mut self, site: SiteUse, errors: &mut Errors) {
        let earlier = self
            .path
            .met
            .iter()
            .map(|&k| &self.all[k])
            .find(|other| other.name == site.name && !other.precedes(&site));
        if let Some(other) = earlier {
            errors.push(site.span, repetition(other, &site));
        } else if let Some(other) = self.all.iter().find(|other| other.name == site.name) {
            if other.role == Role::Latent && site.role == Role::Latent {
                self.same.push((other.support.clone(), site.support.clone()));
            }
        } else if let Some(other) = self.all.iter().find(|other| other.ident() == site.ident()) {
            let message = format!(
                "the sites `{}` and `{}` would share the accessor `{}`",
                other.name,
                site.name,
                site.ident()
            );
            errors.push(site.span, message);
        }
        self.path.met.push(self.all.len());
        self.all.push(site);
    }

    /// Returns the present path, to return to it for another arm.
    pub fn path(&self) -> Path {
        self.path.clone()
    }

    /// Goes back to a path.
    pub fn rewind(&mut self, path: &Path) {
        self.path = path.clone();
    }

    /// Joins the way through another arm with the present path: what follows meets the sites of both, but for those of a
    /// way that has ended.
    pub fn join(&mut self, other: &Path) {
        if other.is_over {
            return;
        }
        if self.path.is_over {
            self.path = other.clone();
            return;
        }
        self.meet(&other.met);
    }

    /// Ends the present path: a `return`.
    pub fn end(&mut self) {
        self.path.is_over = true;
    }

    /// Ends the present path by a jump to the end of a loop or block.
    pub fn jump(&mut self) {
        if let Some(jumps) = self.jumps.last_mut() {
            jumps.extend(&self.path.met);
        }
        self.end();
    }

    /// Enters a loop or a labelled block, whose end can be jumped to.
    pub fn enter(&mut self) {
        self.jumps.push(Vec::new());
    }

    /// Leaves it: what follows meets the sites of all ways that lead here.
    pub fn leave(&mut self) {
        self.path.is_over = false;
        let jumps = self.jumps.pop().unwrap_or_default();
        self.meet(&jumps);
    }

    /// Leaves a closure, which had been entered when there were `since` sites: it may have met all of its own.
    pub fn leave_closure(&mut self, since: usize) {
        self.path.is_over = false;
        self.meet(&(since..self.all.len()).collect::<Vec<_>>());
    }

    fn meet(&mut self, others: &[usize]) {
        for &k in others {
            if !self.path.met.contains(&k) {
                self.path.met.push(k);
            }
        }
    }

    /// Returns whether a site of this name was added since there were `since` of them.
    pub fn named_since(&self, name: &str, since: usize) -> bool {
        self.all[since..].iter().any(|site| site.name == name)
    }

    /// Returns the number of uses.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the first use of each name in these roles.
    pub fn with_roles(&self, roles: &[Role]) -> Vec<&SiteUse> {
        let mut out: Vec<&SiteUse> = Vec::new();
        for site in self.all.iter().filter(|site| roles.contains(&site.role)) {
            if !out.iter().any(|other| other.name == site.name) {
                out.push(site);
            }
        }
        out
    }

    /// Returns the latents by family: a dotted name counts as its first part, whose support is unknown.
    pub fn latent_families(&self) -> Vec<SiteUse> {
        let mut out: Vec<SiteUse> = Vec::new();
        for site in self.with_roles(&[Role::Latent]) {
            let name = family(&site.name).to_string();
            let support = if name == site.name {
                site.support.clone()
            } else {
                Support::Unknown(site.span)
            };
            if !out.iter().any(|other| other.name == name) {
                out.push(SiteUse {
                    name,
                    support,
                    ..site.clone()
                });
            }
        }
        out
    }

    /// Returns calls that compile only if all draws of a site come from the same set.
    pub fn same_supports(&self, private: &TokenStream) -> TokenStream {
        let known = self.same.iter().filter(|(a, b)| a.is_known() && b.is_known());
        let types = known.map(|(a, b)| (a.to_type(private), b.to_type(private)));
        let differ = types.filter(|(a, b)| a.to_string() != b.to_string());
        differ
            .map(|(first, second)| quote!(#private::same_support::<#second, #first>();))
            .collect()
    }
}

impl SiteUse {
    /// Returns the identifier of accessors.
    pub fn ident(&self) -> syn::Ident {
        mangle(&self.name, self.span)
    }

    /// Returns whether `later` continues the family that starts here: an assignment in a loop that comes after.
    fn precedes(&self, later: &SiteUse) -> bool {
        later.is_assignment && later.loops.len() > self.loops.len() && later.loops.starts_with(&self.loops)
    }
}

fn repetition(earlier: &SiteUse, site: &SiteUse) -> String {
    let (name, line) = (&site.name, earlier.span.start().line);
    match (earlier.role, site.role) {
        (Role::Param, Role::Param) => format!("the param `{name}` is declared twice, first on line {line}"),
        (Role::Param, _) => {
            format!("the site `{name}` is shadowed by the param `{name}` on line {line}: rename one of them")
        }
        (_, Role::Param) => format!("the param `{name}` shadows the site `{name}` of line {line}: rename one of them"),
        _ if site.loops != earlier.loops => {
            format!(
                "the site `{name}` is met in two loops or in and out of one, first on line {line}: give one another name"
            )
        }
        _ => format!("the site `{name}` is met twice on one path, first on line {line}: give one another name"),
    }
}
