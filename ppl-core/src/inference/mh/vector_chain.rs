//! A chain on the vector of a model of fixed structure: its moves, what they learn, its draws.

use std::sync::Arc;

use crate::error::{Error, Result, number};
use crate::inference::chain::{Chain, ChainInfo, Drawn, MoveInfo, Phase, Tally};
use crate::inference::mh::adapt::{CovarianceAdapter, ScaleAdapter};
use crate::inference::mh::proposal::Propose;
use crate::inference::mh::random_walk::RandomWalk;
use crate::inference::mh::single_site::SiteMove;
use crate::inference::mh::state::{MhInfo, MhState};
use crate::inference::potential::{Evaluator, Potential};
use crate::inference::site_table::SiteTable;
use crate::rng::{Generator, Key};
use crate::tensor::room::room;

/// A chain of vectors.
pub(crate) struct VectorChain<'p> {
    potential: &'p Potential<'p>,
    density: Evaluator<'p>,
    state: MhState,
    moves: Vec<Move>,
    draws: Vec<f64>,
    n_kept: usize,
}

/// One of the moves that make up a step, with what it learns.
struct Move {
    name: String,
    kind: MoveKind,
    scale: ScaleAdapter,
    tally: Tally,
}

enum MoveKind {
    Walk(RandomWalk, CovarianceAdapter),
    Site(SiteMove),
    Custom(Arc<dyn Propose>),
}

impl<'p> VectorChain<'p> {
    /// Starts a chain whose step moves all continuous latents together, then each discrete one.
    pub(crate) fn random_walk(potential: &'p Potential<'p>, key: Key) -> Result<Self> {
        let continuous = potential.slots().iter().filter(|s| !s.is_discrete);
        let coordinates: Vec<usize> = continuous
            .flat_map(|s| s.offset..s.offset + s.shape.iter().product::<usize>())
            .collect();
        let d = coordinates.len();
        room(&[d, d], 2 * size_of::<f64>()).map_err(|no_room| {
            Error::Invalid(format!(
                "a random walk of {d} coordinates learns their covariance: {no_room}; use \
                 `Mh::default().proposal(Proposal::SingleSite)` or `Svi`"
            ))
        })?;
        let walk = (d > 0).then(|| Move {
            name: "random walk".to_string(),
            kind: MoveKind::Walk(RandomWalk::new(coordinates), CovarianceAdapter::new(d)),
            scale: ScaleAdapter::new(d),
            tally: Tally::default(),
        });
        let discrete = site_moves(potential).filter(|m| matches!(&m.kind, MoveKind::Site(s) if s.discrete.is_some()));
        VectorChain::start(potential, walk.into_iter().chain(discrete).collect(), key)
    }

    /// Starts a chain whose step moves each site in turn.
    pub(crate) fn single_site(potential: &'p Potential<'p>, key: Key) -> Result<Self> {
        VectorChain::start(potential, site_moves(potential).collect(), key)
    }

    /// Starts a chain with the user's own proposal.
    pub(crate) fn custom(potential: &'p Potential<'p>, propose: Arc<dyn Propose>, key: Key) -> Result<Self> {
        let own = Move {
            name: "custom".to_string(),
            kind: MoveKind::Custom(propose),
            scale: ScaleAdapter::new(potential.dim()),
            tally: Tally::default(),
        };
        VectorChain::start(potential, vec![own], key)
    }

    fn start(potential: &'p Potential<'p>, moves: Vec<Move>, key: Key) -> Result<Self> {
        Ok(VectorChain {
            potential,
            density: potential.evaluator(),
            state: potential.start(key)?.into(),
            moves,
            draws: Vec::new(),
            n_kept: 0,
        })
    }
}

impl VectorChain<'_> {
    /// Returns the values of the draws and their number; if the model fails at a draw, of those before, with the error.
    fn table(&self) -> (SiteTable, usize, Option<Error>) {
        let dim = self.potential.dim();
        let first = |n: usize| self.potential.constrain(&self.draws[..n * dim], n);
        let fault = match first(self.n_kept) {
            Ok(table) => return (table, self.n_kept, None),
            Err(error) => error,
        };
        // The model fails at the same draw for all numbers of draws beyond it.
        let (mut good, mut bad) = (SiteTable::new(0), self.n_kept);
        let mut n_good = 0;
        while bad - n_good > 1 {
            let middle = n_good + (bad - n_good) / 2;
            match first(middle) {
                Ok(table) => (good, n_good) = (table, middle),
                Err(_) => bad = middle,
            }
        }
        (good, n_good, Some(fault))
    }
}

/// Returns what is wrong with a proposal of the user's own: a vector that is not finite, or a ratio that no densities have.
fn fault_of_proposal(potential: &Potential<'_>, new: &[f64], ln_ratio: f64) -> Option<Error> {
    if let Some(at) = new.iter().position(|x| !x.is_finite()) {
        let slot = potential.slots().iter().rfind(|slot| slot.offset <= at)?;
        let message = format!(
            "the proposal of one's own moves element {} of its unconstrained value to {}: write finite numbers into `new`",
            at - slot.offset,
            number(new[at])
        );
        return Some(Error::at_site(slot.name.to_string(), slot.place, message));
    }
    (ln_ratio.is_nan() || ln_ratio == f64::INFINITY).then(|| {
        Error::Invalid(format!(
            "the proposal of one's own returns {} for ln q(old | new) − ln q(new | old): return a finite number, or −∞ where the \
             way back is impossible",
            number(ln_ratio)
        ))
    })
}

/// Returns a move for each site.
fn site_moves(potential: &Potential<'_>) -> impl Iterator<Item = Move> {
    potential
        .slots()
        .iter()
        .zip(potential.discrete())
        .map(|(slot, &discrete)| {
            let own = SiteMove {
                offset: slot.offset,
                len: slot.shape.iter().product(),
                discrete,
                scale: 1.0,
            };
            Move {
                name: slot.name.to_string(),
                scale: ScaleAdapter::new(own.dim()),
                kind: MoveKind::Site(own),
                tally: Tally::default(),
            }
        })
}

impl Chain for VectorChain<'_> {
    fn step(&mut self, key: Key, phase: Phase) -> Result<()> {
        let mut rng = key.generator();
        for step in &mut self.moves {
            step.run(self.potential, &mut self.density, &mut self.state, &mut rng, phase)?;
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        self.draws.extend_from_slice(&self.state.position);
        self.n_kept += 1;
        Ok(())
    }

    fn finish(self) -> Drawn {
        let (table, n_draws, fault) = self.table();
        let moves = self.moves.iter().map(Move::info).collect();
        Drawn {
            table,
            n_draws,
            info: ChainInfo { moves },
            fault,
        }
    }
}

impl Move {
    fn run(
        &mut self,
        potential: &Potential<'_>,
        density: &mut Evaluator<'_>,
        state: &mut MhState,
        rng: &mut Generator,
        phase: Phase,
    ) -> Result<()> {
        let mut count = |info: MhInfo, scale: &mut f64| match phase {
            Phase::Warmup { .. } => *scale = self.scale.next(*scale, info.accept_prob),
            Phase::Sampling => self.tally.add(info.accept_prob),
        };
        match &mut self.kind {
            MoveKind::Walk(walk, covariance) => {
                let info = walk.transition(density, state, rng)?;
                count(info, &mut walk.scale);
                let RandomWalk {
                    coordinates, factor, ..
                } = walk;
                if covariance.update(phase, |i| state.position[coordinates[i]], factor) {
                    walk.scale = RandomWalk::initial_scale(walk.coordinates.len());
                    self.scale.restart();
                }
            }
            MoveKind::Site(site) => {
                for k in 0..site.n_moves() {
                    let info = site.transition(k, density, state, rng)?;
                    count(info, &mut site.scale);
                }
            }
            MoveKind::Custom(propose) => {
                let mut fault = None;
                let info = state.step(density, rng, |old, new, rng| {
                    let ln_ratio = propose.propose(old, rng, new);
                    fault = fault_of_proposal(potential, new, ln_ratio);
                    if fault.is_some() {
                        new.copy_from_slice(old);
                    }
                    ln_ratio
                })?;
                if let Some(fault) = fault {
                    return Err(fault);
                }
                count(info, &mut 1.0);
            }
        }
        Ok(())
    }

    fn info(&self) -> MoveInfo {
        let scale = match &self.kind {
            MoveKind::Walk(walk, _) => walk.scale,
            MoveKind::Site(site) => site.scale,
            MoveKind::Custom(_) => 1.0,
        };
        MoveInfo {
            name: self.name.clone(),
            acceptance: self.tally.mean(),
            scale,
        }
    }
}
