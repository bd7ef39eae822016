//! Distributions, one a file: density with analytic derivatives, draws, moments, support.
//!
//! A distribution is a function and a brace struct of one name: `Normal(0, 5)` makes `Normal { loc, scale }`.
//! Parameters are numbers, arrays or values of a model ([`Param`](crate::ops::param::Param)); [`Dist`] is what the runtime asks of it.
//! A univariate distribution gives its density to [`univariate`], which makes the operations of it.

mod affine_rows;
mod bernoulli;
mod beta;
mod binomial;
mod categorical;
mod cauchy;
mod chances;
mod contract;
mod count_sampler;
mod delta;
mod dirichlet;
mod divergence;
pub(crate) mod erased;
mod exponential;
pub mod family;
mod flat;
mod gamma;
mod gamma_sampler;
mod half_cauchy;
mod half_normal;
pub mod inside;
mod inverse_gamma;
#[cfg(test)]
mod kl_laws;
mod label_sampler;
mod laplace;
mod log_normal;
pub mod modifiers;
mod multivariate_normal;
pub mod noise;
pub(crate) mod normal;
mod one_hot_categorical;
pub mod ordered;
mod poisson;
mod row_density;
mod saddle;
#[cfg(test)]
mod sampler_laws;
mod scalar_sampler;
pub mod standard_cdf;
mod student_t;
pub mod support;
pub mod truncated;
mod uniform;
pub mod univariate;
mod weights;

pub use bernoulli::Bernoulli;
pub use beta::Beta;
pub use binomial::Binomial;
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use contract::{Dist, Kl, Modifiers, Params};
pub use delta::Delta;
pub use dirichlet::Dirichlet;
pub use exponential::Exponential;
pub use flat::{Flat, HalfFlat};
pub use gamma::Gamma;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use inverse_gamma::InverseGamma;
pub use laplace::Laplace;
pub use log_normal::LogNormal;
pub use modifiers::DistExt;
pub use multivariate_normal::MultivariateNormal;
pub use noise::Drawn;
pub use normal::Normal;
pub use one_hot_categorical::OneHotCategorical;
pub use poisson::Poisson;
pub use student_t::StudentT;
pub use uniform::Uniform;
