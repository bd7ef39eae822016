//! Layers and networks, one a file.
//!
//! | need | use |
//! | --- | --- |
//! | x · W + b | [`Linear`] |
//! | relu, tanh, … | [`Activation`] |
//! | linear layers with an activation between them | [`Mlp`] |
//! | any layers one after the other | [`Sequential`] |
//! | another wiring | a struct with `#[derive(Module)]` and [`Forward`](crate::Forward) |

mod activation;
mod linear;
mod mlp;
mod sequential;

pub use activation::Activation;
pub use linear::Linear;
pub use mlp::Mlp;
pub use sequential::Sequential;
