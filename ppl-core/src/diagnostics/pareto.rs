//! The generalised Pareto distribution of what exceeds a threshold, fitted by an empirical Bayes estimate.

/// The number of draws that the prior of the shape counts for, and its mean.
const PRIOR_DRAWS: f64 = 10.0;
const PRIOR_SHAPE: f64 = 0.5;

/// The prior of b is centred at this multiple of the first quartile.
const PRIOR_QUARTILES: f64 = 3.0;

/// A generalised Pareto distribution that begins at zero: P(X > x) = (1 + k x / σ)^(−1/k).
pub(super) struct Pareto {
    /// The shape k.
    pub k: f64,
    /// The scale σ.
    scale: f64,
}

impl Pareto {
    /// Returns the distribution of sorted excesses whose first quartile is positive: the mean of b = −k/σ over a grid, weighted
    /// by the profile likelihood, and the shape drawn towards its prior.
    ///
    /// # References
    /// Zhang and Stephens (2009), *A new and efficient estimation method for the generalized Pareto distribution*,
    /// Technometrics 51(3); Vehtari et al. (2024), appendix G, for the prior of the shape.
    pub fn fit(excesses: &[f64]) -> Self {
        let n = excesses.len() as f64;
        let (quartile, largest) = (Self::quartile(excesses), excesses[excesses.len() - 1]);
        let n_grid = 30 + n.sqrt() as usize;
        let at = |i: usize| {
            let distance = 1.0 - (n_grid as f64 / (i as f64 - 0.5)).sqrt();
            distance / (PRIOR_QUARTILES * quartile) + 1.0 / largest
        };
        let k_of = |b: f64| excesses.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / n;
        // At b = 0 the distribution is exponential.
        let scale_of = |b: f64, k: f64| {
            if b == 0.0 {
                excesses.iter().sum::<f64>() / n
            } else {
                -k / b
            }
        };
        let grid: Vec<f64> = (1..=n_grid).map(at).collect();
        let heights: Vec<f64> = grid
            .iter()
            .map(|&b| {
                let k = k_of(b);
                -n * (scale_of(b, k).ln() + k + 1.0)
            })
            .collect();
        let highest = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all: f64 = heights.iter().map(|x| (x - highest).exp()).sum();
        let weighted = grid.iter().zip(heights.iter().map(|x| (x - highest).exp() / all));
        let real = weighted.filter(|(_, w)| *w >= 10.0 * f64::EPSILON);
        let (sum, total) = real.fold((0.0, 0.0), |(sum, total), (b, w)| (sum + b * w, total + w));
        let b = sum / total;
        let k = k_of(b);
        Pareto {
            k: (n * k + PRIOR_DRAWS * PRIOR_SHAPE) / (n + PRIOR_DRAWS),
            scale: scale_of(b, k),
        }
    }

    /// Returns the excess that the fit takes as the first quartile.
    pub fn quartile(excesses: &[f64]) -> f64 {
        excesses[(excesses.len() as f64 / 4.0 + 0.5) as usize - 1]
    }

    /// Returns the excess of probability `p` within (0, 1).
    pub fn quantile(&self, p: f64) -> f64 {
        let Pareto { k, scale } = *self;
        if k == 0.0 {
            -scale * (-p).ln_1p()
        } else {
            scale * (-k * (-p).ln_1p()).exp_m1() / k
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_the_survival_function() {
        for k in [-0.4, 0.0, 1e-9, 0.5, 2.0] {
            let pareto = Pareto { k, scale: 1.7 };
            for p in [0.001, 0.3, 0.9, 0.999] {
                let x: f64 = pareto.quantile(p) / 1.7;
                let survival = match k {
                    0.0 => (-x).exp(),
                    _ => (-(k * x).ln_1p() / k).exp(),
                };
                assert!((survival - (1.0 - p)).abs() < 1e-13, "k {k}, p {p}: {survival}");
            }
        }
    }

    #[test]
    fn quantiles_of_a_pareto_distribution_give_back_its_scale() {
        let truth = Pareto { k: 0.3, scale: 2.0 };
        let excesses: Vec<f64> = (0..5000)
            .map(|i| truth.quantile((f64::from(i) + 0.5) / 5000.0))
            .collect();
        let fit = Pareto::fit(&excesses);
        assert!((fit.scale - 2.0).abs() < 0.02, "{}", fit.scale);
        assert!((fit.k - 0.3).abs() < 0.01, "{}", fit.k);
    }
}
