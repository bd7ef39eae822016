//! The scale of a proposal from how often it is accepted.

use crate::inference::persist::Fields;

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

    /// Shows what has been learnt; the scale itself belongs to the proposal.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("n", &mut self.n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
