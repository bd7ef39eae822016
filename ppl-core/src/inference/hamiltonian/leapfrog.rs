//! The leapfrog scheme in whitened coordinates.
//!
//! With a metric L, where L Lᵀ approximates the covariance of the target, x = L z. The momentum r of z is standard normal;
//! in x it is L⁻ᵀ r, so that all inner products of velocity and momentum are those of r with itself. The dynamics keep
//! H = −ln p(x) + |r|² / 2.

use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::hamiltonian::metric::{Metric, dot};
use crate::inference::transition::State;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// A point with its momentum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhasePoint {
    /// The point x.
    pub position: Vec<f64>,
    /// The whitened momentum r.
    pub momentum: Vec<f64>,
    /// The gradient ∇ ln p(x).
    pub gradient: Vec<f64>,
    /// The whitened gradient Lᵀ ∇ ln p(x).
    pub force: Vec<f64>,
    /// ln p(x).
    pub log_density: f64,
}

impl PhasePoint {
    /// Returns a point at the origin of `dim` coordinates, to be filled.
    pub fn new(dim: usize) -> Self {
        PhasePoint {
            position: vec![0.0; dim],
            momentum: vec![0.0; dim],
            gradient: vec![0.0; dim],
            force: vec![0.0; dim],
            log_density: 0.0,
        }
    }

    /// Takes the point of a chain and draws a momentum.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn begin(
        &mut self,
        state: &mut State,
        density: &mut dyn LogDensity,
        metric: &Metric,
        rng: &mut Generator,
    ) -> Result<()> {
        self.gradient.copy_from_slice(state.gradient(density)?);
        self.position.copy_from_slice(state.position());
        self.log_density = state.log_density();
        metric.whiten(&self.gradient, &mut self.force);
        self.momentum.iter_mut().for_each(|r| *r = StandardNormal.sample(rng));
        Ok(())
    }

    /// Copies another point of the same length.
    pub fn copy_from(&mut self, other: &PhasePoint) {
        self.position.copy_from_slice(&other.position);
        self.momentum.copy_from_slice(&other.momentum);
        self.gradient.copy_from_slice(&other.gradient);
        self.force.copy_from_slice(&other.force);
        self.log_density = other.log_density;
    }

    /// Returns H = −ln p(x) + |r|² / 2; what is NaN is an energy without bound.
    pub fn energy(&self) -> f64 {
        let energy = 0.5 * dot(&self.momentum, &self.momentum) - self.log_density;
        if energy.is_nan() { f64::INFINITY } else { energy }
    }

    /// Makes one leapfrog step of length `step_size`, backwards if it is negative.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    #[inline]
    pub fn leapfrog(&mut self, density: &mut dyn LogDensity, metric: &Metric, step_size: f64) -> Result<()> {
        self.kick(0.5 * step_size);
        metric.add_coloured(step_size, &self.momentum, &mut self.position);
        self.log_density = density.value_and_gradient(&self.position, &mut self.gradient)?;
        metric.whiten(&self.gradient, &mut self.force);
        self.kick(0.5 * step_size);
        Ok(())
    }

    #[inline]
    fn kick(&mut self, time: f64) {
        for (r, f) in self.momentum.iter_mut().zip(&self.force) {
            *r += time * f;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::metric::tests::{Banana, metrics};

    fn point(momentum: [f64; 2]) -> PhasePoint {
        let mut point = PhasePoint::new(2);
        point.position = vec![0.4, -0.3];
        point.momentum = momentum.to_vec();
        point.log_density = Banana.value_and_gradient(&[0.4, -0.3], &mut point.gradient).unwrap();
        point
    }

    fn begin(metric: &Metric, momentum: [f64; 2]) -> PhasePoint {
        let mut point = point(momentum);
        metric.whiten(&point.gradient.clone(), &mut point.force);
        point
    }

    #[test]
    fn a_path_is_reversible() {
        for metric in metrics() {
            let start = begin(&metric, [0.7, -1.2]);
            let mut point = start.clone();
            (0..20).for_each(|_| point.leapfrog(&mut Banana, &metric, 0.1).unwrap());
            assert!((point.position[0] - start.position[0]).abs() > 0.1);
            (0..20).for_each(|_| point.leapfrog(&mut Banana, &metric, -0.1).unwrap());
            for (a, b) in [(&point.position, &start.position), (&point.momentum, &start.momentum)] {
                a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
            }
        }
    }

    #[test]
    fn the_error_of_the_energy_is_of_second_order() {
        for metric in metrics() {
            let error = |n: usize| {
                let start = begin(&metric, [0.7, -1.2]);
                let mut point = start.clone();
                (0..n).for_each(|_| point.leapfrog(&mut Banana, &metric, 1.0 / n as f64).unwrap());
                (point.energy() - start.energy()).abs()
            };
            let order = (error(100) / error(200)).log2();
            assert!((order - 2.0).abs() < 0.1, "order {order}");
        }
    }

    #[test]
    fn a_step_keeps_the_volume() {
        for metric in metrics() {
            let h = 1e-5;
            // The Jacobian of (z, r) after one step, by central differences; x = L z has the same determinant both ways.
            let after = |shift: usize, by: f64| {
                let mut point = begin(&metric, [0.7, -1.2]);
                match shift {
                    0 | 1 => point.position[shift] += by,
                    _ => point.momentum[shift - 2] += by,
                }
                let position = point.position.clone();
                point.log_density = Banana.value_and_gradient(&position, &mut point.gradient).unwrap();
                metric.whiten(&point.gradient.clone(), &mut point.force);
                point.leapfrog(&mut Banana, &metric, 0.3).unwrap();
                [point.position, point.momentum].concat()
            };
            let columns: Vec<Vec<f64>> = (0..4)
                .map(|k| {
                    let (up, down) = (after(k, h), after(k, -h));
                    up.iter().zip(down).map(|(u, d)| (u - d) / (2.0 * h)).collect()
                })
                .collect();
            let determinant = determinant(columns);
            assert!((determinant - 1.0).abs() < 1e-8, "{determinant}");
        }
    }

    /// Returns the determinant by elimination with pivots.
    fn determinant(mut a: Vec<Vec<f64>>) -> f64 {
        let (n, mut product) = (a.len(), 1.0);
        for k in 0..n {
            let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap();
            if pivot != k {
                a.swap(pivot, k);
                product = -product;
            }
            product *= a[k][k];
            for i in k + 1..n {
                let factor = a[i][k] / a[k][k];
                let pivot_row = a[k].clone();
                a[i].iter_mut()
                    .zip(&pivot_row)
                    .skip(k)
                    .for_each(|(x, p)| *x -= factor * p);
            }
        }
        product
    }
}
