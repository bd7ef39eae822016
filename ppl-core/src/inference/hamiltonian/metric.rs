//! Metrics: linear maps that make the coordinates of a target alike.

use crate::inference::persist::Fields;

/// A map L where L Lᵀ approximates the covariance of the target, the inverse of the mass matrix.
///
/// A good metric leaves a target whose coordinates are independent with standard deviation one, on which paths of one step
/// size suit all directions.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// L is diagonal.
    Diagonal {
        /// Its diagonal, the standard deviations.
        scale: Vec<f64>,
    },
    /// L is lower triangular.
    Dense {
        /// Its rows: `[d, d]`.
        factor: Vec<f64>,
    },
    /// L = D (1 + U (Λ − 1) Uᵀ): the directions U of D⁻¹ x have the standard deviations Λ, all others one.
    LowRank {
        /// The diagonal of D.
        scale: Vec<f64>,
        /// The rows of Uᵀ, orthonormal: `[k, d]`.
        directions: Vec<f64>,
        /// The diagonal of Λ.
        spreads: Vec<f64>,
    },
}

impl Metric {
    /// Returns the identity in `dim` dimensions.
    pub fn identity(dim: usize) -> Self {
        Metric::Diagonal { scale: vec![1.0; dim] }
    }

    /// Writes Lᵀ g.
    #[inline]
    pub fn whiten(&self, gradient: &[f64], out: &mut [f64]) {
        match self {
            Metric::Diagonal { scale } => {
                for ((out, g), s) in out.iter_mut().zip(gradient).zip(scale) {
                    *out = g * s;
                }
            }
            Metric::Dense { factor } => {
                let d = gradient.len();
                out.fill(0.0);
                for (i, g) in gradient.iter().enumerate() {
                    for (out, l) in out[..=i].iter_mut().zip(&factor[i * d..]) {
                        *out += g * l;
                    }
                }
            }
            Metric::LowRank {
                scale,
                directions,
                spreads,
            } => {
                for ((out, g), s) in out.iter_mut().zip(gradient).zip(scale) {
                    *out = g * s;
                }
                // The directions are orthonormal, so that none sees what another has added.
                for (u, spread) in directions.chunks_exact(out.len().max(1)).zip(spreads) {
                    let along = (spread - 1.0) * dot(u, out);
                    out.iter_mut().zip(u).for_each(|(out, u)| *out += along * u);
                }
            }
        }
    }

    /// Adds `factor` · L r to `out`.
    #[inline]
    pub fn add_coloured(&self, factor: f64, whitened: &[f64], out: &mut [f64]) {
        match self {
            Metric::Diagonal { scale } => {
                for ((out, r), s) in out.iter_mut().zip(whitened).zip(scale) {
                    *out += factor * s * r;
                }
            }
            Metric::Dense { factor: lower } => {
                let d = whitened.len();
                for (i, out) in out.iter_mut().enumerate() {
                    *out += factor * dot(&lower[i * d..][..=i], &whitened[..=i]);
                }
            }
            Metric::LowRank {
                scale,
                directions,
                spreads,
            } => {
                for ((out, r), s) in out.iter_mut().zip(whitened).zip(scale) {
                    *out += factor * s * r;
                }
                for (u, spread) in directions.chunks_exact(out.len().max(1)).zip(spreads) {
                    let along = factor * (spread - 1.0) * dot(u, whitened);
                    for ((out, u), s) in out.iter_mut().zip(u).zip(scale) {
                        *out += along * s * u;
                    }
                }
            }
        }
    }

    /// Shows the map; its kind is that of the warm-up, and does not change.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        match self {
            Metric::Diagonal { scale } => fields.numbers("scale", scale),
            Metric::Dense { factor } => fields.numbers("factor", factor),
            Metric::LowRank {
                scale,
                directions,
                spreads,
            } => {
                fields.numbers("scale", scale);
                fields.list("directions", directions);
                fields.list("spreads", spreads);
            }
        }
    }
}

/// Returns the inner product.
#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Result;
    use crate::log_density::LogDensity;

    /// A bent valley, whose dynamics are not linear.
    pub(in crate::inference::hamiltonian) struct Banana;

    impl LogDensity for Banana {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            let bend = x[1] + x[0] * x[0];
            Ok(-0.5 * x[0] * x[0] - 2.0 * bend * bend)
        }

        fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            let bend = x[1] + x[0] * x[0];
            gradient[0] = -x[0] - 8.0 * bend * x[0];
            gradient[1] = -4.0 * bend;
            self.value(x)
        }
    }

    /// Returns a metric of each kind.
    pub(in crate::inference::hamiltonian) fn metrics() -> [Metric; 3] {
        [
            Metric::Diagonal { scale: vec![1.2, 0.5] },
            Metric::Dense {
                factor: vec![0.9, 0.0, -0.4, 0.7],
            },
            Metric::LowRank {
                scale: vec![1.1, 0.6],
                directions: vec![0.6, 0.8],
                spreads: vec![1.7],
            },
        ]
    }

    /// Returns the rows of L.
    fn rows(metric: &Metric) -> [[f64; 2]; 2] {
        let column = |k: usize| {
            let (mut unit, mut out) = ([0.0; 2], [0.0; 2]);
            unit[k] = 1.0;
            metric.add_coloured(1.0, &unit, &mut out);
            out
        };
        let (a, b) = (column(0), column(1));
        [[a[0], b[0]], [a[1], b[1]]]
    }

    #[test]
    fn whitening_is_the_transpose_of_colouring() {
        for metric in metrics() {
            let l = rows(&metric);
            let mut out = [9.0; 2];
            metric.whiten(&[0.3, -0.8], &mut out);
            for k in 0..2 {
                let want = l[0][k] * 0.3 + l[1][k] * -0.8;
                assert!((out[k] - want).abs() < 1e-15, "{metric:?}: {out:?}");
            }
        }
    }

    #[test]
    fn maps_are_those_of_their_matrices() {
        let [diagonal, dense, low_rank] = metrics();
        assert_eq!(rows(&diagonal), [[1.2, 0.0], [0.0, 0.5]]);
        assert_eq!(rows(&dense), [[0.9, 0.0], [-0.4, 0.7]]);
        // D (1 + u uᵀ (λ − 1)) by hand.
        let (u, by) = ([0.6, 0.8], 0.7);
        let got = rows(&low_rank);
        for (i, s) in [1.1, 0.6].into_iter().enumerate() {
            for j in 0..2 {
                let want = s * (f64::from(i == j) + by * u[i] * u[j]);
                assert!((got[i][j] - want).abs() < 1e-15);
            }
        }
    }
}
