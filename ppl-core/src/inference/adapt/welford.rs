//! Running means, variances and covariances.

use crate::inference::persist::Fields;

/// The covariance of draws by Welford's recursion, of all pairs of coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    n: f64,
    mean: Vec<f64>,
    /// The sum of (x − mean)(x − mean)ᵀ: `[d, d]`, its lower triangle.
    scatter: Vec<f64>,
}

/// The variance of draws by Welford's recursion, coordinate by coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Variance {
    n: f64,
    mean: Vec<f64>,
    /// The sum of (x − mean)².
    scatter: Vec<f64>,
}

impl Covariance {
    /// Returns that of no draws in `dim` dimensions.
    pub fn new(dim: usize) -> Self {
        Covariance {
            n: 0.0,
            mean: vec![0.0; dim],
            scatter: vec![0.0; dim * dim],
        }
    }

    /// Forgets all draws.
    pub fn restart(&mut self) {
        self.n = 0.0;
        self.mean.fill(0.0);
        self.scatter.fill(0.0);
    }

    /// Returns the number of draws.
    pub fn n(&self) -> f64 {
        self.n
    }

    /// Returns the number of coordinates.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Adds a draw, whose coordinate i is `draw(i)`.
    pub fn add(&mut self, draw: impl Fn(usize) -> f64) {
        self.n += 1.0;
        let d = self.mean.len();
        let before = (self.n - 1.0) / self.n;
        for i in 0..d {
            let delta = draw(i) - self.mean[i];
            for j in 0..=i {
                self.scatter[i * d + j] += before * delta * (draw(j) - self.mean[j]);
            }
        }
        (0..d).for_each(|i| self.mean[i] += (draw(i) - self.mean[i]) / self.n);
    }

    /// Returns the mean of the draws.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Returns the covariance of coordinates `i` ≥ `j`, with n − 1 in the denominator; NaN below two draws.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.scatter[i * self.mean.len() + j] / (self.n - 1.0)
    }

    /// Shows what has been collected.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("n", &mut self.n);
        fields.numbers("mean", &mut self.mean);
        fields.numbers("scatter", &mut self.scatter);
    }
}

impl Variance {
    /// Returns that of no draws in `dim` dimensions.
    pub fn new(dim: usize) -> Self {
        Variance {
            n: 0.0,
            mean: vec![0.0; dim],
            scatter: vec![0.0; dim],
        }
    }

    /// Forgets all draws.
    pub fn restart(&mut self) {
        self.n = 0.0;
        self.mean.fill(0.0);
        self.scatter.fill(0.0);
    }

    /// Returns the number of draws.
    pub fn n(&self) -> f64 {
        self.n
    }

    /// Adds a draw.
    pub fn add(&mut self, draw: &[f64]) {
        self.n += 1.0;
        for ((&x, mean), scatter) in draw.iter().zip(&mut self.mean).zip(&mut self.scatter) {
            let delta = x - *mean;
            *mean += delta / self.n;
            *scatter += delta * (x - *mean);
        }
    }

    /// Returns the variance of coordinate `i`, with n − 1 in the denominator; NaN below two draws.
    pub fn get(&self, i: usize) -> f64 {
        self.scatter[i] / (self.n - 1.0)
    }

    /// Returns the mean of the draws, coordinate by coordinate.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Shows what has been collected.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("n", &mut self.n);
        fields.numbers("mean", &mut self.mean);
        fields.numbers("scatter", &mut self.scatter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws far from zero, where sums of squares would lose all digits.
    fn draws() -> Vec<[f64; 2]> {
        let angle = |k: usize| k as f64 * 0.7;
        (0..50)
            .map(|k| [1e8 + angle(k).cos(), 2.0 * angle(k).cos() + angle(k).sin()])
            .collect()
    }

    /// The covariance in two passes.
    fn naive(draws: &[[f64; 2]], i: usize, j: usize) -> f64 {
        let mean = |i: usize| draws.iter().map(|x| x[i]).sum::<f64>() / draws.len() as f64;
        let (mean_i, mean_j) = (mean(i), mean(j));
        draws.iter().map(|x| (x[i] - mean_i) * (x[j] - mean_j)).sum::<f64>() / (draws.len() as f64 - 1.0)
    }

    #[test]
    fn both_recursions_agree_with_two_passes() {
        let (mut full, mut diagonal) = (Covariance::new(2), Variance::new(2));
        // What was collected before a restart is forgotten.
        full.add(|_| 1e3);
        diagonal.add(&[1e3, 1e3]);
        full.restart();
        diagonal.restart();
        let draws = draws();
        for draw in &draws {
            full.add(|i| draw[i]);
            diagonal.add(draw);
        }
        for (i, j) in [(0, 0), (1, 0), (1, 1)] {
            let (got, want) = (full.get(i, j), naive(&draws, i, j));
            assert!((got - want).abs() < 1e-6 * want.abs(), "{i}, {j}: {got} for {want}");
            if i == j {
                assert!((diagonal.get(i) - want).abs() < 1e-6 * want.abs());
            }
        }
    }
}
