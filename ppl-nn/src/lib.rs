//! Neural networks whose modules are lifted into random modules.

pub mod calibration;
pub mod data;
mod error;
#[cfg(feature = "plots")]
pub mod plots;

pub use error::DataError;
