//! What an operation prepares, once for all runs of a program.

use std::any::Any;
use std::sync::Arc;

/// What an operation computed once from operands that never change, such as a sorted index list.
#[derive(Clone)]
pub struct Prepared(Arc<dyn Any + Send + Sync>);

impl Prepared {
    /// Keeps a value of the operation's own type.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Prepared(Arc::new(value))
    }

    /// Returns the value if it is a `T`.
    #[inline(always)]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}
