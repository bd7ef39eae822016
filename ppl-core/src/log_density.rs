//! All that a sampler knows of a model: a log density on unconstrained vectors, and its gradient.

use crate::error::Result;

/// The log density of a distribution over vectors, up to a constant.
///
/// A chain owns its density, so that evaluations can work in buffers of their own. A value of −∞ or NaN stands for a
/// point that cannot be; an error stands for a density that cannot be evaluated at all.
///
/// ```
/// use ppl_core::error::Result;
/// use ppl_core::log_density::LogDensity;
///
/// struct StandardNormal;
///
/// impl LogDensity for StandardNormal {
///     fn dim(&self) -> usize {
///         1
///     }
///
///     fn value(&mut self, x: &[f64]) -> Result<f64> {
///         Ok(-0.5 * x[0] * x[0])
///     }
///
///     fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
///         gradient[0] = -x[0];
///         self.value(x)
///     }
/// }
///
/// assert_eq!(StandardNormal.value(&[2.0])?, -2.0);
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
pub trait LogDensity {
    /// Returns the length of the vectors.
    fn dim(&self) -> usize;

    /// Returns the log density at `position`.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    fn value(&mut self, position: &[f64]) -> Result<f64>;

    /// Returns the log density at `position` and writes its gradient; entries of discrete coordinates are zero.
    ///
    /// # Errors
    ///
    /// As [`LogDensity::value`].
    fn value_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64>;
}
