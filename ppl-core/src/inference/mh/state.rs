//! The state of a Metropolis–Hastings chain on vectors, and the decision to accept.

use rand::Rng;

use crate::error::Result;
use crate::inference::potential::Start;
use crate::log_density::LogDensity;

/// What the next step needs.
#[derive(Clone, Debug, PartialEq)]
pub struct MhState {
    /// The unconstrained vector.
    pub position: Vec<f64>,
    /// The log density there.
    pub log_density: f64,
    /// The vector that a move writes before it is accepted; it equals `position` between moves.
    proposed: Vec<f64>,
}

/// What diagnostics and adaptation want to know of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MhInfo {
    /// The probability with which the proposal was accepted.
    pub accept_prob: f64,
    /// Whether it was.
    pub is_accepted: bool,
}

impl From<Start> for MhState {
    fn from(start: Start) -> Self {
        MhState {
            proposed: start.position.clone(),
            position: start.position,
            log_density: start.log_density,
        }
    }
}

impl MhState {
    /// Makes one Metropolis–Hastings step.
    ///
    /// `propose` is given the present vector and a copy of it to change, and returns ln q(old | new) − ln q(new | old).
    /// The proposal is accepted with probability min(1, p(new) q(old | new) / (p(old) q(new | old))); one whose density
    /// is NaN or zero never.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn step<D: LogDensity, R: Rng>(
        &mut self,
        density: &mut D,
        rng: &mut R,
        propose: impl FnOnce(&[f64], &mut [f64], &mut R) -> f64,
    ) -> Result<MhInfo> {
        let ln_backward_over_forward = propose(&self.position, &mut self.proposed, rng);
        let log_density = density.value(&self.proposed)?;
        let info = accept(log_density - self.log_density + ln_backward_over_forward, rng);
        if info.is_accepted {
            self.position.copy_from_slice(&self.proposed);
            self.log_density = log_density;
        } else {
            self.proposed.copy_from_slice(&self.position);
        }
        Ok(info)
    }
}

/// Accepts with probability min(1, exp(`ln_ratio`)), and never where the ratio is NaN.
pub(crate) fn accept(ln_ratio: f64, rng: &mut impl Rng) -> MhInfo {
    let accept_prob = if ln_ratio.is_nan() {
        0.0
    } else {
        ln_ratio.exp().min(1.0)
    };
    MhInfo {
        accept_prob,
        is_accepted: rng.random::<f64>() < accept_prob,
    }
}
