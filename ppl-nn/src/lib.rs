//! Neural networks whose modules are lifted into random modules.
//!
//! A [`Module`] describes a network; [`random_module`] puts priors over its parameters, and sampling that in a model gives
//! the network with values, which has a [`forward`](Forward::forward) pass. [`data`] has labelled images,
//! [`calibration`] says how far the predictions can be trusted.

pub mod calibration;
pub mod data;
mod error;
mod evaluate;
mod initialiser;
pub mod layers;
mod module;
mod parameter;
mod path;
#[cfg(feature = "plots")]
pub mod plots;
pub mod random;
#[cfg(test)]
pub(crate) mod testing;

pub use error::DataError;
pub use evaluate::evaluate;
pub use initialiser::Initialiser;
pub use layers::{Activation, Linear, Mlp, Sequential};
pub use module::{Forward, Module};
pub use parameter::Parameter;
pub use path::Path;
pub use random::{Priors, mean_field_module, param_module, random_module};
