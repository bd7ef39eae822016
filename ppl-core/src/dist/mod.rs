//! Distributions, one a file: density with analytic derivatives, draws, moments, support.
//!
//! A distribution is a function and a brace struct of one name: `Normal(0, 5)` makes `Normal { loc, scale }`.
//! Parameters are numbers, arrays or values of a model ([`param::Param`]); [`Dist`] is what the runtime asks of it.
//! A univariate distribution gives its density to [`univariate`], which makes the operations of it.

mod bernoulli;
mod categorical;
mod cauchy;
mod chances;
mod contract;
pub mod draw;
mod exponential;
pub mod family;
mod half_cauchy;
mod half_normal;
mod log_normal;
pub mod modifiers;
mod normal;
mod one_hot_categorical;
pub mod param;
mod rows;
pub mod support;
mod uniform;
pub mod univariate;
mod weights;

pub use bernoulli::Bernoulli;
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use contract::{Dist, Kl, Modifiers, Params};
pub use exponential::Exponential;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use log_normal::LogNormal;
pub use modifiers::DistExt;
pub use normal::Normal;
pub use one_hot_categorical::OneHotCategorical;
pub use uniform::Uniform;
