//! Metrics from draws and gradients, by the least Fisher divergence from a normal distribution.
//!
//! A normal target with covariance Σ has gradients −Σ⁻¹ (x − μ), so that any draws and their gradients, as many as there are
//! coordinates, tell Σ exactly: with A the covariance of the draws and B that of the gradients, Σ B Σ = A. For other targets
//! the solution of M B M = A is the metric of the least Fisher divergence (Seyboldt, Carlson and Carpenter 2025,
//! *Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence*). It is computed in two steps: a diagonal from
//! the variances, and in the coordinates that it makes alike the few directions that are still much longer or shorter.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::inference::adapt::welford::Variance;
use crate::inference::hamiltonian::metric::Metric;
use crate::inference::persist::Fields;

/// The weight of the identity in both covariances, in standardised coordinates: directions that no draw shows stay as they are.
const RIDGE: f64 = 1e-5;

/// Directions whose variance lies within this factor of one are left alone: few draws do not tell them from one.
const CUTOFF: f64 = 2.0;

/// The most coordinates whose covariances are formed; beyond, they are those in the span of the last draws and gradients.
const MAX_DIM: usize = 100;

/// How many draws span that.
const MAX_SPAN: usize = MAX_DIM / 2;

/// Draws with their gradients.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    draws: Variance,
    gradients: Variance,
    /// Whether each draw is kept, and not only the variances.
    has_rows: bool,
    /// The draws, row by row: `[draw, dim]`.
    draw_rows: Vec<f64>,
    /// Their gradients.
    gradient_rows: Vec<f64>,
}

impl Window {
    /// Returns one without draws; those of a metric with directions are kept one by one.
    pub(super) fn new(dim: usize, has_rows: bool) -> Self {
        Window {
            draws: Variance::new(dim),
            gradients: Variance::new(dim),
            has_rows,
            draw_rows: Vec::new(),
            gradient_rows: Vec::new(),
        }
    }

    /// Forgets all draws.
    pub(super) fn restart(&mut self) {
        self.draws.restart();
        self.gradients.restart();
        self.draw_rows.clear();
        self.gradient_rows.clear();
    }

    /// Returns the number of draws.
    pub(super) fn n(&self) -> usize {
        self.draws.n() as usize
    }

    pub(super) fn add(&mut self, position: &[f64], gradient: &[f64]) {
        self.draws.add(position);
        self.gradients.add(gradient);
        if self.has_rows {
            self.draw_rows.extend_from_slice(position);
            self.gradient_rows.extend_from_slice(gradient);
        }
    }

    /// Writes the square root of sd(x) / sd(∇) into each scale for which the draws tell it.
    pub(super) fn write_scale(&self, scale: &mut [f64]) {
        for (i, s) in scale.iter_mut().enumerate() {
            if let Some(variance) = bounded((self.draws.get(i) / self.gradients.get(i)).sqrt()) {
                *s = variance.sqrt();
            }
        }
    }

    /// Learns scale and directions.
    pub(super) fn write_metric(&self, metric: &mut Metric) {
        match metric {
            Metric::Diagonal { scale } => self.write_scale(scale),
            Metric::LowRank {
                scale,
                directions,
                spreads,
            } => {
                self.write_scale(scale);
                (*directions, *spreads) = self.directions(scale);
            }
            Metric::Dense { .. } => {}
        }
    }

    /// Returns the directions in the coordinates standardised by `scale` whose standard deviations are far from one, and
    /// these: the eigenvectors of M, where M B M = A.
    fn directions(&self, scale: &[f64]) -> (Vec<f64>, Vec<f64>) {
        if !self.has_rows {
            return Default::default();
        }
        let d = scale.len();
        let standardised = |rows: &[f64], mean: &[f64], factor: &dyn Fn(f64) -> f64| {
            let n = rows.len() / d;
            DMatrix::from_fn(d, n, |i, k| (rows[k * d + i] - mean[i]) * factor(scale[i]))
        };
        let draws = standardised(&self.draw_rows, self.draws.mean(), &|s| 1.0 / s);
        let gradients = standardised(&self.gradient_rows, self.gradients.mean(), &|s| s);
        if draws.iter().chain(&gradients).any(|x| !x.is_finite()) {
            return Default::default();
        }
        if d <= MAX_DIM {
            return far_from_one(eigen(&draws, &gradients), None);
        }
        let last = |rows: &DMatrix<f64>| {
            let n = rows.ncols().min(MAX_SPAN);
            rows.columns(rows.ncols() - n, n).into_owned()
        };
        let (some, their) = (last(&draws), last(&gradients));
        let both = DMatrix::from_fn(d, 2 * some.ncols(), |i, k| match k.checked_sub(some.ncols()) {
            None => some[(i, k)],
            Some(k) => their[(i, k)],
        });
        let basis = both.qr().q();
        let inside = |rows: &DMatrix<f64>| basis.transpose() * rows;
        far_from_one(eigen(&inside(&draws), &inside(&gradients)), Some(&basis))
    }

    pub(super) fn visit(&mut self, fields: &mut dyn Fields) {
        fields.part("draws", &mut |fields| self.draws.visit(fields));
        fields.part("gradients", &mut |fields| self.gradients.visit(fields));
        fields.list("draw_rows", &mut self.draw_rows);
        fields.list("gradient_rows", &mut self.gradient_rows);
    }
}

/// Returns the eigenvalues of M with the eigenvectors, where M B M = A, from draws and gradients as columns.
///
/// M = B^(−½) (B^½ A B^½)^½ B^(−½), the geometric mean of A and B⁻¹.
fn eigen(draws: &DMatrix<f64>, gradients: &DMatrix<f64>) -> SymmetricEigen<f64, nalgebra::Dyn> {
    let covariance = |rows: &DMatrix<f64>| {
        let d = rows.nrows();
        rows * rows.transpose() / rows.ncols().max(1) as f64 + DMatrix::identity(d, d) * RIDGE
    };
    let of_gradients = SymmetricEigen::new(covariance(gradients));
    let root = power(&of_gradients, 0.5);
    let inverse_root = power(&of_gradients, -0.5);
    let middle = SymmetricEigen::new(&root * covariance(draws) * &root);
    let mean = &inverse_root * power(&middle, 0.5) * &inverse_root;
    // Rounding must not leave it without symmetry.
    SymmetricEigen::new((&mean + mean.transpose()) * 0.5)
}

/// Returns a power of a symmetric matrix whose eigenvalues are not negative but for rounding.
fn power(eigen: &SymmetricEigen<f64, nalgebra::Dyn>, exponent: f64) -> DMatrix<f64> {
    let vectors = &eigen.eigenvectors;
    let powers = eigen.eigenvalues.map(|l| l.max(f64::MIN_POSITIVE).powf(exponent));
    vectors * DMatrix::from_diagonal(&powers) * vectors.transpose()
}

/// Returns the eigenvectors whose eigenvalues are far from one, row by row, and the square roots of these.
fn far_from_one(eigen: SymmetricEigen<f64, nalgebra::Dyn>, basis: Option<&DMatrix<f64>>) -> (Vec<f64>, Vec<f64>) {
    let (mut directions, mut spreads) = (Vec::new(), Vec::new());
    for (k, &variance) in eigen.eigenvalues.iter().enumerate() {
        let Some(variance) = bounded(variance).filter(|v| !(1.0 / CUTOFF..=CUTOFF).contains(v)) else {
            continue;
        };
        let direction = eigen.eigenvectors.column(k).into_owned();
        match basis {
            Some(basis) => directions.extend((basis * direction).iter()),
            None => directions.extend(direction.iter()),
        }
        spreads.push(variance.sqrt());
    }
    (directions, spreads)
}

/// Returns a variance that arithmetic can live with, `None` if it is none.
pub(super) fn bounded(variance: f64) -> Option<f64> {
    (variance.is_finite() && variance > 0.0).then(|| variance.clamp(1e-20, 1e20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use rand_distr::{Distribution, StandardNormal};

    /// Returns a window of draws x = F ε of a normal distribution, with their gradients −Σ⁻¹ x.
    fn window(factor: &DMatrix<f64>, n: usize, seed: u64) -> Window {
        let d = factor.nrows();
        let precision = (factor * factor.transpose()).try_inverse().unwrap();
        let mut rng = Key::new(seed).generator();
        let mut window = Window::new(d, true);
        for _ in 0..n {
            let noise = DMatrix::from_fn(d, 1, |_, _| StandardNormal.sample(&mut rng));
            let x = factor * noise;
            let gradient: DMatrix<f64> = -(&precision * &x);
            window.add(x.as_slice(), gradient.as_slice());
        }
        window
    }

    fn low_rank(dim: usize) -> Metric {
        Metric::LowRank {
            scale: vec![1.0; dim],
            directions: Vec::new(),
            spreads: Vec::new(),
        }
    }

    /// Returns L Lᵀ.
    fn covariance_of(metric: &Metric, d: usize) -> DMatrix<f64> {
        let mut l = DMatrix::zeros(d, d);
        for k in 0..d {
            let (mut unit, mut column) = (vec![0.0; d], vec![0.0; d]);
            unit[k] = 1.0;
            metric.add_coloured(1.0, &unit, &mut column);
            l.set_column(k, &nalgebra::DVector::from_vec(column));
        }
        &l * l.transpose()
    }

    #[test]
    fn few_draws_tell_the_covariance_of_a_normal_target() {
        // Three coordinates with spreads from 1e-2 to 1e2, two of them correlated by 0.999.
        let factor = DMatrix::from_row_slice(3, 3, &[1e2, 0.0, 0.0, 0.999, 0.0447, 0.0, 0.0, 0.0, 1e-2]);
        let mut metric = low_rank(3);
        window(&factor, 12, 1).write_metric(&mut metric);
        let Metric::LowRank { spreads, .. } = &metric else {
            unreachable!()
        };
        assert_eq!(
            spreads.len(),
            2,
            "one direction is longer and one is shorter: {spreads:?}"
        );
        // In standardised coordinates, what is left is within the cutoff.
        let got = covariance_of(&metric, 3);
        let want = &factor * factor.transpose();
        for i in 0..3 {
            for j in 0..3 {
                let error = (got[(i, j)] - want[(i, j)]).abs() / (want[(i, i)] * want[(j, j)]).sqrt();
                assert!(error < 2e-3, "{i}, {j}: {} for {}", got[(i, j)], want[(i, j)]);
            }
        }
    }

    #[test]
    fn independent_coordinates_need_no_direction() {
        let factor = DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![1e-3, 1.0, 50.0]));
        let mut metric = low_rank(3);
        window(&factor, 30, 2).write_metric(&mut metric);
        let Metric::LowRank { scale, spreads, .. } = &metric else {
            unreachable!()
        };
        assert_eq!(spreads.len(), 0, "{spreads:?}");
        assert!((scale[2] / 50.0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_long_direction_of_many_coordinates_is_found_in_the_span_of_the_draws() {
        let d = 150;
        // One common factor: x = z · 3 + ε, whose longest direction is (1, …, 1) / √d with the variance 1 + 9 d.
        let factor = {
            let covariance = DMatrix::from_fn(d, d, |i, j| 9.0 + f64::from(i == j));
            nalgebra::Cholesky::new(covariance).unwrap().l()
        };
        let mut metric = low_rank(d);
        window(&factor, 40, 3).write_metric(&mut metric);
        let got = covariance_of(&metric, d);
        let ones = nalgebra::DVector::from_element(d, 1.0 / (d as f64).sqrt());
        let along = (ones.transpose() * &got * &ones)[(0, 0)];
        let want = 1.0 + 9.0 * d as f64;
        // Forty draws tell it within a factor, where the scales alone are off by four hundred.
        assert!((0.3..3.0).contains(&(along / want)), "{along} for {want}");
        let across = nalgebra::DVector::from_fn(d, |i, _| if i % 2 == 0 { 1.0 } else { -1.0 } / (d as f64).sqrt());
        let spread = (across.transpose() * &got * &across)[(0, 0)];
        assert!((0.3..3.5).contains(&spread), "{spread} for 1");
    }

    #[test]
    fn a_window_without_numbers_leaves_no_direction() {
        let mut window = Window::new(2, true);
        for _ in 0..20 {
            window.add(&[1.0, f64::INFINITY], &[0.0, 1.0]);
        }
        let mut metric = low_rank(2);
        window.write_metric(&mut metric);
        assert_eq!(metric, low_rank(2));
    }
}
