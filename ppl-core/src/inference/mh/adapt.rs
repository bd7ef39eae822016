//! What a warm-up learns: the scale of a step from acceptance, the covariance from the draws.

use crate::inference::chain::Phase;

/// The best acceptance rate of a random walk in one dimension, and in many (Roberts, Gelman and Gilks 1997).
const TARGET: (f64, f64) = (0.44, 0.234);

/// The exponent of the falling step n^−0.6 of the stochastic approximation: between 1/2 and 1 it converges.
const DECAY: f64 = 0.6;

/// Robbins–Monro on the logarithm of a scale: ln s ← ln s + 2 n^−0.6 (acceptance − target).
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleAdapter {
    target: f64,
    n: f64,
}

impl ScaleAdapter {
    /// Returns the adapter of a move of `dim` coordinates.
    pub fn new(dim: usize) -> Self {
        ScaleAdapter {
            target: if dim == 1 { TARGET.0 } else { TARGET.1 },
            n: 0.0,
        }
    }

    /// Returns the next scale after a step that was accepted with `accept_prob`.
    pub fn next(&mut self, scale: f64, accept_prob: f64) -> f64 {
        self.n += 1.0;
        (scale.ln() + 2.0 * self.n.powf(-DECAY) * (accept_prob - self.target)).exp()
    }

    /// Begins anew, as after a change of the covariance.
    pub fn restart(&mut self) {
        self.n = 0.0;
    }
}

/// The covariance of the draws in windows of doubling length.
///
/// The first tenth of the warm-up and the last adapt the scale only. Between them lie windows of 1/20, 1/10, 1/5, … of
/// the warm-up; at the end of each the proposal gets the covariance of the draws in this window alone, so that the way
/// to the typical set is forgotten. A window that would leave too little for the next takes the rest.
#[derive(Clone, Debug)]
pub struct CovarianceAdapter {
    n: f64,
    mean: Vec<f64>,
    /// The sum of (x − mean)(x − mean)ᵀ: `[d, d]`, its lower triangle.
    scatter: Vec<f64>,
}

impl CovarianceAdapter {
    /// Returns an empty window in `dim` dimensions.
    pub fn new(dim: usize) -> Self {
        CovarianceAdapter {
            n: 0.0,
            mean: vec![0.0; dim],
            scatter: vec![0.0; dim * dim],
        }
    }

    /// Takes a draw of a warm-up step, and writes the factor of the covariance at the end of a window.
    ///
    /// Returns whether the factor has changed.
    pub fn update(&mut self, phase: Phase, draw: impl Fn(usize) -> f64, factor: &mut [f64]) -> bool {
        let Phase::Warmup { step, of } = phase else {
            return false;
        };
        let (begin, end) = (of / 10, of - of / 10);
        if step < begin || step >= end {
            return false;
        }
        self.add(draw);
        if !is_window_end(step, begin, end, of) {
            return false;
        }
        let is_learnt = self.write_factor(factor);
        *self = CovarianceAdapter::new(self.mean.len());
        is_learnt
    }

    /// Adds a draw by Welford's recursion.
    fn add(&mut self, draw: impl Fn(usize) -> f64) {
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

    /// Writes the Cholesky factor of the covariance, shrunk as far as a window of this length demands.
    ///
    /// Correlations are multiplied by n / (n + 4 d²): a random walk needs some 4 d steps for an independent draw, and a
    /// correlation matrix some d of those. Variances are mixed with 1/1000, which counts for five draws, as in Stan.
    fn write_factor(&self, factor: &mut [f64]) -> bool {
        let (d, n) = (self.mean.len(), self.n);
        if n < 2.0 {
            return false;
        }
        let keep = n / (n + 4.0 * (d * d) as f64);
        let mut covariance = self.scatter.clone();
        for i in 0..d {
            for j in 0..=i {
                let s = self.scatter[i * d + j] / (n - 1.0);
                let shrunk = if i == j { s } else { keep * s };
                covariance[i * d + j] = (n * shrunk + if i == j { 5e-3 } else { 0.0 }) / (n + 5.0);
            }
        }
        let Some(lower) = cholesky(covariance, d) else {
            return false;
        };
        factor.copy_from_slice(&lower);
        true
    }
}

/// Returns whether a window ends with this step.
fn is_window_end(step: usize, begin: usize, end: usize, of: usize) -> bool {
    let mut len = (of / 20).max(10);
    let mut at = begin;
    while at < end {
        // The next window would be twice as long: this one takes the rest if that does not fit.
        let next = if at + 3 * len > end { end } else { at + len };
        if step + 1 == next {
            return true;
        }
        at = next;
        len *= 2;
    }
    false
}

/// Returns the lower Cholesky factor of a matrix given by its lower triangle, or `None` if it is not positive definite.
fn cholesky(mut a: Vec<f64>, d: usize) -> Option<Vec<f64>> {
    for i in 0..d {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * d + k] * a[j * d + k]).sum();
            let rest = a[i * d + j] - dot;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                a[i * d + i] = rest.sqrt();
            } else {
                a[i * d + j] = rest / a[j * d + j];
                a[j * d + i] = 0.0;
            }
        }
    }
    Some(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_double_and_cover_the_middle_of_the_warm_up() {
        let ends: Vec<usize> = (0..1000)
            .filter(|&s| is_window_end(s, 100, 900, 1000))
            .map(|s| s + 1)
            .collect();
        assert_eq!(ends, [150, 250, 450, 900]);
        let ends: Vec<usize> = (0..90)
            .filter(|&s| is_window_end(s, 10, 90, 100))
            .map(|s| s + 1)
            .collect();
        assert_eq!(ends, [20, 40, 90]);
    }

    #[test]
    fn the_factor_is_that_of_the_window_alone() {
        let mut adapter = CovarianceAdapter::new(2);
        let mut factor = vec![1.0, 0.0, 0.0, 1.0];
        let mut changed = 0;
        // The early draws lie elsewhere and must be forgotten; the last window holds 450 draws on an ellipse.
        for step in 0..1000 {
            let angle = step as f64 * 0.7;
            let shift = if step < 450 { 1e3 } else { 0.0 };
            let draw = [shift + angle.cos(), shift + 2.0 * angle.cos() + angle.sin()];
            changed += adapter.update(Phase::Warmup { step, of: 1000 }, |i| draw[i], &mut factor) as usize;
        }
        assert_eq!(changed, 4);
        // On the circle both squares have mean 1/2: the covariance is [[1/2, 1], [1, 5/2]], correlations shrunk.
        let keep = 450.0 / (450.0 + 16.0);
        let products = [
            factor[0] * factor[0],
            factor[0] * factor[2],
            factor[2].powi(2) + factor[3].powi(2),
        ];
        for (got, expected) in products.into_iter().zip([0.5, keep, 2.5]) {
            assert!((got - expected).abs() < 0.02 * expected, "{got} for {expected}");
        }
        assert_eq!(factor[1], 0.0);
    }

    #[test]
    fn draws_after_the_warm_up_teach_nothing() {
        let mut adapter = CovarianceAdapter::new(1);
        let mut factor = vec![1.0];
        for step in 0..1000 {
            assert!(!adapter.update(Phase::Sampling, |_| step as f64, &mut factor));
        }
        assert_eq!((adapter.n, factor), (0.0, vec![1.0]));
    }

    #[test]
    fn the_scale_settles_where_acceptance_meets_the_target() {
        let mut adapter = ScaleAdapter::new(1);
        let mut scale = 50.0;
        // A chain whose acceptance is 1 / (1 + s) accepts 44 % at s = 14 / 11.
        for _ in 0..4000 {
            scale = adapter.next(scale, 1.0 / (1.0 + scale));
        }
        assert!((scale - 14.0 / 11.0).abs() < 1e-3, "{scale}");
    }
}
