//! Reductions: sums and maxima, log-sum-exp and softmax of rows, running sums, sums of rows by an index list.

pub(crate) mod log_sum_exp;
mod row_exp;
pub(crate) mod scan;
pub(crate) mod segment;
pub(crate) mod softmax;
pub(crate) mod sums;
