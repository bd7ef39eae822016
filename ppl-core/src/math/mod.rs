//! Scalar mathematics on f64: special functions that the distributions stand on.
//!
//! Every function holds 8 error units against tables of 50 digits (`tests/special_functions.rs`);
//! an error unit is |got − exact| / (2⁻⁵³ (|exact| + Σ|inputᵢ ∂exact/∂inputᵢ|)).

pub mod beta;
pub mod erf;
pub mod gamma;
pub mod gamma_draw;
pub mod incomplete_beta;
pub mod incomplete_gamma;
pub mod logspace;
mod rational;
