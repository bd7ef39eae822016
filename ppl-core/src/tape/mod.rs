//! The tape: values are computed as they are recorded, and what was recorded can be differentiated and replayed.
//!
//! A [`Tape`](record::Tape) holds nodes, each an operation ([`OpDef`](op::OpDef)) on earlier nodes, and their values in
//! one buffer. A [`Var`](var::Var) is a handle to a node. The density of a model is a list of *sinks*: nodes that no
//! other node reads, each with a weight, whose weighted sum is the log density. The same kernels run while recording,
//! in the eager gradient ([`gradient`](gradient::gradient)) and in a compiled program: there is one semantics.

pub mod call;
pub mod gradient;
pub(crate) mod leaves;
pub mod missing;
pub mod op;
pub mod prepared;
mod read;
pub mod record;
pub mod records;
pub mod refusal;
pub mod store;
pub mod var;
