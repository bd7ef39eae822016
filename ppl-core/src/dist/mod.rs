//! Distributions, one a file: density with analytic derivatives, draws, moments, support.
//!
//! A distribution is a function and a brace struct of one name: `Normal(0, 5)` makes `Normal { loc, scale }`.
//! Parameters are numbers, arrays or values of a model ([`param::Param`]); [`Dist`] is what the runtime asks of it.
//! A univariate distribution gives its density to [`univariate`], which makes the operations of it.

mod contract;
pub mod draw;
pub mod family;
mod normal;
pub mod param;
pub mod support;
pub mod univariate;

pub use contract::{Dist, Modifiers, Params};
pub use normal::Normal;
