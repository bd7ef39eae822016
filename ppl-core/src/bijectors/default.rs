//! Which bijector a support has: the one place that lists them all.

use crate::bijectors::{Bijector, Exp, Identity};
use crate::dist::support::Support;

/// Returns the bijector onto a support, or `None` if its values are isolated points.
pub fn for_support<'t>(support: &Support<'t>) -> Option<Box<dyn Bijector<'t> + 't>> {
    Some(match support {
        Support::Real => Box::new(Identity),
        Support::Positive => Box::new(Exp),
        _ => return None,
    })
}
