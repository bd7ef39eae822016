//! What the macros refer to; no part of the interface.

pub use ndarray::ArrayViewD;

pub use crate::constraints::{Ordered, Real, Unknown};
pub use crate::distributions::family::{Covered, Family, SiteSupport, covers, same_support};
pub use crate::runtime::argument::{DataArg, ObsArg};
pub use crate::runtime::arguments_key::{ArgumentsKey, ByBits, ByHash, ByNothing, Owned};
pub use crate::runtime::columns::{ByField, ByGuess, Column, Columns, Field, FieldOf};
pub use crate::runtime::context::Ctx;
pub use crate::runtime::data::{DataVisitor, is_data};
pub use crate::runtime::data_source::{DataSource, Handle};
pub use crate::runtime::lend::{LendData, LendObs};
pub use crate::runtime::model::{Guide, Model, Returned, Sample};
pub use crate::runtime::plate_size::{PlateOptions, PlateRange};
pub use crate::runtime::site::Site;
pub use crate::runtime::sites::{DrawsBySite, SiteAccessors, SiteNames, SiteValue, SiteValues};
pub use crate::runtime::stop::Res;
pub use crate::tape::var::Var;

/// Loops that the hand-written code of the benches shares with the engine.
pub mod kernels {
    pub use crate::kernels::dispatch::{Loop, dispatch};
    pub use crate::kernels::linear::matmul::gemm;
    pub use crate::kernels::simd::lanes::sum3;
}
