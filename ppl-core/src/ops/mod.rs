//! Operations, one a file: the shape rule, the kernels, the method on `Var`.
//!
//! An operation of one or two operands that works element by element is a zero-sized type with its value and its
//! derivatives ([`elementwise`]); any other implements [`Op`](crate::tape::op::Op) and records itself.
//! An operation never panics on data and never returns an error: what is wrong is kept on the tape
//! ([`Tape::fail`](crate::tape::record::Tape::fail)), where the next word of the model finds it.

pub mod align;
pub mod arithmetic;
pub mod broadcast;
pub mod elementwise;
pub mod exp;
pub mod reshape;
pub mod sum;
