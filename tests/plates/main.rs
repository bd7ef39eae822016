//! A body in a plate gives the log density and gradient of the explicit loop: for all operations and distributions.

#[path = "../models/compare.rs"]
mod compare;
mod complete;
#[path = "../models/data.rs"]
mod data;
mod distributions;
mod latents;
mod laws;
mod nesting;
mod operations;
mod values;
