//! The affine-invariant ensemble: walkers that move along the lines between them.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Phase, State, Transition, accept};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// A line is stretched by factors between 1/a and a: the choice of Goodman and Weare.
const MOST_STRETCH: f64 = 2.0;

/// How often the spread of the first walkers is halved at most until their densities are finite.
const MAX_HALVINGS: usize = 60;

/// The affine-invariant ensemble with stretch moves (Goodman and Weare 2010).
///
/// A step moves each walker once: with another walker x′ and a factor z, whose density is proportional to 1/√z on
/// (1/2, 2), it proposes x′ + z (x − x′), accepted with probability min(1, zᵈ⁻¹ p(new) / p(old)). Nothing is learnt and no
/// gradient needed, and a linear map of the target changes nothing; it is for few dimensions.
///
/// The state of the chain is the first walker; the others are the transition's own, so that a chain is one like any other
/// and its statistics say what they say of others. Draws of all walkers in turn would look independent to an
/// autocorrelation, and are not. Since walkers are points of the whole target, nothing but a transition of the whole may
/// move the state between steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    dim: usize,
    /// `[walker, dim]`.
    walkers: Vec<f64>,
    /// The log density of each walker, NaN before the start.
    log_densities: Vec<f64>,
    proposed: Vec<f64>,
}

impl Ensemble {
    /// Returns an ensemble in `dim` dimensions.
    ///
    /// # Panics
    ///
    /// If there are fewer than [`Ensemble::least`] walkers.
    pub fn new(dim: usize, n_walkers: usize) -> Self {
        let least = Ensemble::least(dim);
        assert!(
            n_walkers >= least,
            "an ensemble of {n_walkers} walkers in {dim} dimensions: {least} are needed at least"
        );
        Ensemble {
            dim,
            walkers: vec![0.0; n_walkers * dim],
            log_densities: vec![f64::NAN; n_walkers],
            proposed: vec![0.0; dim],
        }
    }

    /// Returns the least number of walkers in `dim` dimensions, 2 d and three at least: they reach only what lies between them.
    pub fn least(dim: usize) -> usize {
        dim.saturating_mul(2).max(3)
    }

    fn n_walkers(&self) -> usize {
        self.log_densities.len()
    }

    /// Moves a walker, and returns the probability with which the move was accepted.
    fn stretch(&mut self, walker: usize, density: &mut dyn LogDensity, rng: &mut impl Rng) -> Result<f64> {
        let other = rng.random_range(0..self.n_walkers() - 1);
        let other = if other < walker { other } else { other + 1 };
        // The square root of z is uniform between those of its bounds.
        let (least, most) = (MOST_STRETCH.recip().sqrt(), MOST_STRETCH.sqrt());
        let z = (least + (most - least) * rng.random::<f64>()).powi(2);
        let d = self.dim;
        let (own, fixed) = (&self.walkers[walker * d..][..d], &self.walkers[other * d..][..d]);
        for ((new, x), fixed) in self.proposed.iter_mut().zip(own).zip(fixed) {
            *new = fixed + z * (x - fixed);
        }
        let log_density = density.value(&self.proposed)?;
        let ln_volume = (d as f64 - 1.0) * z.ln();
        let info = accept(log_density - self.log_densities[walker] + ln_volume, rng);
        if info.is_accepted {
            self.walkers[walker * d..][..d].copy_from_slice(&self.proposed);
            self.log_densities[walker] = log_density;
        }
        Ok(info.acceptance_rate)
    }
}

impl Transition for Ensemble {
    fn columns(&self) -> Vec<Column> {
        vec![Column::acceptance_rate()]
    }

    /// Places the walkers around the state, as far apart as the density allows.
    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        self.log_densities[0] = state.log_density();
        self.walkers[..self.dim].copy_from_slice(state.position());
        for walker in 1..self.n_walkers() {
            let mut spread = 1.0;
            for _ in 0..MAX_HALVINGS {
                for (new, x) in self.proposed.iter_mut().zip(state.position()) {
                    let noise: f64 = StandardNormal.sample(rng);
                    *new = x + spread * noise;
                }
                self.log_densities[walker] = density.value(&self.proposed)?;
                if self.log_densities[walker].is_finite() {
                    break;
                }
                spread *= 0.5;
            }
            if !self.log_densities[walker].is_finite() {
                self.proposed.copy_from_slice(state.position());
                self.log_densities[walker] = state.log_density();
            }
            self.walkers[walker * self.dim..][..self.dim].copy_from_slice(&self.proposed);
        }
        Ok(())
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        _: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        assert!(
            self.log_densities[1..].iter().all(|x| !x.is_nan()),
            "an ensemble makes a step before its start: call `start` first"
        );
        self.walkers[..self.dim].copy_from_slice(state.position());
        self.log_densities[0] = state.log_density();
        let n = self.n_walkers();
        let mut sum = 0.0;
        for walker in 0..n {
            sum += self.stretch(walker, density, rng)?;
        }
        if self.walkers[..self.dim] != *state.position() {
            state.move_to(&self.walkers[..self.dim], self.log_densities[0]);
        }
        row[0] = sum / n as f64;
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.numbers("walkers", &mut self.walkers);
        fields.numbers("log_densities", &mut self.log_densities);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;
    use crate::testing::resumed;

    #[test]
    fn the_target_is_invariant() {
        bent::check(90, N_STARTS, &|state, rng| {
            let mut ensemble = Ensemble::new(2, 4);
            for walker in 1..4 {
                let exact = Bent::draw(rng);
                ensemble.walkers[2 * walker..][..2].copy_from_slice(exact.position());
                ensemble.log_densities[walker] = exact.log_density();
            }
            for _ in 0..2 {
                ensemble
                    .step(&mut Bent, state, Phase::Sampling, rng, &mut [0.0])
                    .unwrap();
            }
        });
    }

    /// Another target by a linear map of its coordinates.
    struct Mapped;

    impl Mapped {
        fn back(x: &[f64]) -> [f64; 2] {
            [8.0 * x[0] + 1.0, 0.25 * x[1] - 4.0 * x[0]]
        }
    }

    impl LogDensity for Mapped {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Bent.value(&Mapped::back(x))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("an ensemble needs no gradient")
        }
    }

    #[test]
    fn a_linear_map_of_the_target_changes_nothing() {
        // All numbers of the map are powers of two, so that no step rounds.
        let map = |x: &[f64]| [(x[0] - 1.0) / 8.0, 4.0 * (x[1] + 0.5 * (x[0] - 1.0))];
        let mut rng = Key::new(2).generator();
        let mut one = Ensemble::new(2, 6);
        let mut state = State::at(&mut Bent, vec![0.25, 0.5]).unwrap();
        one.start(&mut Bent, &mut state, &mut rng).unwrap();
        let mut other = one.clone();
        for (x, y) in one.walkers.chunks(2).zip(other.walkers.chunks_mut(2)) {
            y.copy_from_slice(&map(x));
        }
        let mut mapped = State::new(other.walkers[..2].to_vec(), state.log_density());
        for k in 0..50 {
            let rng = || Key::new(3).split(k).generator();
            one.step(&mut Bent, &mut state, Phase::Sampling, &mut rng(), &mut [0.0])
                .unwrap();
            other
                .step(&mut Mapped, &mut mapped, Phase::Sampling, &mut rng(), &mut [0.0])
                .unwrap();
            let back = Mapped::back(mapped.position());
            assert!(
                back.iter().zip(state.position()).all(|(a, b)| (a - b).abs() < 1e-9),
                "{back:?}"
            );
        }
        assert_ne!(state.position(), [0.25, 0.5]);
    }

    /// A density that is zero but for a small interval.
    struct Narrow;

    impl LogDensity for Narrow {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(if x[0].abs() < 1e-6 { 0.0 } else { f64::NEG_INFINITY })
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("an ensemble needs no gradient")
        }
    }

    #[test]
    fn walkers_start_where_the_density_allows_and_apart() {
        let mut ensemble = Ensemble::new(1, 8);
        let mut state = State::at(&mut Narrow, vec![0.0]).unwrap();
        ensemble
            .start(&mut Narrow, &mut state, &mut Key::new(4).generator())
            .unwrap();
        assert!(ensemble.log_densities.iter().all(|l| *l == 0.0));
        let mut walkers = ensemble.walkers.clone();
        walkers.sort_unstable_by(f64::total_cmp);
        assert!(walkers.windows(2).all(|w| w[0] < w[1]), "{walkers:?}");
    }

    #[test]
    fn a_state_that_another_transition_has_moved_is_the_first_walker() {
        let mut rng = Key::new(5).generator();
        let mut ensemble = Ensemble::new(2, 4);
        let mut state = State::at(&mut Bent, vec![0.0, 0.5]).unwrap();
        ensemble.start(&mut Bent, &mut state, &mut rng).unwrap();
        let mut n_moved = 0;
        for k in 0..50 {
            let elsewhere = [0.1 * f64::from(k % 7), -0.2];
            state.move_to(&elsewhere, Bent.value(&elsewhere).unwrap());
            let mut row = [0.0];
            ensemble
                .step(&mut Bent, &mut state, Phase::Sampling, &mut rng, &mut row)
                .unwrap();
            assert_eq!(ensemble.walkers[..2], *state.position());
            assert_eq!(ensemble.log_densities[0], Bent.value(state.position()).unwrap());
            assert_eq!(ensemble.log_densities[0], state.log_density());
            n_moved += usize::from(state.position() != elsewhere);
        }
        assert!((5..50).contains(&n_moved), "{n_moved}");
    }

    #[test]
    fn walkers_are_written_and_read() {
        resumed::check(&mut || Box::new(Ensemble::new(2, 5)));
    }

    #[test]
    #[should_panic(expected = "3 walkers in 2 dimensions: 4 are needed at least")]
    fn there_are_enough_walkers() {
        Ensemble::new(2, 3);
    }

    #[test]
    #[should_panic(expected = "call `start` first")]
    fn a_step_before_the_start_is_refused() {
        let mut state = State::at(&mut Bent, vec![0.0; 2]).unwrap();
        let mut rng = Key::new(1).generator();
        let _ = Ensemble::new(2, 4).step(&mut Bent, &mut state, Phase::Sampling, &mut rng, &mut [0.0]);
    }
}
