//! Microcanonical Langevin Monte Carlo with an acceptance that makes it exact.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::hamiltonian::leapfrog::PhasePoint;
use crate::inference::hamiltonian::learning::learning_transition;
use crate::inference::hamiltonian::metric::{Metric, dot};
use crate::inference::hamiltonian::nuts::MAX_ENERGY_ERROR;
use crate::inference::hamiltonian::warmup::{Adapted, Warmup};
use crate::inference::transition::{Column, Combine, State, accept};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Metropolis-adjusted microcanonical Langevin dynamics (Robnik, Cohn-Gordon and Seljak 2025, *Metropolis adjusted
/// microcanonical Hamiltonian Monte Carlo*).
///
/// In whitened coordinates z the velocity u has length one, and turns towards the gradient f: dz/dt = u,
/// du/dt = (1 − u uᵀ) f / (d − 1), which keeps p(z) times the uniform distribution of u. A path begins with a new velocity,
/// which noise turns a little at each step; its end is accepted with the probability that makes up for the error of the
/// steps. A step of length ε moves z by ε √d, as far as one of Hamiltonian dynamics on average, so that the step size is
/// learnt as there. It needs two dimensions at least.
#[derive(Debug)]
pub struct MclmcTransition {
    adapted: Adapted,
    n_steps: usize,
    point: PhasePoint,
}

/// What a step of microcanonical Langevin Monte Carlo tells of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MclmcInfo {
    /// The probability with which the end of the path was accepted.
    pub acceptance_rate: f64,
    /// The length of a step.
    pub step_size: f64,
    /// The number of steps, each with one gradient.
    pub n_steps: usize,
    /// Whether the energy left all bounds, so that the path was cut.
    pub is_diverging: bool,
    /// The error of the energy that the path has gathered.
    pub energy_error: f64,
}

impl MclmcTransition {
    /// Returns the transition in `dim` dimensions with paths of `n_steps` steps on average.
    ///
    /// # Panics
    ///
    /// If there are fewer than two dimensions.
    pub fn new(dim: usize, n_steps: usize, warmup: Warmup) -> Self {
        assert!(
            dim >= 2,
            "microcanonical dynamics in {dim} dimensions: a velocity of length one turns in two dimensions at least"
        );
        MclmcTransition {
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
    ) -> Result<MclmcInfo> {
        let (step_size, metric) = (self.adapted.step_size(), self.adapted.metric());
        let point = &mut self.point;
        point.begin(state, density, metric, rng)?;
        normalise(&mut point.momentum);
        let before = point.log_density;
        // Uniform on 1, …, 2 n − 1: independent of where the path begins, so that its way back is as likely.
        let n_steps = rng.random_range(1..2 * self.n_steps);
        // Over a path of mean length the noise makes the velocity another.
        let noise = noise_of(0.5 / self.n_steps as f64, point.momentum.len());
        let (mut n_made, mut kinetic, mut error) = (0, 0.0, 0.0);
        while n_made < n_steps && error <= MAX_ENERGY_ERROR {
            disturb(&mut point.momentum, noise, rng);
            kinetic += leap(point, density, metric, step_size)?;
            disturb(&mut point.momentum, noise, rng);
            n_made += 1;
            error = kinetic + before - point.log_density;
            if error.is_nan() {
                error = f64::INFINITY;
            }
        }
        let info = accept(-error, rng);
        if info.is_accepted {
            state.move_with_gradient(&point.position, point.log_density, &point.gradient);
        }
        Ok(MclmcInfo {
            acceptance_rate: info.acceptance_rate,
            step_size,
            n_steps: n_made,
            is_diverging: error > MAX_ENERGY_ERROR,
            energy_error: error,
        })
    }
}

/// Makes one step, and returns the change of the kinetic energy, which is minus the logarithm of the change of volume.
fn leap(point: &mut PhasePoint, density: &mut dyn LogDensity, metric: &Metric, step_size: f64) -> Result<f64> {
    let time = step_size * (point.momentum.len() as f64).sqrt();
    let first = turn(&mut point.momentum, &point.force, 0.5 * time);
    metric.add_coloured(time, &point.momentum, &mut point.position);
    point.log_density = density.value_and_gradient(&point.position, &mut point.gradient)?;
    metric.whiten(&point.gradient, &mut point.force);
    Ok(first + turn(&mut point.momentum, &point.force, 0.5 * time))
}

/// Turns the velocity towards the force for some time, and returns the change of the kinetic energy.
///
/// With the direction e of the force, δ = time |f| / (d − 1) and c = u·e, u becomes
/// (u + e (sinh δ + c (cosh δ − 1))) / (cosh δ + c sinh δ), and the energy (d − 1) ln(cosh δ + c sinh δ) more. All is written
/// by ζ = e^−δ, which never overflows.
fn turn(velocity: &mut [f64], force: &[f64], time: f64) -> f64 {
    let strength = dot(force, force).sqrt();
    if strength == 0.0 {
        return 0.0;
    }
    let dim = velocity.len() as f64 - 1.0;
    let delta = time * strength / dim;
    let zeta = (-delta).exp();
    let along = dot(velocity, force) / strength;
    let pull = (1.0 - zeta) * (1.0 + zeta + along * (1.0 - zeta)) / strength;
    for (u, f) in velocity.iter_mut().zip(force) {
        *u = 2.0 * zeta * *u + pull * f;
    }
    normalise(velocity);
    dim * (delta - std::f64::consts::LN_2 + (1.0 + along + (1.0 - along) * zeta * zeta).ln())
}

/// Returns the strength of the noise after which a part of a path's length has gone by.
fn noise_of(part: f64, dim: usize) -> f64 {
    ((2.0 * part).exp_m1() / dim as f64).sqrt()
}

/// Turns the velocity at random: any way is as likely as its way back.
fn disturb(velocity: &mut [f64], noise: f64, rng: &mut Generator) {
    for u in velocity.iter_mut() {
        let z: f64 = StandardNormal.sample(rng);
        *u += noise * z;
    }
    normalise(velocity);
}

fn normalise(velocity: &mut [f64]) {
    let length = dot(velocity, velocity).sqrt();
    velocity.iter_mut().for_each(|u| *u /= length);
}

learning_transition! { MclmcTransition, |info|
    Column::acceptance_rate() => info.acceptance_rate;
    Column::step_size() => info.step_size;
    Column::integer("n_steps", Combine::Sum) => info.n_steps as f64;
    Column::boolean("diverging") => f64::from(info.is_diverging);
    Column::real("energy_error", Combine::Last) => info.energy_error;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::metric::tests::metrics;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;
    use crate::testing::resumed;

    #[test]
    fn the_target_is_invariant() {
        for (seed, metric) in (100..).zip(metrics()) {
            for (n_steps, step_size) in [(1, 0.9), (4, 0.6)] {
                bent::check(seed + 10 * n_steps as u64, N_STARTS, &|state, rng| {
                    let mut own = MclmcTransition::new(2, n_steps, Warmup::default());
                    own.adapted = Adapted::fixed(step_size, metric.clone());
                    own.transition(&mut Bent, state, rng).unwrap();
                });
            }
        }
    }

    #[test]
    fn a_turn_is_the_flow_towards_the_force() {
        let force = [0.7, -1.1, 0.4];
        let mut exact = [0.6, 0.0, 0.8];
        let energy = turn(&mut exact, &force, 0.9);
        // du/dt = (1 − u uᵀ) f / 2, and the energy grows by u·f, in short steps by the midpoint.
        let (mut u, mut sum, n) = ([0.6, 0.0, 0.8], 0.0, 100_000);
        let h = 0.9 / f64::from(n);
        let slope = |u: &[f64; 3]| {
            let along = dot(u, &force);
            [0, 1, 2].map(|i| 0.5 * (force[i] - along * u[i]))
        };
        for _ in 0..n {
            let half = slope(&u);
            let middle = [0, 1, 2].map(|i| u[i] + 0.5 * h * half[i]);
            let whole = slope(&middle);
            sum += h * dot(&middle, &force);
            u = [0, 1, 2].map(|i| u[i] + h * whole[i]);
        }
        assert!(
            u.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-9),
            "{u:?} {exact:?}"
        );
        assert!((sum - energy).abs() < 1e-9, "{sum} {energy}");
    }

    #[test]
    fn a_turn_by_a_huge_force_is_finite() {
        let mut velocity = [0.6, 0.8];
        let energy = turn(&mut velocity, &[0.0, 1e6], 1.0);
        // (d − 1) ln((1 + c) e^δ / 2) with c = 0.8 and δ = 10⁶.
        assert!((energy - (1e6 + 0.9_f64.ln())).abs() < 1e-8, "{energy}");
        assert!(velocity[0].abs() < 1e-12 && (velocity[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_path_is_reversible() {
        for metric in metrics() {
            let mut state = State::at(&mut Bent, vec![0.4, -0.3]).unwrap();
            let mut point = PhasePoint::new(2);
            point
                .begin(&mut state, &mut Bent, &metric, &mut Key::new(1).generator())
                .unwrap();
            normalise(&mut point.momentum);
            let start = point.clone();
            let there: f64 = (0..10)
                .map(|_| leap(&mut point, &mut Bent, &metric, 0.2).unwrap())
                .sum();
            let moved = point.position.iter().zip(&start.position).map(|(a, b)| (a - b).abs());
            assert!(moved.sum::<f64>() > 0.1);
            point.momentum.iter_mut().for_each(|u| *u = -*u);
            let back: f64 = (0..10)
                .map(|_| leap(&mut point, &mut Bent, &metric, 0.2).unwrap())
                .sum();
            assert!((there + back).abs() < 1e-10, "{there} {back}");
            let ends = point.position.iter().zip(&start.position);
            ends.for_each(|(a, b)| assert!((a - b).abs() < 1e-10, "{a} {b}"));
        }
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        resumed::check(&mut || Box::new(MclmcTransition::new(2, 3, Warmup::default())));
    }

    #[test]
    #[should_panic(expected = "turns in two dimensions at least")]
    fn one_dimension_is_refused() {
        MclmcTransition::new(1, 3, Warmup::default());
    }
}
