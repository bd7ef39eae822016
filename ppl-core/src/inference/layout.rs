//! Which coordinates each part of a Gibbs sweep moves, and how.

use crate::error::{Error, Result};
use crate::inference::discrete::Discrete;
use crate::inference::moves::Move;
use crate::inference::transition::Transition;
use crate::inference::transitions::block::Block;
use crate::inference::transitions::exact::ExactSite;
use crate::inference::transitions::sequence::Sequence;
use crate::inference::transitions::single_site::SingleSite;
use crate::runtime::state::Slot;

/// The most sites whose names make that of a block.
const MOST_NAMES: usize = 3;

/// A latent, with the kind of its points if it is discrete.
pub(crate) type Latent<'p> = (&'p Slot, Option<Discrete>);

/// Which coordinates each part of a sweep moves, and how.
pub(crate) struct Layout<'p> {
    slots: &'p [Slot],
    dim: usize,
    parts: Vec<(String, Part)>,
}

enum Part {
    Together { coordinates: Vec<usize>, moves: Move },
    Site(SingleSite),
    Exact(ExactSite),
}

impl<'p> Layout<'p> {
    /// Returns that of no parts, on these latents in `dim` coordinates.
    pub(crate) fn new(slots: &'p [Slot], dim: usize) -> Self {
        Layout {
            slots,
            dim,
            parts: Vec::new(),
        }
    }

    /// Adds the parts of a block; `name` is that of one that moves together.
    pub(crate) fn add(&mut self, name: &str, moves: &Move, own: &[Latent<'_>]) -> Result<()> {
        moves.check()?;
        match moves {
            _ if own.is_empty() => Ok(()),
            Move::Auto => {
                let (discrete, continuous): (Vec<_>, Vec<_>) =
                    own.iter().copied().partition(|(_, kind)| kind.is_some());
                let names: Vec<&str> = continuous.iter().map(|(s, _)| s.name.site()).collect();
                self.add(&listed(&names), &Move::nuts(), &continuous)?;
                discrete.iter().for_each(|&(slot, kind)| {
                    let exact = kind.and_then(|kind| exact(slot, kind));
                    self.push(slot.name.site(), exact.unwrap_or_else(|| single(slot, kind)));
                });
                Ok(())
            }
            Move::SingleSite => {
                own.iter()
                    .for_each(|&(slot, kind)| self.push(slot.name.site(), single(slot, kind)));
                Ok(())
            }
            Move::Exact => own.iter().try_for_each(|&(slot, kind)| {
                let part = kind
                    .and_then(|kind| exact(slot, kind))
                    .ok_or_else(|| not_finite(slot, kind))?;
                self.push(slot.name.site(), part);
                Ok(())
            }),
            _ => {
                if let Some((slot, _)) = own.iter().find(|(_, kind)| kind.is_some()) {
                    return Err(is_discrete(slot, moves));
                }
                let coordinates: Vec<usize> = own.iter().flat_map(|(s, _)| s.offset..s.offset + len(s)).collect();
                if moves.is_of_whole() && coordinates.len() != self.dim {
                    return Err(self.is_left_out(&coordinates, moves));
                }
                moves.check_dim(coordinates.len())?;
                let moves = moves.clone();
                self.push(name, Part::Together { coordinates, moves });
                Ok(())
            }
        }
    }

    /// Says which latent is missing from a block of the whole.
    fn is_left_out(&self, coordinates: &[usize], moves: &Move) -> Error {
        let name = moves.name();
        let message = format!(
            "`{name}` keeps points of its own from sweep to sweep, which hold only if it moves all latents, and it leaves this one \
             out: choose another move for the block, as `Move::nuts()`"
        );
        match self.slots.iter().find(|s| !coordinates.contains(&s.offset)) {
            Some(slot) => Error::at_site(slot.name.site(), slot.place, message),
            None => Error::Invalid(message),
        }
    }

    /// Adds a part under this name, or under another if it is taken.
    fn push(&mut self, name: &str, part: Part) {
        let is_taken = |name: &str| self.parts.iter().any(|(taken, _)| taken == name);
        let others = (2..).map(|k| format!("{name} ({k})"));
        let name = std::iter::once(name.to_string()).chain(others).find(|n| !is_taken(n));
        self.parts.extend(name.map(|name| (name, part)));
    }

    /// Returns the transition of a chain.
    pub(crate) fn sequence(&self) -> Sequence {
        let part = |(name, part): &(String, Part)| {
            let transition: Box<dyn Transition> = match part {
                Part::Site(site) => Box::new(site.clone()),
                Part::Exact(site) => Box::new(site.clone()),
                Part::Together { coordinates, moves } => {
                    let own = moves.together(coordinates.len()).expect("the move goes together");
                    let is_whole = coordinates.iter().copied().eq(0..self.dim);
                    if is_whole {
                        own
                    } else {
                        Box::new(Block::new(self.dim, coordinates.clone(), own))
                    }
                }
            };
            (name.clone(), transition)
        };
        Sequence::new(self.parts.iter().map(part))
    }
}

fn len(slot: &Slot) -> usize {
    slot.shape.iter().product()
}

fn single(slot: &Slot, kind: Option<Discrete>) -> Part {
    Part::Site(SingleSite::new(slot.offset, len(slot), kind))
}

fn exact(slot: &Slot, kind: Discrete) -> Option<Part> {
    ExactSite::new(slot.offset, len(slot), kind).map(Part::Exact)
}

/// Says why a latent has no exact move.
fn not_finite(slot: &Slot, kind: Option<Discrete>) -> Error {
    let message = match kind {
        Some(_) => "it is a count, and `Move::Exact` tries each of finitely many values: use `Move::SingleSite`",
        None => "it is continuous, and `Move::Exact` tries each of finitely many values: use `Move::nuts()`",
    };
    Error::at_site(slot.name.site(), slot.place, message)
}

/// Says why a discrete latent cannot go with continuous ones.
fn is_discrete(slot: &Slot, moves: &Move) -> Error {
    let message = format!(
        "it is discrete, and `{}` moves continuous latents: put it into a block of its own with `Move::Exact` or \
         `Move::SingleSite`",
        moves.name()
    );
    Error::at_site(slot.name.site(), slot.place, message)
}

/// Returns names for the label of a block, the first of many.
pub(crate) fn listed(names: &[&str]) -> String {
    match names.len().saturating_sub(MOST_NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}
