//! Maps between the unconstrained space of samplers and the supports of distributions, one a file.

use crate::tape::var::Var;
use crate::tensor::shape::Shape;

pub mod default;
mod exp;
mod identity;
mod interval;
mod lower_cholesky;
mod ordered;
mod row_map;
mod sigmoid;
mod stick_breaking;

pub use exp::Exp;
pub use identity::Identity;
pub use interval::Interval;
pub use lower_cholesky::LowerCholesky;
pub use ordered::Ordered;
pub use sigmoid::Sigmoid;
pub use stick_breaking::StickBreaking;

/// A smooth one-to-one map from all real numbers (or vectors) onto a set.
pub trait Bijector<'t> {
    /// Returns the point of the set for the unconstrained `z`.
    fn constrain(&self, z: Var<'t>) -> Var<'t>;

    /// Returns the unconstrained point for the value `x` of the set: all elements of one event of shape `event`, row-major.
    ///
    /// A value outside of the set gives NaN or an infinity.
    fn unconstrain(&self, x: &[f64], event: &[usize]) -> Vec<f64>;

    /// Returns ln |det ∂x/∂z|, for each element or each row, or `None` where it is zero everywhere.
    fn log_det(&self, z: Var<'t>, x: Var<'t>) -> Option<Var<'t>>;

    /// Returns the event shape of z for that of x.
    fn unconstrained_event(&self, event: &[usize]) -> Shape {
        Shape::from_slice(event)
    }
}
