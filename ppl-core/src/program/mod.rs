//! A compiled recording: replayed without allocation, hashing or shape checks.
//!
//! [`Program::compile`](compile) runs the passes over a tape, one a file: `constants` finds what never changes, `liveness`
//! what the outputs need, `adjoints` which adjoints are reached and who writes each of them first, `sharing` which are
//! those of their outputs; `layout` places buffers, [`compile`] emits instructions, and `blocks` finds those that run block
//! by block. A program is immutable and shared by all chains; a [`Workspace`](workspace::Workspace) belongs to one.
//!
//! Invariants: each adjoint is overwritten by its first writer or on the zero list, never both, never neither;
//! a sink is read only by the sum of the terms; a constant depends on no input; the log density is summed in f64;
//! evaluation without a gradient runs the same forward kernels.

mod adjoints;
mod blocks;
pub mod compile;
pub(crate) mod constants;
mod layout;
mod liveness;
pub mod passes;
pub mod profile;
pub mod run;
mod sharing;
pub mod structure;
pub mod workspace;
