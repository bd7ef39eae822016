//! What a model is written with: the macros, the words, data types, distributions, networks and algorithms.
//!
//! ```
//! use posterior::prelude::*;
//!
//! #[model]
//! fn coin(heads: Obs<Array1<bool>>) {
//!     let p = sample(Beta(1, 1));
//!     for i in plate(heads) {
//!         observe(heads[i], Bernoulli::probs(p));
//!     }
//! }
//!
//! let heads = array![true, true, false];
//! assert_eq!(coin(&heads).name(), "coin");
//! ```
//!
//! Columns travel together in a struct that derives `Data`:
//!
//! ```
//! use posterior::prelude::*;
//!
//! #[derive(Data)]
//! struct Trials {
//!     dose: Array1<f64>,
//!     died: Obs<Array1<u8>>,
//! }
//!
//! #[model]
//! fn logistic(d: &Trials) {
//!     let slope = sample(Normal(0, 1));
//!     for i in plate(d.dose) {
//!         observe(d.died[i], Bernoulli::logits(slope * d.dose[i]));
//!     }
//! }
//!
//! let trials = Trials { dose: array![0.5, 1.5], died: array![0, 1].into() };
//! assert_eq!(trace(&logistic(&trials), 1)?.get("died").map(|site| site.value.len()), Some(2));
//! # Ok::<(), posterior::core::error::Error>(())
//! ```

pub use ndarray::{Array1, Array2, Array3, ArrayD, array};
pub use ppl_core::constraints::{Interval, LowerCholesky, Ordered, Positive, Real, Simplex, UnitInterval};
pub use ppl_core::diagnostics::summary;
pub use ppl_core::distributions::*;
pub use ppl_core::inference::checkpoint::Checkpoint;
pub use ppl_core::inference::fit::{Fit, compare};
pub use ppl_core::inference::gibbs::Gibbs;
pub use ppl_core::inference::hamiltonian::warmup::{MetricKind, Warmup};
pub use ppl_core::inference::mh::{Mh, Proposal};
pub use ppl_core::inference::moves::Move;
pub use ppl_core::inference::nuts::{Hmc, Nuts};
pub use ppl_core::inference::predictive::{Predictive, Prior};
pub use ppl_core::inference::progress::Progress;
pub use ppl_core::inference::svi::{Approximation, AutoDelta, AutoNormal, ElboEstimator, Svi};
pub use ppl_core::inference::transitions::normal::NormalFactor;
pub use ppl_core::ops::diag::{diag_matrix, eye};
pub use ppl_core::ops::join::{concat, concat_axis, stack};
pub use ppl_core::ops::param::{ones, zeros};
pub use ppl_core::ops::where_::where_;
pub use ppl_core::optim::{Adam, ClippedAdam, Schedule, Sgd};
pub use ppl_core::runtime::argument::Obs;
pub use ppl_core::runtime::handlers::{ModelExt, trace};
pub use ppl_core::runtime::model::{Guide, Model, Sample};
pub use ppl_core::runtime::sites::SiteValues;
pub use ppl_core::runtime::words::{factor, markov, observe, param, plate, sample, track};
pub use ppl_core::tape::store::Precision;
pub use ppl_core::tape::var::Var;
pub use ppl_macros::{Data, Module, guide, model};
pub use ppl_nn::layers::{Activation, Linear, Mlp, Sequential};
pub use ppl_nn::{
    Forward, Initialiser, Module, Parameter, Priors, evaluate, mean_field_module, param_module, random_module,
};
