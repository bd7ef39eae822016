//! Pictures in SVG files.

mod verdict_sheet;

pub use verdict_sheet::{Example, Panel, verdict_sheet};
