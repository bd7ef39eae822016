//! What a warm-up learns, part by part: when ([`windows`]), covariances ([`welford`]), scales ([`scale`],
//! [`dual_averaging`]).

pub mod dual_averaging;
pub mod scale;
pub mod welford;
pub mod windows;
