//! How the elements of a parameter start.

use std::hash::{Hash, Hasher};

use ppl_core::kernels::random::{fill_normal, fill_uniform};
use ppl_core::rng::Key;

/// The distribution of a parameter's starting values.
///
/// The fans are the numbers of values that one output is computed from (in) and that one input contributes to (out).
///
/// References: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks;
/// He et al. 2015, Delving deep into rectifiers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialiser {
    /// All elements at this value.
    Constant(f64),
    /// Normal with mean zero and this standard deviation.
    Normal(f64),
    /// Uniform between minus and plus this bound.
    Uniform(f64),
    /// Normal with variance 2 / (fan in + fan out): keeps the variance of signals and gradients through tanh.
    XavierNormal,
    /// Uniform with variance 2 / (fan in + fan out).
    XavierUniform,
    /// Normal with variance 2 / fan in: keeps the variance of signals through relu.
    HeNormal,
    /// Uniform with variance 2 / fan in.
    HeUniform,
}

impl Hash for Initialiser {
    /// Hashes the setting by its bits, zero without its sign, so that equal initialisers have equal hashes.
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Initialiser::Constant(x) | Initialiser::Normal(x) | Initialiser::Uniform(x) = *self {
            (x + 0.0).to_bits().hash(state);
        }
    }
}

impl Initialiser {
    /// Returns `n` starting values; the same key gives the same values.
    pub fn values(self, n: usize, [fan_in, fan_out]: [usize; 2], key: Key) -> Vec<f64> {
        let mut out = vec![0.0; n];
        let xavier = 2.0 / (fan_in + fan_out) as f64;
        let he = 2.0 / fan_in as f64;
        match self {
            Initialiser::Constant(value) => out.fill(value),
            Initialiser::Normal(scale) => normal(scale, key, &mut out),
            Initialiser::Uniform(bound) => uniform(bound, key, &mut out),
            Initialiser::XavierNormal => normal(xavier.sqrt(), key, &mut out),
            Initialiser::XavierUniform => uniform(bound_of(xavier), key, &mut out),
            Initialiser::HeNormal => normal(he.sqrt(), key, &mut out),
            Initialiser::HeUniform => uniform(bound_of(he), key, &mut out),
        }
        out
    }
}

fn normal(scale: f64, key: Key, out: &mut [f64]) {
    fill_normal(key, out);
    out.iter_mut().for_each(|x| *x *= scale);
}

fn uniform(bound: f64, key: Key, out: &mut [f64]) {
    fill_uniform(key, out);
    out.iter_mut().for_each(|x| *x = bound * (2.0 * *x - 1.0));
}

/// Returns the bound b with which the uniform distribution on (−b, b) has this variance, b² / 3.
fn bound_of(variance: f64) -> f64 {
    (3.0 * variance).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FANS: [usize; 2] = [50, 30];

    #[test]
    fn means_variances_and_ranges_are_those_of_the_formulas() {
        const N: usize = 40_000;
        let (xavier, he) = (2.0 / 80.0, 2.0 / 50.0);
        // The variance, and the fourth central moment in units of its square.
        let rows = [
            (Initialiser::Normal(0.3), 0.09, 3.0),
            (Initialiser::Uniform(0.6), 0.12, 1.8),
            (Initialiser::XavierNormal, xavier, 3.0),
            (Initialiser::XavierUniform, xavier, 1.8),
            (Initialiser::HeNormal, he, 3.0),
            (Initialiser::HeUniform, he, 1.8),
        ];
        for (initialiser, variance, kurtosis) in rows {
            let values = initialiser.values(N, FANS, Key::new(5));
            let n = N as f64;
            let mean = values.iter().sum::<f64>() / n;
            let found = values.iter().map(|x| x * x).sum::<f64>() / n;
            let mean_error = mean / (variance / n).sqrt();
            let variance_error = (found / variance - 1.0) / ((kurtosis - 1.0) / n).sqrt();
            assert!(
                mean_error.abs() < 4.0,
                "{initialiser:?}: the mean is off by {mean_error} errors"
            );
            assert!(
                variance_error.abs() < 4.0,
                "{initialiser:?}: the variance is off by {variance_error} errors"
            );
            let largest = values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let is_within = largest <= (3.0 * variance).sqrt();
            assert_eq!(
                is_within,
                kurtosis < 3.0,
                "{initialiser:?}: the largest value is {largest}"
            );
        }
    }

    #[test]
    fn a_constant_is_everywhere() {
        assert_eq!(Initialiser::Constant(0.25).values(3, FANS, Key::new(1)), [0.25; 3]);
    }

    #[test]
    fn the_key_decides_the_values() {
        let draw = |seed| Initialiser::HeNormal.values(4, FANS, Key::new(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
