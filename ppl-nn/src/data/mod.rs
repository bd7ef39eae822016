//! Labelled images: read from IDX files, generated from pen strokes, handed out in shuffled batches.
//!
//! | need | use |
//! | --- | --- |
//! | MNIST from its folder | [`DataSet::mnist_dir`] |
//! | any pair of IDX files | [`DataSet::idx_pair`], [`DataSet::idx_dir`] |
//! | the raw arrays of one IDX file | [`read_images`], [`read_pixels`], [`read_labels`] |
//! | the rows of an epoch in shuffled batches | [`Batches`], [`DataSet::batch`] |
//! | images without a download | [`Glyphs`], [`white_noise`] |

mod alphabets;
mod data_set;
mod glyphs;
mod idx;
mod loader;
mod strokes;

pub use data_set::DataSet;
pub(crate) use data_set::{check_counts, check_labels};
pub use glyphs::{Glyphs, white_noise};
pub use idx::{read_images, read_labels, read_pixels};
pub use loader::{Batches, Epoch, LastBatch};
