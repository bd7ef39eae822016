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
