//! Branch-free elementary functions: argument reduction by bits, a minimax polynomial, edge values by selection.
//!
//! Every function is generic over [`Float`](float::Float), inlined, and uses neither calls nor fused multiply-adds;
//! a loop over it becomes vector code with the same bits on every instruction set. The polynomials are minimax fits
//! by Remez exchange in 50 digits, rounded to the type; each table states its interval and its error.

#[cfg(test)]
mod check;
pub mod erf;
pub mod exp;
pub mod float;
pub mod ln;
pub mod logistic;
pub mod trig;
