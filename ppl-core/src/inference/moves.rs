//! The moves of blocks: by which transition the latents of a block go.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::inference::hamiltonian::hmc::HmcTransition;
use crate::inference::hamiltonian::mclmc::MclmcTransition;
use crate::inference::hamiltonian::nuts::NutsTransition;
use crate::inference::hamiltonian::warmup::{MetricKind, Warmup};
use crate::inference::nuts::{MALA_TARGET, check_depth, check_steps};
use crate::inference::transition::Transition;
use crate::inference::transitions::elliptical_slice::EllipticalSlice;
use crate::inference::transitions::ensemble::Ensemble;
use crate::inference::transitions::independence::Independence;
use crate::inference::transitions::normal::NormalFactor;
use crate::inference::transitions::random_walk::RandomWalk;
use crate::inference::transitions::slice::Slice;
use crate::inference::transitions::tempering::Tempering;
use crate::tensor::room::room;

/// By which transition the latents of a block of [`Gibbs`](crate::inference::gibbs::Gibbs) go.
///
/// Continuous latents move in their unconstrained coordinates.
///
/// ```
/// use ppl_core::distributions::{Categorical, Gamma, Normal};
/// use ppl_core::inference::gibbs::Gibbs;
/// use ppl_core::inference::hamiltonian::warmup::{MetricKind, Warmup};
/// use ppl_core::inference::moves::Move;
/// use ppl_macros::model;
///
/// #[model(crate = ppl_core)]
/// fn groups(y: Obs<f64>) {
///     let scale = sample(Gamma(2, 1));
///     let a = sample(Normal(0, scale));
///     let b = sample(Normal(a, scale));
///     let z = sample(Categorical::probs([0.2, 0.5, 0.3]));
///     observe(y, Normal(a + b * z, 1));
/// }
///
/// let model = groups(&1.5);
/// // Settings of a move are its fields; those that are not said have defaults.
/// let dense = Move::Nuts {
///     warmup: Warmup { metric: MetricKind::Dense, target_acceptance: 0.9, ..Warmup::default() },
///     max_depth: 8,
/// };
/// let sampler = Gibbs::for_model(&model)
///     .block(|s| s.a().b(), dense)
///     .block(|s| s.scale(), Move::Slice)
///     .block(|s| s.z(), Move::Exact);
/// let fit = sampler.draws(50).warmup(50).run(&model)?;
/// assert_eq!(fit.z().shape(), [4, 50]);
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
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
    /// Slices coordinate by coordinate ([`Slice`]); no gradient, nothing to tune.
    Slice,
    /// Slices along ellipses of this normal distribution in the unconstrained coordinates of the block ([`EllipticalSlice`]).
    EllipticalSlice(NormalFactor),
    /// Proposals that do not depend on the present point ([`Independence`]): from this normal distribution, or, where there is
    /// none, from one that is fitted where [`Move::nuts`] goes in the warm-up.
    Independence(Option<NormalFactor>),
    /// Walkers that move along the lines between them ([`Ensemble`]), four for each latent number where the number is not
    /// said; for few latents, all of them in one block.
    Ensemble(Option<usize>),
    /// Microcanonical dynamics ([`MclmcTransition`]); two continuous latents or more, together.
    Mclmc {
        /// Step size and metric, and how they are learnt.
        warmup: Warmup,
        /// The mean number of steps of a path.
        steps: usize,
    },
    /// Parallel tempering ([`Tempering`]) of all latents in one block.
    Tempering {
        /// The move of each replica.
        moves: Box<Move>,
        /// The powers of the density behind the first, falling between one and zero.
        betas: Vec<f64>,
    },
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

    /// Returns microcanonical paths of `steps` steps on average, with a target of 0.9 for the acceptance.
    pub fn mclmc(steps: usize) -> Self {
        Move::Mclmc {
            warmup: Warmup {
                target_acceptance: 0.9,
                ..Warmup::default()
            },
            steps,
        }
    }

    /// Returns parallel tempering with `replicas` replicas that move by `moves`; the powers of their densities fall by one
    /// factor from one to `hottest`, such as 0.1.
    ///
    /// ```
    /// use ppl_core::inference::moves::Move;
    ///
    /// let Move::Tempering { betas, .. } = Move::tempering(Move::nuts(), 4, 0.125) else {
    ///     unreachable!("it is tempering");
    /// };
    /// assert_eq!(betas, [0.5, 0.25, 0.125]);
    /// ```
    pub fn tempering(moves: Move, replicas: usize, hottest: f64) -> Self {
        let n = replicas.saturating_sub(1);
        let beta = |k: usize| hottest.powf(k as f64 / n as f64);
        Move::Tempering {
            moves: Box::new(moves),
            betas: (1..=n).map(beta).collect(),
        }
    }

    /// Returns a move of one's own: `make` is given the number of coordinates of the block.
    ///
    /// The transition must leave each conditional distribution of the block unchanged, and keep no points of its own.
    ///
    /// ```
    /// use ppl_core::inference::moves::Move;
    /// use ppl_core::inference::transitions::random_walk::RandomWalk;
    ///
    /// // A walk of each second coordinate.
    /// let moves = Move::own(|dim| RandomWalk::new((0..dim).step_by(2).collect()));
    /// # let _ = moves;
    /// ```
    pub fn own(make: impl MakeTransition + 'static) -> Self {
        Move::Own(Arc::new(make))
    }

    /// Refuses settings that are out of range.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Move::Nuts { warmup, max_depth } => warmup.check().and(check_depth(*max_depth)),
            Move::Hmc { warmup, steps } | Move::Mclmc { warmup, steps } => warmup.check().and(check_steps(*steps)),
            Move::Tempering { moves, betas } => {
                moves.check()?;
                check_betas(moves, betas)
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the move keeps points of the whole, which hold only while nothing else moves.
    pub(crate) fn is_of_whole(&self) -> bool {
        matches!(self, Move::Ensemble(_) | Move::Tempering { .. })
    }

    /// Refuses what cannot move `dim` coordinates.
    pub(crate) fn check_dim(&self, dim: usize) -> Result<()> {
        let refuse = |message: String| Err(Error::Invalid(message));
        match self {
            Move::EllipticalSlice(normal) | Move::Independence(Some(normal)) if normal.dim() != dim => refuse(format!(
                "`{}` with a normal distribution of {} numbers for a block of {dim}: give it as many as the latents of the block \
                 have in their unconstrained coordinates",
                self.name(),
                normal.dim()
            )),
            Move::Ensemble(Some(n)) if *n < Ensemble::least(dim) => refuse(format!(
                "an ensemble of {n} walkers for {dim} coordinates: {} are needed at least",
                Ensemble::least(dim)
            )),
            Move::Mclmc { .. } if dim < 2 => refuse(
                "`Move::Mclmc` for one coordinate: its velocities turn in two dimensions at least; use `Move::nuts()`"
                    .to_string(),
            ),
            Move::Tempering { moves, .. } => moves.check_dim(dim),
            _ => self.check_room(dim),
        }
    }

    /// Refuses what finds no room in `dim` dimensions.
    fn check_room(&self, dim: usize) -> Result<()> {
        let rows = match self {
            Move::Nuts { warmup, .. } | Move::Hmc { warmup, .. } | Move::Mclmc { warmup, .. } => match warmup.metric {
                MetricKind::Dense => dim,
                _ => 0,
            },
            Move::RandomWalk | Move::Independence(None) => dim,
            Move::Ensemble(n) => n.unwrap_or(walkers(dim)),
            _ => 0,
        };
        let no_room = |no_room| {
            Error::Invalid(format!(
                "`{}` of {dim} coordinates keeps {rows} numbers for each: {no_room}; use `Move::nuts()`",
                self.name()
            ))
        };
        room(&[rows, dim], 2 * size_of::<f64>()).map(drop).map_err(no_room)
    }

    /// Returns what the move is called in messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Move::Auto => "Move::Auto",
            Move::Nuts { .. } => "Move::Nuts",
            Move::Hmc { .. } => "Move::Hmc",
            Move::RandomWalk => "Move::RandomWalk",
            Move::SingleSite => "Move::SingleSite",
            Move::Slice => "Move::Slice",
            Move::EllipticalSlice(_) => "Move::EllipticalSlice",
            Move::Independence(_) => "Move::Independence",
            Move::Ensemble(_) => "Move::Ensemble",
            Move::Mclmc { .. } => "Move::Mclmc",
            Move::Tempering { .. } => "Move::Tempering",
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
            Move::Slice => Box::new(Slice::new(vec![1.0; dim])),
            Move::EllipticalSlice(normal) => Box::new(EllipticalSlice::new(normal.clone())),
            Move::Independence(Some(normal)) => Box::new(Independence::new(normal.clone())),
            Move::Independence(None) => Box::new(Independence::fitted(dim, Move::nuts().together(dim)?)),
            Move::Ensemble(n) => Box::new(Ensemble::new(dim, n.unwrap_or(walkers(dim)))),
            Move::Mclmc { warmup, steps } => Box::new(MclmcTransition::new(dim, *steps, *warmup)),
            Move::Tempering { moves, betas } => {
                let transitions = betas.iter().map(|_| moves.together(dim));
                let mut transitions = transitions.collect::<Option<Vec<_>>>()?;
                transitions.push(moves.together(dim)?);
                Box::new(Tempering::new(dim, betas, || {
                    transitions.pop().expect("one for each replica")
                }))
            }
            Move::Own(own) => own.make(dim),
            Move::Auto | Move::SingleSite | Move::Exact => return None,
        })
    }
}

/// Returns the number of walkers where it is not said.
fn walkers(dim: usize) -> usize {
    dim.saturating_mul(4).max(6)
}

/// Refuses powers that do not fall, and replicas that do not move all latents together.
fn check_betas(moves: &Move, betas: &[f64]) -> Result<()> {
    let falls = std::iter::once(&1.0)
        .chain(betas)
        .zip(betas)
        .all(|(a, b)| a > b && *b > 0.0);
    if !falls {
        return Err(Error::Invalid(format!(
            "tempering with the powers {betas:?}: they fall between one and zero, as 0.5, 0.25"
        )));
    }
    if betas.is_empty() {
        let message = "tempering with one replica: there is nothing to exchange; give it two at least";
        return Err(Error::Invalid(message.to_string()));
    }
    match moves {
        Move::Auto | Move::SingleSite | Move::Exact | Move::Ensemble(_) | Move::Tempering { .. } => {
            Err(Error::Invalid(format!(
                "tempering of `{}`: its replicas move all latents together; use `Move::nuts()` or `Move::RandomWalk`",
                moves.name()
            )))
        }
        _ => Ok(()),
    }
}
