//! Random-walk Metropolis: all continuous coordinates move together along a learnt covariance.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::mh::state::{MhInfo, MhState};
use crate::log_density::LogDensity;

/// The proposal new = old + scale · L ε with standard normal ε, on some of the coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomWalk {
    /// The coordinates that move.
    pub coordinates: Vec<usize>,
    /// The lower triangle L of a covariance L Lᵀ, row by row: `[d, d]`.
    pub factor: Vec<f64>,
    /// The factor of the step.
    pub scale: f64,
}

impl RandomWalk {
    /// Returns a walk along the identity.
    pub fn new(coordinates: Vec<usize>) -> Self {
        let d = coordinates.len();
        let mut factor = vec![0.0; d * d];
        (0..d).for_each(|i| factor[i * d + i] = 1.0);
        RandomWalk {
            coordinates,
            factor,
            scale: RandomWalk::initial_scale(d),
        }
    }

    /// Returns 2.38 / √d, the best scale for a walk along the covariance of a normal target of many dimensions (Gelman,
    /// Roberts and Gilks 1996).
    pub fn initial_scale(dim: usize) -> f64 {
        2.38 / (dim as f64).sqrt()
    }

    /// Makes one step.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition<D: LogDensity, R: Rng>(
        &self,
        density: &mut D,
        state: &mut MhState,
        rng: &mut R,
    ) -> Result<MhInfo> {
        state.step(density, rng, |_, proposed, rng| {
            let d = self.coordinates.len();
            // Column by column, so that each normal number is drawn once and none is stored.
            for k in 0..d {
                let noise: f64 = StandardNormal.sample(rng);
                for i in k..d {
                    proposed[self.coordinates[i]] += self.scale * self.factor[i * d + k] * noise;
                }
            }
            0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::erf::ndtr;
    use crate::testing::invariance::check_continuous;

    /// A normal distribution with standard deviations 1 and 3 and correlation 0.8.
    struct Tilted;

    impl LogDensity for Tilted {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            let (a, b) = (x[0], (x[1] / 3.0 - 0.8 * x[0]) / 0.6);
            Ok(-0.5 * (a * a + b * b))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a random walk needs no gradient")
        }
    }

    /// Draws from the target, makes a step along another covariance, and returns the state.
    fn step(rng: &mut impl Rng, coordinates: Vec<usize>) -> MhState {
        let (a, b): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
        let mut state = MhState::at(&mut Tilted, vec![a, 3.0 * (0.8 * a + 0.6 * b)]).unwrap();
        let walk = RandomWalk {
            factor: match coordinates.len() {
                1 => vec![2.0],
                _ => vec![1.0, 0.0, -0.5, 2.0],
            },
            coordinates,
            scale: 0.9,
        };
        walk.transition(&mut Tilted, &mut state, rng).unwrap();
        state
    }

    #[test]
    fn the_target_is_invariant() {
        check_continuous(1, |rng| step(rng, vec![0, 1]).position[0], ndtr);
        check_continuous(2, |rng| step(rng, vec![0, 1]).position[1], |x| ndtr(x / 3.0));
        check_continuous(3, |rng| step(rng, vec![1]).position[1], |x| ndtr(x / 3.0));
        // The radius notices a wrong spread: minus the log density is exponential in two dimensions.
        check_continuous(4, |rng| -step(rng, vec![0, 1]).log_density, |r| -(-r).exp_m1());
    }
}
