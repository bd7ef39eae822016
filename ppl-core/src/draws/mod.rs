//! Draws: chains × draws of named variables with named dimensions, what every algorithm returns.

mod dimensions;
mod error;
mod order;
mod rows;
mod set;

pub use dimensions::{Kind, NamedAxis};
pub use error::DrawsError;
pub(crate) use error::similar;
pub use order::quantile_of_sorted;
pub(crate) use order::{mean, sorted};
pub use set::{Component, Draws};
