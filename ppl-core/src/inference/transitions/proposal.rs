//! Metropolis–Hastings with a proposal of the user's own.

use std::fmt;
use std::sync::Arc;

use rand::RngCore;

use crate::error::{Error, Place, Result, number};
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// A proposal on the vector of latents, in the order of
/// [`Potential::slots`](crate::inference::potential::Potential::slots): unconstrained coordinates, discrete ones as
/// they are.
pub trait Propose: Send + Sync {
    /// Changes `new`, which holds a copy of `old`, and returns ln q(old | new) − ln q(new | old); −∞ where the way back is
    /// impossible. A ratio that is NaN or +∞ and elements of `new` that are not finite end the run with an error.
    fn propose(&self, old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]) -> f64;
}

impl<F> Propose for F
where
    F: Fn(&[f64], &mut dyn RngCore, &mut [f64]) -> f64 + Send + Sync,
{
    fn propose(&self, old: &[f64], rng: &mut dyn RngCore, new: &mut [f64]) -> f64 {
        self(old, rng, new)
    }
}

impl fmt::Debug for dyn Propose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Propose")
    }
}

/// A coordinate as users know it.
#[derive(Clone, Debug)]
pub struct Coordinate {
    /// Its site.
    pub site: String,
    /// Where the site is written.
    pub place: Place,
    /// Its number within the unconstrained value of the site.
    pub element: usize,
}

/// The Metropolis–Hastings transition of a proposal; it learns nothing.
pub struct Custom {
    propose: Arc<dyn Propose>,
    coordinates: Vec<Coordinate>,
}

impl Custom {
    /// Returns the transition on these coordinates, by which errors are told.
    pub fn new(propose: Arc<dyn Propose>, coordinates: Vec<Coordinate>) -> Self {
        Custom { propose, coordinates }
    }

    /// Returns what is wrong with a proposal: a vector that is not finite, or a ratio that no densities have.
    fn fault(&self, new: &[f64], ln_ratio: f64) -> Option<Error> {
        if let Some(at) = new.iter().position(|x| !x.is_finite()) {
            let Coordinate { site, place, element } = &self.coordinates[at];
            let message = format!(
                "the proposal of one's own moves element {element} of its unconstrained value to {}: write finite numbers into \
                 `new`",
                number(new[at])
            );
            return Some(Error::at_site(site, *place, message));
        }
        (ln_ratio.is_nan() || ln_ratio == f64::INFINITY).then(|| {
            Error::Invalid(format!(
                "the proposal of one's own returns {} for ln q(old | new) − ln q(new | old): return a finite number, or −∞ \
                 where the way back is impossible",
                number(ln_ratio)
            ))
        })
    }
}

impl Transition for Custom {
    fn columns(&self) -> Vec<Column> {
        vec![Column::acceptance_rate()]
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        _: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        let mut fault = None;
        let info = state.propose(density, rng, |old, new, rng| {
            let ln_ratio = self.propose.propose(old, rng, new);
            fault = self.fault(new, ln_ratio);
            if fault.is_some() {
                new.copy_from_slice(old);
            }
            ln_ratio
        })?;
        row[0] = info.acceptance_rate;
        fault.map_or(Ok(()), Err)
    }

    fn visit(&mut self, _: &mut dyn Fields) {}
}
