//! Neural networks whose modules are lifted into random modules.

pub mod calibration;
pub mod data;
mod error;

pub use error::DataError;
