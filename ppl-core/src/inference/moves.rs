//! The moves of blocks: by which transition the latents of a block go.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::inference::hamiltonian::hmc::HmcTransition;
use crate::inference::hamiltonian::nuts::NutsTransition;
use crate::inference::hamiltonian::warmup::{MetricKind, Warmup};
use crate::inference::nuts::{MALA_TARGET, check_depth, check_steps};
use crate::inference::transition::Transition;
use crate::inference::transitions::random_walk::RandomWalk;
use crate::tensor::room::room;

/// By which transition the latents of a block of [`Gibbs`](crate::inference::gibbs::Gibbs) go.
///
/// Continuous latents move in their unconstrained coordinates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Move {
    /// Continuous latents together by [`Move::nuts`]; each discrete one with finitely many values by [`Move::Exact`], each
    /// count by [`Move::SingleSite`].
    Auto,
    /// Paths as long as they lead away, as [`Nuts`](crate::inference::nuts::Nuts) makes them; continuous latents together.
    Nuts {
        /// Step size and metric, and how they are learnt.
        warmup: Warmup,
        /// How often a path is doubled at most.
        max_depth: usize,
    },
    /// Paths of a given mean length, as [`Hmc`](crate::inference::nuts::Hmc) makes them; continuous latents together.
    Hmc {
        /// Step size and metric, and how they are learnt.
        warmup: Warmup,
        /// The mean number of leapfrog steps.
        steps: usize,
    },
    /// A random walk along a covariance that the warm-up learns; continuous latents together.
    RandomWalk,
    /// Metropolis–Hastings site by site, continuous or discrete, each with a scale of its own.
    SingleSite,
    /// Each point of a discrete latent drawn from its exact conditional distribution, by evaluating the density at each value.
    Exact,
    /// The user's own; continuous latents together.
    Own(Arc<dyn MakeTransition>),
}

/// Makes the transition of a chain: a closure `|dim| transition`.
pub trait MakeTransition: Send + Sync {
    /// Returns a transition in `dim` dimensions.
    fn make(&self, dim: usize) -> Box<dyn Transition>;
}

impl<T: Transition + 'static, F: Fn(usize) -> T + Send + Sync> MakeTransition for F {
    fn make(&self, dim: usize) -> Box<dyn Transition> {
        Box::new(self(dim))
    }
}

impl fmt::Debug for dyn MakeTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeTransition")
    }
}

impl Move {
    /// Returns the moves of the No-U-Turn sampler with its default settings.
    pub fn nuts() -> Self {
        Move::Nuts {
            warmup: Warmup::default(),
            max_depth: 10,
        }
    }

    /// Returns Hamiltonian paths of `steps` steps on average.
    pub fn hmc(steps: usize) -> Self {
        Move::Hmc {
            warmup: Warmup::default(),
            steps,
        }
    }

    /// Returns the moves of the Metropolis-adjusted Langevin algorithm, as [`Hmc::mala`](crate::inference::nuts::Hmc::mala).
    pub fn mala() -> Self {
        Move::Hmc {
            warmup: Warmup {
                target_acceptance: MALA_TARGET,
                ..Warmup::default()
            },
            steps: 1,
        }
    }

    /// Returns a move of one's own: `make` is given the number of coordinates of the block.
    ///
    /// The transition must leave each conditional distribution of the block unchanged, and keep no points of its own.
    pub fn own(make: impl MakeTransition + 'static) -> Self {
        Move::Own(Arc::new(make))
    }

    /// Refuses settings that are out of range.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Move::Nuts { warmup, max_depth } => warmup.check().and(check_depth(*max_depth)),
            Move::Hmc { warmup, steps } => warmup.check().and(check_steps(*steps)),
            _ => Ok(()),
        }
    }

    /// Refuses what finds no room in `dim` dimensions.
    pub(crate) fn check_room(&self, dim: usize) -> Result<()> {
        let has_matrix = match self {
            Move::Nuts { warmup, .. } | Move::Hmc { warmup, .. } => warmup.metric == MetricKind::Dense,
            Move::RandomWalk => true,
            _ => false,
        };
        let no_room = |no_room| {
            Error::Invalid(format!(
                "a block of {dim} coordinates learns their covariance: {no_room}; use `Move::nuts()`, which learns variances"
            ))
        };
        match has_matrix {
            true => room(&[dim, dim], 2 * size_of::<f64>()).map(drop).map_err(no_room),
            false => Ok(()),
        }
    }

    /// Returns what the move is called in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Move::Auto => "Move::Auto",
            Move::Nuts { .. } => "Move::Nuts",
            Move::Hmc { .. } => "Move::Hmc",
            Move::RandomWalk => "Move::RandomWalk",
            Move::SingleSite => "Move::SingleSite",
            Move::Exact => "Move::Exact",
            Move::Own(_) => "Move::Own",
        }
    }

    /// Returns the transition of `dim` continuous coordinates together; `None` if the move goes site by site.
    pub(crate) fn together(&self, dim: usize) -> Option<Box<dyn Transition>> {
        Some(match self {
            Move::Nuts { warmup, max_depth } => Box::new(NutsTransition::new(dim, *max_depth, *warmup)),
            Move::Hmc { warmup, steps } => Box::new(HmcTransition::new(dim, *steps, *warmup)),
            Move::RandomWalk => Box::new(RandomWalk::new((0..dim).collect())),
            Move::Own(own) => own.make(dim),
            Move::Auto | Move::SingleSite | Move::Exact => return None,
        })
    }
}
