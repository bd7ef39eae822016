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
    /// Returns the state at a point.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn at(density: &mut impl LogDensity, position: Vec<f64>) -> Result<Self> {
        let log_density = density.value(&position)?;
        Ok(Start { position, log_density }.into())
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Generator, Key};
    use crate::testing::invariance::check_continuous;
    use rand_distr::{Distribution, Exp1, StandardNormal};

    /// The exponential distribution.
    struct Exponential;

    impl LogDensity for Exponential {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(if x[0] < 0.0 { f64::NEG_INFINITY } else { -x[0] })
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a custom proposal needs no gradient")
        }
    }

    #[test]
    fn an_asymmetric_proposal_with_its_ratio_leaves_the_target_invariant() {
        // new = old · eᶻ has ln q(old | new) − ln q(new | old) = z.
        let step = |rng: &mut Generator| {
            let mut state = MhState::at(&mut Exponential, vec![Exp1.sample(rng)]).unwrap();
            let propose = |_: &[f64], new: &mut [f64], rng: &mut Generator| {
                let z: f64 = StandardNormal.sample(rng);
                new[0] *= z.exp();
                z
            };
            state.step(&mut Exponential, rng, propose).unwrap();
            state.position[0]
        };
        check_continuous(6, step, |x| -(-x).exp_m1());
    }

    #[test]
    fn a_point_without_density_is_never_accepted() {
        let mut rng = Key::new(1).generator();
        let mut state = MhState::at(&mut Exponential, vec![1.0]).unwrap();
        for bad in [-1.0, f64::NAN] {
            let propose = |_: &[f64], new: &mut [f64], _: &mut Generator| {
                new[0] = bad;
                0.0
            };
            let info = state.step(&mut Exponential, &mut rng, propose).unwrap();
            assert_eq!((info.accept_prob, info.is_accepted), (0.0, false));
            assert_eq!((state.position[0], state.proposed[0]), (1.0, 1.0));
        }
    }
}
