//! What a model is written with: the macros, the words, data types, distributions and networks.

pub use ndarray::{Array1, Array2, Array3, ArrayD, array};
pub use ppl_core::constraints::*;
pub use ppl_core::dist::*;
pub use ppl_core::runtime::argument::Obs;
pub use ppl_core::runtime::model::{Guide, Model, Sample};
pub use ppl_core::runtime::words::{factor, markov, observe, param, plate, sample, track};
pub use ppl_core::tape::var::Var;
pub use ppl_macros::{guide, model};
pub use ppl_nn::layers::*;
pub use ppl_nn::{Forward, Initialiser, Module, Parameter, Priors, mean_field_module, param_module, random_module};
