//! A multivariate normal distribution by its mean and the Cholesky factor of its covariance.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::{Error, Result};
use crate::inference::persist::Fields;

/// The normal distribution with a mean m and a covariance L Lᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalFactor {
    mean: Vec<f64>,
    /// The lower triangle L, row by row: `[d, d]`.
    factor: Vec<f64>,
}

impl NormalFactor {
    /// Returns the standard normal distribution in `dim` dimensions.
    pub fn standard(dim: usize) -> Self {
        let mut factor = vec![0.0; dim * dim];
        (0..dim).for_each(|i| factor[i * dim + i] = 1.0);
        NormalFactor {
            mean: vec![0.0; dim],
            factor,
        }
    }

    /// Returns the distribution with a mean and the lower Cholesky factor L of a covariance, `[d, d]` row by row.
    ///
    /// ```
    /// use ppl_core::inference::transitions::normal::NormalFactor;
    ///
    /// // Standard deviations 1 and 3, correlation 0.8.
    /// let normal = NormalFactor::new(vec![0.0, 1.0], vec![1.0, 0.0, 2.4, 1.8])?;
    /// assert_eq!(normal.dim(), 2);
    /// assert!(NormalFactor::new(vec![0.0], vec![-1.0]).is_err());
    /// # Ok::<(), ppl_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the factor has another size, a number is not finite, the factor has one above the diagonal, or one on it that is not
    /// positive.
    pub fn new(mean: Vec<f64>, factor: Vec<f64>) -> Result<Self> {
        let d = mean.len();
        let refuse = |message: String| Err(Error::Invalid(message));
        if factor.len() != d * d {
            let n = factor.len();
            return refuse(format!(
                "a factor of {n} numbers for a mean of {d}: it is a matrix of {d} × {d}"
            ));
        }
        if let Some(x) = mean.iter().chain(&factor).find(|x| !x.is_finite()) {
            return refuse(format!(
                "a normal distribution with {x} in its mean or factor: numbers are finite"
            ));
        }
        for i in 0..d {
            if let Some(j) = (i + 1..d).find(|&j| factor[i * d + j] != 0.0) {
                return refuse(format!(
                    "the factor has a number above its diagonal, at [{i}, {j}]: it is lower triangular"
                ));
            }
            let x = factor[i * d + i];
            if x <= 0.0 {
                return refuse(format!("the factor has {x} at [{i}, {i}]: its diagonal is positive"));
            }
        }
        Ok(NormalFactor { mean, factor })
    }

    /// Returns the number of coordinates.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Returns the mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Writes L ε with standard normal ε, a draw less the mean.
    pub fn draw_around_zero(&self, rng: &mut impl Rng, out: &mut [f64]) {
        let d = self.dim();
        out.fill(0.0);
        // Column by column, so that each normal number is drawn once and none is stored.
        for k in 0..d {
            let noise: f64 = StandardNormal.sample(rng);
            (k..d).for_each(|i| out[i] += self.factor[i * d + k] * noise);
        }
    }

    /// Returns the log density at `x`, up to a constant: −|L⁻¹ (x − m)|² / 2. `whitened` is room for as many numbers.
    pub fn ln_density(&self, x: &[f64], whitened: &mut [f64]) -> f64 {
        let d = self.dim();
        for i in 0..d {
            let row = &self.factor[i * d..][..=i];
            let known: f64 = row[..i].iter().zip(&*whitened).map(|(l, z)| l * z).sum();
            whitened[i] = (x[i] - self.mean[i] - known) / row[i];
        }
        -0.5 * whitened.iter().map(|z| z * z).sum::<f64>()
    }

    /// Shows mean and factor.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.numbers("mean", &mut self.mean);
        fields.numbers("factor", &mut self.factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn draws_and_density_are_those_of_the_covariance() {
        // The covariance [[4, 2], [2, 10]], whose inverse is [[10, −2], [−2, 4]] / 36.
        let normal = NormalFactor::new(vec![1.0, -1.0], vec![2.0, 0.0, 1.0, 3.0]).unwrap();
        let at = |x: f64, y: f64| -0.5 * (10.0 * x * x - 4.0 * x * y + 4.0 * y * y) / 36.0;
        let mut room = [0.0; 2];
        for (x, y) in [(0.0, 0.0), (1.0, 2.0), (-0.7, 0.4)] {
            let got = normal.ln_density(&[1.0 + x, y - 1.0], &mut room);
            assert!((got - at(x, y)).abs() < 1e-14, "{got}");
        }
        let (mut rng, mut sums, mut out) = (Key::new(7).generator(), [0.0; 3], [0.0; 2]);
        for _ in 0..40_000 {
            normal.draw_around_zero(&mut rng, &mut out);
            let products = [out[0] * out[0], out[0] * out[1], out[1] * out[1]];
            sums.iter_mut().zip(products).for_each(|(s, p)| *s += p / 40_000.0);
        }
        // Four standard errors of a second moment: √(σᵢᵢ σⱼⱼ + σᵢⱼ²) / 200.
        for (got, (want, error)) in sums.into_iter().zip([(4.0, 5.7), (2.0, 6.7), (10.0, 14.2)]) {
            assert!((got - want).abs() < 4.0 * error / 200.0, "{got} for {want}");
        }
    }

    #[test]
    fn what_is_no_factor_is_refused() {
        let refused = |mean: &[f64], factor: &[f64]| {
            NormalFactor::new(mean.to_vec(), factor.to_vec())
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[0.0; 2], &[1.0]).contains("it is a matrix of 2 × 2"));
        assert!(refused(&[0.0, f64::NAN], &[1.0, 0.0, 0.0, 1.0]).contains("NaN in its mean or factor"));
        assert!(refused(&[0.0; 2], &[1.0, 0.5, 0.0, 1.0]).contains("above its diagonal, at [0, 1]"));
        assert!(refused(&[0.0; 2], &[1.0, 0.0, 0.0, 0.0]).contains("has 0 at [1, 1]: its diagonal is positive"));
    }
}
