//! Networks in models: what `sample` takes to give a module whose parameters are values.
//!
//! | need | use |
//! | --- | --- |
//! | a prior over all parameters | [`random_module`] with one distribution |
//! | priors by layer, by name or by shape | [`random_module`] with [`Priors`] or a function of the [`Parameter`](crate::Parameter) |
//! | a normal guide for each parameter | [`mean_field_module`] |
//! | learnable point values | [`param_module`] |

mod mean_field;
mod param_module;
mod priors;
mod random_module;

pub use mean_field::{MeanFieldModule, mean_field_module};
pub use param_module::{ParamModule, param_module};
pub use priors::{ByDistribution, ByFunction, ByName, IntoPriors, Prior, Priors};
pub use random_module::{RandomModule, random_module};
