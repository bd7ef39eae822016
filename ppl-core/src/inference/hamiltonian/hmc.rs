//! Hamiltonian Monte Carlo with paths of a fixed number of steps.

use rand::Rng;

use crate::error::Result;
use crate::inference::hamiltonian::leapfrog::PhasePoint;
use crate::inference::hamiltonian::learning::learning_transition;
use crate::inference::hamiltonian::nuts::MAX_ENERGY_ERROR;
use crate::inference::hamiltonian::warmup::{Adapted, Warmup};
use crate::inference::transition::{Column, Combine, State, accept};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): a path of leapfrog steps, whose end is accepted or not.
///
/// With one step it is the Metropolis-adjusted Langevin algorithm. The number of steps varies around its mean, so that no
/// path has the period of a coordinate.
#[derive(Debug)]
pub struct HmcTransition {
    adapted: Adapted,
    n_steps: usize,
    point: PhasePoint,
}

/// What a step of Hamiltonian Monte Carlo tells of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HmcInfo {
    /// The probability with which the end of the path was accepted.
    pub acceptance_rate: f64,
    /// The length of a leapfrog step.
    pub step_size: f64,
    /// The number of leapfrog steps, each with one gradient.
    pub n_steps: usize,
    /// Whether the energy left all bounds, so that the path was cut.
    pub is_diverging: bool,
    /// The energy H of the draw.
    pub energy: f64,
    /// H at the end of the path less that at the start.
    pub energy_error: f64,
}

impl HmcTransition {
    /// Returns the transition in `dim` dimensions with paths of `n_steps` steps on average.
    pub fn new(dim: usize, n_steps: usize, warmup: Warmup) -> Self {
        HmcTransition {
            adapted: Adapted::new(dim, warmup),
            n_steps,
            point: PhasePoint::new(dim),
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
    ) -> Result<HmcInfo> {
        let (step_size, metric) = (self.adapted.step_size(), self.adapted.metric());
        let point = &mut self.point;
        point.begin(state, density, metric, rng)?;
        let before = point.energy();
        // Uniform on 1, …, 2 n − 1: independent of where the path begins, so that its way back is as likely.
        let n_steps = rng.random_range(1..2 * self.n_steps);
        let (mut n_made, mut error) = (0, 0.0);
        while n_made < n_steps && error <= MAX_ENERGY_ERROR {
            point.leapfrog(density, metric, step_size)?;
            n_made += 1;
            error = point.energy() - before;
        }
        let info = accept(-error, rng);
        if info.is_accepted {
            state.move_with_gradient(&point.position, point.log_density, &point.gradient);
        }
        Ok(HmcInfo {
            acceptance_rate: info.acceptance_rate,
            step_size,
            n_steps: n_made,
            is_diverging: error > MAX_ENERGY_ERROR,
            energy: if info.is_accepted { before + error } else { before },
            energy_error: error,
        })
    }
}

learning_transition! { HmcTransition, |info|
    Column::acceptance_rate() => info.acceptance_rate;
    Column::step_size() => info.step_size;
    Column::integer("n_steps", Combine::Sum) => info.n_steps as f64;
    Column::boolean("diverging") => f64::from(info.is_diverging);
    Column::real("energy", Combine::Last) => info.energy;
    Column::real("energy_error", Combine::Last) => info.energy_error;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::warmup::MetricKind;
    use crate::rng::Key;
    use crate::testing::bent::Bent;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn one_step_is_the_metropolis_adjusted_langevin_algorithm() {
        let h = 0.7;
        let warmup = Warmup {
            metric: MetricKind::Diagonal,
            step_size: Some(h),
            ..Warmup::default()
        };
        let drift = |x: &[f64]| {
            let mut gradient = [0.0; 2];
            Bent.value_and_gradient(x, &mut gradient).unwrap();
            [0, 1].map(|i| x[i] + 0.5 * h * h * gradient[i])
        };
        let ln_q = |to: &[f64], from: &[f64]| -> f64 {
            let mean = drift(from);
            -(0..2).map(|i| (to[i] - mean[i]).powi(2)).sum::<f64>() / (2.0 * h * h)
        };
        let mut accepted = [0, 0];
        for k in 0..200 {
            let key = Key::new(11).split(k);
            let mut state = Bent::draw(&mut key.split(0).generator());
            let old = state.position().to_vec();
            let mut noise = key.split(1).generator();
            let new = drift(&old)
                .map(|mean| mean + h * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, &mut noise));
            let ratio = Bent.value(&new).unwrap() - Bent.value(&old).unwrap() + ln_q(&old, &new) - ln_q(&new, &old);
            let mut hmc = HmcTransition::new(2, 1, warmup);
            let info = hmc
                .transition(&mut Bent, &mut state, &mut key.split(1).generator())
                .unwrap();
            assert_eq!(info.n_steps, 1);
            assert!((info.acceptance_rate - ratio.exp().min(1.0)).abs() < 1e-12);
            let has_moved = state.position() != old;
            accepted[usize::from(has_moved)] += 1;
            if has_moved {
                assert!(state.position().iter().zip(new).all(|(a, b)| (a - b).abs() < 1e-12));
            }
        }
        assert!(accepted[0] > 10 && accepted[1] > 100, "{accepted:?}");
    }
}
