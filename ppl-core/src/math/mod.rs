//! Scalar mathematics on f64: special functions that the distributions stand on.
