//! LOO-PIT: where each observation lies among its predictions from the others.

use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;

use crate::diagnostics::elpd_error::ElpdError;
use crate::diagnostics::pointwise::{Pointwise, index};
use crate::diagnostics::psis::psis;
use crate::rng::Key;

/// The probability integral transforms of observations under their leave-one-out predictive distributions.
///
/// If the model is calibrated they are uniform: a heap in the middle means that predictions are too wide, heaps at both ends
/// that they are too narrow.
#[derive(Clone, Debug, PartialEq)]
pub struct LooPit {
    /// The probability of a prediction below the observation, P(ỹᵢ < yᵢ | y₋ᵢ), in the shape of the observations.
    pub below: ArrayD<f64>,
    /// The probability of a prediction up to the observation, P(ỹᵢ ≤ yᵢ | y₋ᵢ): the same for continuous predictions.
    pub up_to: ArrayD<f64>,
}

/// Returns where each observation lies among the draws of its prediction, weighted so that they are predictions from the other
/// observations: `observed: [observation…]`, `predictions` and `log_likelihood: [chain, draw, observation…]`.
///
/// The weights are those of [`loo`](super::loo), with its `r_eff`.
///
/// ```
/// use ndarray::{Array3, arr1};
/// use ppl_core::diagnostics::loo_pit;
///
/// let predictions = Array3::from_shape_fn((1, 400, 2), |(_, i, _)| (i as f64 * 0.618).fract());
/// let log_likelihood = Array3::zeros((1, 400, 2));
/// let observed = arr1(&[0.25, 2.0]);
/// let pit = loo_pit(
///     observed.view().into_dyn(),
///     predictions.view().into_dyn(),
///     log_likelihood.view().into_dyn(),
///     1.0,
/// )?;
/// assert!((pit.below[[0]] - 0.25).abs() < 0.01);
/// assert!((pit.below[[1]] - 1.0).abs() < 1e-12);
/// # Ok::<(), ppl_core::diagnostics::ElpdError>(())
/// ```
///
/// # Errors
/// If the shapes do not belong together, an observation or a prediction is NaN, or a log likelihood is infinite or NaN.
///
/// # References
/// Gelfand, Dey and Chang (1992), *Model determination using predictive distributions*; the sums are those of arviz-stats.
pub fn loo_pit(
    observed: ArrayViewD<f64>,
    predictions: ArrayViewD<f64>,
    log_likelihood: ArrayViewD<f64>,
    r_eff: f64,
) -> Result<LooPit, ElpdError> {
    let likelihood = Pointwise::log_densities("the log likelihood", log_likelihood.view())?;
    let shape = |what, like, expected: &[usize], got: &[usize]| ElpdError::Shape {
        what,
        like,
        expected: expected.to_vec(),
        got: got.to_vec(),
    };
    if predictions.shape() != log_likelihood.shape() {
        let (expected, got) = (log_likelihood.shape(), predictions.shape());
        return Err(shape("the prediction", "the log likelihood", expected, got));
    }
    if observed.shape() != likelihood.shape() {
        let (expected, got) = (likelihood.shape(), observed.shape());
        return Err(shape("the observed value", "the log likelihood", expected, got));
    }
    let predictions = Pointwise::predictions(predictions)?;
    let observed: Vec<f64> = observed.iter().copied().collect();
    if let Some(missing) = observed.iter().position(|x| x.is_nan()) {
        let observation = index(likelihood.shape(), missing);
        return Err(ElpdError::MissingObservation { observation });
    }
    let bounds = likelihood.map(|i, log_likelihood| {
        let log_ratios: Vec<f64> = log_likelihood.iter().map(|x| -x).collect();
        let weights = psis(&log_ratios, r_eff).log_weights;
        let weighted = || predictions.of(i).into_iter().zip(weights.iter().map(|x| x.exp()));
        let sum = |holds: fn(f64, f64) -> bool| {
            let those = weighted().filter(|&(prediction, _)| holds(prediction, observed[i]));
            those.map(|(_, weight)| weight).sum::<f64>()
        };
        let below = sum(|prediction, observed| prediction < observed);
        (below, below + sum(|prediction, observed| prediction == observed))
    });
    let (below, up_to) = bounds.into_iter().unzip();
    Ok(LooPit {
        below: likelihood.shaped(below),
        up_to: likelihood.shaped(up_to),
    })
}

impl LooPit {
    /// Returns the middles between `below` and `up_to`: for continuous predictions the transforms themselves.
    pub fn middles(&self) -> ArrayD<f64> {
        (&self.below + &self.up_to) / 2.0
    }

    /// Returns numbers drawn evenly between `below` and `up_to`: those of discrete predictions are uniform if the model is
    /// calibrated, which their middles are not.
    pub fn randomised(&self, key: Key) -> ArrayD<f64> {
        let mut generator = key.generator();
        let mut between = self.below.clone();
        between.zip_mut_with(&self.up_to, |x, &up_to| *x += (up_to - *x) * generator.random::<f64>());
        between
    }
}
