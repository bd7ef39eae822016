//! Scalar mathematics on f64: special functions that the distributions stand on.
//!
//! Every function holds 8 error units against tables of 25 digits (`tests/special_functions.rs`);
//! an error unit is |got − exact| / (2⁻⁵³ (|exact| + Σ|inputᵢ ∂exact/∂inputᵢ|)).
//!
//! | need | use |
//! |---|---|
//! | ln Γ(x + d) − ln Γ(x), and its derivatives | [`gamma::ln_gamma_difference`], [`gamma::digamma_difference`] |
//! | ln(b x) − ψ(a) with x near a / b | `(b * x / a).ln()` − [`gamma::digamma_minus_ln`] |
//! | a log density that cancels at large counts or concentrations | [`gamma::bd0`] and [`gamma::stirlerr`] |
//! | ln B(a, b), ln (n choose k), their derivatives | [`beta`] |
//! | ln(1 − eˣ), ln(eᵃ ± eᵇ), ln(1 + t) − t, x ln y at zero | [`logspace`] |
//! | Φ, ln Φ, its derivative, the normal quantile | [`erf`] |
//! | distribution functions of Gamma, Poisson, Chi2 / of Beta, Binomial, StudentT | [`incomplete_gamma`] / [`incomplete_beta`] |
//! | how a Gamma, Beta, Dirichlet or StudentT draw moves with its concentration | [`gamma_draw`] |

pub mod beta;
pub mod erf;
pub mod gamma;
pub mod gamma_draw;
pub mod incomplete_beta;
pub mod incomplete_gamma;
pub mod logspace;
pub(crate) mod rational;
