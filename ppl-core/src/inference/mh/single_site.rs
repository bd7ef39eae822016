//! Single-site moves on vectors: one latent at a time, discrete ones point by point.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::discrete::Discrete;
use crate::inference::mh::state::{MhInfo, MhState};
use crate::log_density::LogDensity;

/// The move of one latent site.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteMove {
    /// Its first coordinate.
    pub offset: usize,
    /// The number of its coordinates.
    pub len: usize,
    /// The kind of its points, `None` if it is continuous.
    pub discrete: Option<Discrete>,
    /// The factor of a step.
    pub scale: f64,
}

impl SiteMove {
    /// Returns the number of moves in a sweep: one for a continuous site, one for each point of a discrete one.
    pub fn n_moves(&self) -> usize {
        self.discrete.map_or(1, |kind| self.len / kind.width())
    }

    /// Returns the number of coordinates that a move changes.
    pub fn dim(&self) -> usize {
        if self.discrete.is_some() { 1 } else { self.len }
    }

    /// Makes move `k` of a sweep: all coordinates of a continuous site walk by `scale` times standard normal steps, and
    /// point `k` of a discrete site moves by [`Discrete::propose`].
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition<D: LogDensity, R: Rng>(
        &self,
        k: usize,
        density: &mut D,
        state: &mut MhState,
        rng: &mut R,
    ) -> Result<MhInfo> {
        state.step(density, rng, |_, proposed, rng| {
            let own = &mut proposed[self.offset..][..self.len];
            match self.discrete {
                Some(kind) => {
                    let width = kind.width();
                    kind.propose(&mut own[k * width..][..width], self.scale, rng);
                }
                None => own.iter_mut().for_each(|x| {
                    let noise: f64 = StandardNormal.sample(rng);
                    *x += self.scale * noise;
                }),
            }
            0.0
        })
    }
}
