//! Which bijector a support has: the one place that lists them all.

use crate::bijectors::{Bijector, Exp, Identity, Interval, LowerCholesky, Ordered, Sigmoid, StickBreaking};
use crate::distributions::support::Support;

/// Returns the bijector onto a support, or `None` if its values are isolated points.
pub fn for_support<'t>(support: &Support<'t>) -> Option<Box<dyn Bijector<'t> + 't>> {
    Some(match support {
        Support::Real => Box::new(Identity),
        Support::Positive => Box::new(Exp),
        Support::UnitInterval => Box::new(Sigmoid),
        Support::Interval(low, high) => Box::new(Interval { low: *low, high: *high }),
        Support::Simplex => Box::new(StickBreaking),
        Support::Ordered => Box::new(Ordered),
        Support::LowerCholesky => Box::new(LowerCholesky),
        Support::Boolean | Support::Category(_) | Support::OneHot(_) | Support::Count(_) => return None,
    })
}
