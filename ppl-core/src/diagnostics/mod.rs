//! Diagnostics: whether draws can be trusted, and how far their means and quantiles are from the posterior's.
//!
//! Everything here reads draws and knows no sampler. One scalar's draws are an array `[chain, draw]`.
//!
//! | to learn | use |
//! | --- | --- |
//! | all that is usually reported, with warnings in words | [`summary`] |
//! | whether two algorithms agree | [`compare`] |
//! | whether the chains have mixed | [`rhat`], [`rhat_nested`] |
//! | how many independent draws these are worth | [`ess_bulk`], [`ess_tail`], [`ess_mean`], [`ess_sd`], [`ess_quantile`], [`ess_local`] |
//! | how far an estimate may be off | [`mcse_mean`], [`mcse_sd`], [`mcse_quantile`] |
//! | whether the momentum of a Hamiltonian sampler moves its energy enough | [`e_bfmi`] |
//! | whether the posterior has a mean and a variance | [`pareto_khat`] |
//! | whether a guide covers the posterior | [`pareto_k`] |
//! | what draws are worth as draws of another distribution | [`psis`], [`good_k`] |
//! | how well a model predicts what it has not seen | [`loo`], [`waic`], with [`relative_efficiency`] |
//! | which of several models predicts best | [`loo_compare`] |
//! | whether predictions are calibrated | [`loo_pit`] |
//! | how much prior and likelihood decide | [`psense`] |
//!
//! The numbers agree with those of ArviZ. Where nothing can be said, because there are fewer than [`MIN_DRAWS`] draws
//! or one of them is NaN, the answer is NaN and [`summary`] gives the reason.
//!
//! # References
//! Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), *Rank-normalization, folding, and localization: an improved
//! R-hat for assessing convergence of MCMC*, Bayesian Analysis 16(2).

mod autocovariance;
pub(crate) mod columns;
mod compare;
mod elpd_error;
mod elpd_warning;
mod ess;
mod guide_warning;
mod loo;
mod loo_compare;
mod loo_pit;
mod mcse;
mod moments;
pub(crate) mod number;
mod pareto;
mod pareto_khat;
mod path_warning;
mod pointwise;
mod psense;
mod psense_warning;
mod psis;
mod rank;
mod rhat;
mod split;
mod stacking;
mod summary;
mod tail;
mod waic;
mod warning;

pub use compare::{Comparison, ComparisonRow, Difference, Estimate, compare};
pub use elpd_error::ElpdError;
pub use elpd_warning::ElpdWarning;
pub use ess::{ess_bulk, ess_local, ess_mean, ess_quantile, ess_sd, ess_tail};
pub use guide_warning::GuideWarning;
pub use loo::{Loo, loo, relative_efficiency};
pub use loo_compare::{LooComparison, LooComparisonRow, loo_compare};
pub use loo_pit::{LooPit, loo_pit};
pub use mcse::{mcse_mean, mcse_quantile, mcse_sd};
pub use pareto_khat::pareto_khat;
pub(crate) use path_warning::path_warnings;
pub use path_warning::{PathWarning, e_bfmi};
pub use psense::{Psense, PsenseRow, psense};
pub use psense_warning::PsenseWarning;
pub use psis::{Psis, good_k, pareto_k, psis};
pub use rhat::{rhat, rhat_nested};
pub use split::MIN_DRAWS;
pub(crate) use summary::warnings_of;
pub use summary::{Summary, SummaryRow, summary};
pub use waic::{Waic, waic};
pub use warning::Warning;
