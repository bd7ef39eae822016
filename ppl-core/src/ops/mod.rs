//! Operations, one a file: the shape rule, the kernels, the method on `Var`.
//!
//! An operation of one or two operands that works element by element is a zero-sized type with its value and its
//! derivatives ([`elementwise`]); any other implements [`Op`](crate::tape::op::Op) and records itself.
//! An operation never panics on data and never returns an error: what is wrong is kept on the tape
//! ([`Tape::fail`](crate::tape::record::Tape::fail)), where the next word of the model finds it. Of plain numbers, which
//! are on no tape, a NaN comes out that brings the error onto the first tape it meets ([`refusal`](crate::tape::refusal)).
//!
//! Over which axes an operation works, inside a plate for each row of it:
//!
//! | | |
//! | --- | --- |
//! | all event axes | `sum`, `mean`, `max`, `min` |
//! | the last event axis | `softmax`, `log_softmax`, `sort`, `cumsum` |
//! | a vector, and nothing else | `log_sum_exp`, `argmax`, `argmin` |
//! | the first event axis | `x[…]`, `slice`, `rev`, `concat`; `stack` makes it |
//! | the one that is named | `sum_axis`, `mean_axis`, `max_axis`, `min_axis`, `log_sum_exp_axis`, `argmax_axis`, `argmin_axis`, `slice_axis`, `rev_axis`, `concat_axis`, `pad` |

pub mod abs;
pub mod align;
pub mod argmax;
pub mod arithmetic;
pub mod broadcast;
pub mod cholesky;
pub mod comparison;
pub mod concat;
pub mod cos;
pub mod cumsum;
pub mod detach;
pub mod diag;
pub mod digamma;
pub mod elementwise;
pub mod erf;
pub mod exp;
pub mod exp_m1;
pub mod extremes;
pub mod floor;
pub mod gather;
pub mod gelu;
pub mod index;
pub mod join;
pub mod ln;
pub mod ln_1p;
pub mod ln_gamma;
pub mod log_softmax;
pub mod log_sum_exp;
pub mod logic;
pub mod matmul;
pub mod maximum;
pub mod mean;
pub mod minimum;
mod mul_add;
pub mod outer;
pub mod param;
pub mod permute;
pub mod plates;
pub mod pow;
pub mod recip;
pub mod relu;
pub mod repeat;
pub mod reshape;
pub mod reverse;
pub mod scalar_function;
pub mod sigmoid;
pub mod silu;
pub mod sin;
pub mod slice;
pub mod softmax;
pub mod softplus;
pub mod sort;
pub mod sqrt;
pub mod square;
pub mod strided;
pub mod sum;
pub mod tanh;
pub mod triangular;
pub mod walk;
pub mod where_;

#[cfg(test)]
mod chains;
#[cfg(test)]
mod shape_errors;
