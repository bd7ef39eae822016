//! What a plate can run over: a number of rows, or the first axis of a value.

use ndarray::{Array, Dimension};

use crate::tape::var::Var;

/// The number of rows of a plate, or the value whose rows they are.
#[derive(Clone, Copy, Debug)]
pub enum PlateSize<'t> {
    /// This number of rows.
    Count(usize),
    /// The rows of this value.
    Rows(Var<'t>),
}

/// What can stand in `plate(…)`: a `usize`, data of the model, a value with a first axis, an array.
#[diagnostic::on_unimplemented(
    message = "a plate cannot run over `{Self}`",
    label = "neither a number of rows nor a value with a first axis",
    note = "a plate runs over a `usize`, a data argument, a value of the model or an array"
)]
pub trait PlateRange<'t> {
    /// Returns the number of rows, or the value whose rows they are.
    fn plate_size(&self) -> PlateSize<'t>;
}

impl<'t> PlateRange<'t> for Var<'t> {
    fn plate_size(&self) -> PlateSize<'t> {
        PlateSize::Rows(*self)
    }
}

impl<'t> PlateRange<'t> for usize {
    fn plate_size(&self) -> PlateSize<'t> {
        PlateSize::Count(*self)
    }
}

impl<'t, A, D: Dimension> PlateRange<'t> for Array<A, D> {
    fn plate_size(&self) -> PlateSize<'t> {
        PlateSize::Count(self.shape().first().copied().unwrap_or(1))
    }
}

impl<'t, A> PlateRange<'t> for [A] {
    fn plate_size(&self) -> PlateSize<'t> {
        PlateSize::Count(self.len())
    }
}

impl<'t, A> PlateRange<'t> for Vec<A> {
    fn plate_size(&self) -> PlateSize<'t> {
        PlateSize::Count(self.len())
    }
}

impl<'t, P: PlateRange<'t> + ?Sized> PlateRange<'t> for &P {
    fn plate_size(&self) -> PlateSize<'t> {
        (**self).plate_size()
    }
}

/// How a plate is subsampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlateOptions {
    /// The number of rows in a random subset of the data: `batch = 256`.
    pub batch: Option<usize>,
    /// The total number of rows, where the argument is a part of a stream: `total = n`.
    pub total: Option<usize>,
    /// Whether the name is given by a string, `plate("data", n)`: plates of one such name run over the same rows.
    pub is_named: bool,
}
