//! The No-U-Turn transition: a path as long as it leads away, and a draw from its points.

use rand::Rng;

use crate::error::Result;
use crate::inference::hamiltonian::leapfrog::PhasePoint;
use crate::inference::hamiltonian::learning::learning_transition;
use crate::inference::hamiltonian::tree::{Path, Tally, Tree, turns};
use crate::inference::hamiltonian::warmup::{Adapted, Warmup};
use crate::inference::transition::{Column, Combine, State};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Above this error of the energy a path has left the region where its steps are good.
pub(crate) const MAX_ENERGY_ERROR: f64 = 1000.0;

/// The No-U-Turn transition of Hoffman and Gelman (2014) with the multinomial draws and the generalised check of Betancourt
/// (2017), as in Stan.
#[derive(Debug)]
pub struct NutsTransition {
    /// What the warm-up learns: step size and metric.
    adapted: Adapted,
    /// A path has at most 2^`max_depth` − 1 steps.
    max_depth: usize,
    buffers: Buffers,
}

/// What a step of the No-U-Turn sampler tells of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NutsInfo {
    /// The mean of min(1, e^(H₀ − H)) over the points of the path.
    pub acceptance_rate: f64,
    /// The length of a leapfrog step.
    pub step_size: f64,
    /// How often the path was doubled.
    pub tree_depth: usize,
    /// The number of leapfrog steps, each with one gradient.
    pub n_steps: usize,
    /// Whether the energy left all bounds, so that the path was cut.
    pub is_diverging: bool,
    /// Whether the path was still leading away at its greatest length.
    pub reached_max_depth: bool,
    /// The energy H of the draw with the momentum that it was reached with.
    pub energy: f64,
    /// H of the draw less that at the start.
    pub energy_error: f64,
    /// The largest H on the path less that at the start.
    pub max_energy_error: f64,
}

#[derive(Debug)]
struct Buffers {
    /// Both ends of the path, in the direction of time.
    ends: [PhasePoint; 2],
    whole: Tree,
    new: Tree,
    spare: Vec<Tree>,
}

impl NutsTransition {
    /// Returns the transition in `dim` dimensions.
    pub fn new(dim: usize, max_depth: usize, warmup: Warmup) -> Self {
        NutsTransition {
            adapted: Adapted::new(dim, warmup),
            max_depth,
            buffers: Buffers {
                ends: [PhasePoint::new(dim), PhasePoint::new(dim)],
                whole: Tree::new(dim),
                new: Tree::new(dim),
                spare: (1..max_depth).map(|_| Tree::new(dim)).collect(),
            },
        }
    }

    /// Makes one step and learns nothing.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        rng: &mut Generator,
    ) -> Result<NutsInfo> {
        let (step_size, metric) = (self.adapted.step_size(), self.adapted.metric());
        let (ends, whole) = (&mut self.buffers.ends, &mut self.buffers.whole);
        let (new, spare) = (&mut self.buffers.new, &mut self.buffers.spare);
        let [begin, end] = ends;
        begin.begin(state, density, metric, rng)?;
        end.copy_from(begin);
        let energy = begin.energy();
        whole.set(begin, energy, 0.0);
        let mut tally = Tally::default();
        let (mut depth, mut is_turning) = (0, false);
        let mut forth = true;
        while depth < self.max_depth {
            let goes_forth = rng.random::<bool>();
            if goes_forth != forth {
                whole.reverse();
                forth = goes_forth;
            }
            let mut path = Path {
                density: &mut *density,
                metric,
                step_size: if forth { step_size } else { -step_size },
                energy,
                max_energy_error: MAX_ENERGY_ERROR,
                end: &mut ends[usize::from(forth)],
                tally: &mut tally,
                rng: &mut *rng,
            };
            is_turning = !new.grow(&mut path, depth, spare)?;
            if is_turning {
                break;
            }
            depth += 1;
            is_turning = turns(whole, new);
            // The bias to the new half: its weight against that of the old one, not of the whole.
            let is_chosen = rng.random::<f64>() < (new.ln_weight - whole.ln_weight).exp();
            whole.append(new, is_chosen);
            if is_turning {
                break;
            }
        }
        let draw = &whole.draw;
        state.move_with_gradient(&draw.position, draw.log_density, &draw.gradient);
        let reached_max_depth = depth == self.max_depth && !is_turning;
        Ok(NutsInfo::of(
            &tally,
            draw.energy,
            energy,
            step_size,
            depth,
            reached_max_depth,
        ))
    }
}

impl NutsInfo {
    fn of(
        tally: &Tally,
        energy: f64,
        energy_before: f64,
        step_size: f64,
        tree_depth: usize,
        reached_max_depth: bool,
    ) -> Self {
        NutsInfo {
            acceptance_rate: tally.sum_acceptance / tally.n_steps.max(1) as f64,
            step_size,
            tree_depth,
            n_steps: tally.n_steps,
            is_diverging: tally.is_diverging,
            reached_max_depth,
            energy,
            energy_error: energy - energy_before,
            max_energy_error: tally.max_energy_error,
        }
    }
}

learning_transition! { NutsTransition, |info|
    Column::acceptance_rate() => info.acceptance_rate;
    Column::step_size() => info.step_size;
    Column::integer("tree_depth", Combine::Max) => info.tree_depth as f64;
    Column::integer("n_steps", Combine::Sum) => info.n_steps as f64;
    Column::boolean("diverging") => f64::from(info.is_diverging);
    Column::boolean("reached_max_treedepth") => f64::from(info.reached_max_depth);
    Column::real("energy", Combine::Last) => info.energy;
    Column::real("energy_error", Combine::Last) => info.energy_error;
    Column::real("max_energy_error", Combine::Last) => info.max_energy_error;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::hmc::HmcTransition;
    use crate::inference::hamiltonian::metric::tests::metrics;
    use crate::inference::hamiltonian::warmup::MetricKind;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;

    fn settings(step_size: f64) -> Warmup {
        Warmup {
            target_acceptance: 0.8,
            metric: MetricKind::Diagonal,
            step_size: Some(step_size),
        }
    }

    /// Checks that neither coordinate nor the radius moves.
    fn check(seed: u64, step: &dyn Fn(&mut State, &mut Generator)) {
        bent::check(seed, N_STARTS, step);
    }

    #[test]
    fn the_target_is_invariant_under_nuts() {
        for (k, metric) in metrics().into_iter().enumerate() {
            let nuts = || {
                let mut nuts = NutsTransition::new(2, 5, settings(0.6));
                nuts.adapted = Adapted::fixed(0.6, metric.clone());
                nuts
            };
            check(10 * k as u64, &|state: &mut State, rng: &mut Generator| {
                nuts().transition(&mut Bent, state, rng).unwrap();
            });
        }
    }

    #[test]
    fn the_target_is_invariant_under_nuts_that_is_cut() {
        check(40, &|state: &mut State, rng: &mut Generator| {
            let info = NutsTransition::new(2, 2, settings(0.1))
                .transition(&mut Bent, state, rng)
                .unwrap();
            assert!(info.tree_depth <= 2 && info.n_steps <= 3);
        });
    }

    #[test]
    fn the_target_is_invariant_under_paths_of_fixed_length() {
        for (k, n_steps) in [1, 4].into_iter().enumerate() {
            check(50 + 10 * k as u64, &|state: &mut State, rng: &mut Generator| {
                HmcTransition::new(2, n_steps, settings(0.9))
                    .transition(&mut Bent, state, rng)
                    .unwrap();
            });
        }
    }

    /// A density that is NaN beyond a wall.
    struct Wall;

    impl LogDensity for Wall {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(if x[0] > 1.0 { f64::NAN } else { x[0] })
        }

        fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            gradient[0] = 1.0;
            self.value(x)
        }
    }

    #[test]
    fn a_density_that_is_nan_far_out_is_a_divergence() {
        let mut rng = crate::rng::Key::new(1).generator();
        let mut state = State::at(&mut Wall, vec![0.9]).unwrap();
        let mut nuts = NutsTransition::new(1, 10, settings(0.5));
        let mut n_diverging = 0;
        for _ in 0..100 {
            let info = nuts.transition(&mut Wall, &mut state, &mut rng).unwrap();
            n_diverging += usize::from(info.is_diverging);
            assert!(state.position()[0] <= 1.0 && state.log_density().is_finite());
        }
        assert!(n_diverging > 50, "{n_diverging}");
    }

    #[test]
    fn the_state_keeps_the_gradient_of_its_point() {
        let mut rng = crate::rng::Key::new(2).generator();
        let mut state = State::at(&mut Bent, vec![0.3, 0.1]).unwrap();
        let mut nuts = NutsTransition::new(2, 10, settings(0.3));
        for _ in 0..20 {
            nuts.transition(&mut Bent, &mut state, &mut rng).unwrap();
            let mut gradient = [0.0; 2];
            let value = Bent.value_and_gradient(state.position(), &mut gradient).unwrap();
            assert_eq!(value, state.log_density());
            assert_eq!(state.gradient(&mut Bent).unwrap(), gradient);
        }
    }
}
