//! Shapes and named plate dimensions: how values on a tape align.

pub mod dims;
pub mod element;
pub mod room;
pub mod shape;
