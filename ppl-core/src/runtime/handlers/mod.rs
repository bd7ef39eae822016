//! Handlers: what can be put around a model to change its random choices, one a file.
//!
//! Each is a method of [`ModelExt`] that returns the model with the handler around it, a model again. Of several handlers
//! the nearest to the model comes first, and what it decides about a value stays decided.
//!
//! | to | use |
//! | --- | --- |
//! | observe latents | [`ModelExt::condition`] |
//! | set sites from outside, without a density | [`ModelExt::do_`] |
//! | leave sites out of the density | [`ModelExt::block`] |
//! | give latents the values of a run | [`ModelExt::replay`] |
//! | start algorithms from given values | [`ModelExt::init`], [`ModelExt::init_from`] |
//! | count some rows only | [`ModelExt::mask`] |
//! | weigh densities | [`ModelExt::scale`] |
//! | see the sites of a run | [`trace()`] |

mod assignments;
mod block;
mod choice;
mod condition;
mod do_;
mod effect;
mod handled;
mod init;
mod mask;
mod replay;
mod scale;
mod trace;

pub use block::Block;
pub use choice::{Choose, Chosen, Give, SiteChoice};
pub use condition::Condition;
pub use do_::Do;
pub use effect::Effect;
pub use handled::{Handled, ModelExt};
pub use init::Init;
pub use mask::Mask;
pub use replay::Replay;
pub use scale::Scale;
pub use trace::{Trace, TraceSite, trace};
