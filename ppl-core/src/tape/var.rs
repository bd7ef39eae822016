//! The handle of a value on a tape.

use crate::error::{Error, Place};
use crate::tape::record::Tape;
use crate::tape::refusal;
use crate::tensor::dims::{DimId, Dims};
use crate::tensor::shape::Shape;

/// A value on a tape: data, an observation, a latent or anything computed from them; without a tape, a constant scalar.
///
/// A `Var` is 16 bytes and `Copy`. It has no scalar type: the precision is a property of the tape.
/// A helper function of a model writes one lifetime: `fn dense<'t>(x: Var<'t>, w: Var<'t>) -> Var<'t>`.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: Option<&'t Tape>,
    bits: u64,
}

impl<'t> Var<'t> {
    /// Returns the handle of node `node`.
    pub(crate) fn on(tape: &'t Tape, node: u32) -> Self {
        Var {
            tape: Some(tape),
            bits: node as u64,
        }
    }

    /// Returns a constant scalar.
    pub const fn constant(value: f64) -> Self {
        Var {
            tape: None,
            bits: value.to_bits(),
        }
    }

    /// Returns the tape, or `None` for a constant scalar.
    pub(crate) fn tape(self) -> Option<&'t Tape> {
        self.tape
    }

    /// Returns the value of a constant scalar that is on no tape.
    pub(crate) fn as_constant(self) -> Option<f64> {
        self.tape.is_none().then(|| f64::from_bits(self.bits))
    }

    /// Returns whether it is no number but stands for an error about plain numbers ([`refusal`]).
    pub(crate) fn is_refused(self) -> bool {
        self.as_constant().is_some_and(refusal::is_refusal)
    }

    /// Returns the number of the node.
    ///
    /// # Panics
    ///
    /// If the value is a constant without a tape.
    pub(crate) fn node(self) -> u32 {
        assert!(self.tape.is_some(), "a constant has no node");
        self.bits as u32
    }

    /// Returns the plates that the value depends on.
    pub(crate) fn dims(self) -> Dims {
        self.tape.map_or_else(Dims::new, |tape| tape.dims_of(self.node()))
    }

    /// Returns the event shape: the shape of the value for one row of each plate that it depends on.
    pub fn event_shape(self) -> Shape {
        self.tape.map_or_else(Shape::new, |tape| tape.event_of(self.node()))
    }

    /// Returns the length of the first axis, as [`ndarray`] does for arrays; 0 after an error, which the next word returns.
    ///
    /// A missing observation of unknown shape has no length: that is an error of the model, and the answer is 1, so that
    /// `y.len() - 1` is a number.
    ///
    /// # Panics
    ///
    /// If the value is a scalar.
    #[track_caller]
    pub fn len(self) -> usize {
        self.axis(0).expect("a scalar has no length: take it of an array")
    }

    /// Returns whether the value has no elements.
    pub fn is_empty(self) -> bool {
        self.event_shape().contains(&0)
    }

    /// Returns the number of rows of a matrix, as `nrows` does for arrays.
    #[track_caller]
    pub fn nrows(self) -> usize {
        self.len()
    }

    /// Returns the number of columns of a matrix, as `ncols` does for arrays.
    ///
    /// # Panics
    ///
    /// If the value is no matrix.
    #[track_caller]
    pub fn ncols(self) -> usize {
        self.axis(1).expect("only a matrix has columns")
    }

    fn axis(self, axis: usize) -> Option<usize> {
        if let Some(tape) = self.tape.filter(|tape| tape.is_shapeless(self)) {
            let message = "a missing observation has no length: give its shape by `Obs::missing_like(shape)`, or take the \
                           length of other data or a number";
            tape.fail(Error::Invalid(message.to_string()));
            return Some(1);
        }
        let is_stand_in = self.as_constant().is_some_and(f64::is_nan);
        self.event_shape().get(axis).copied().or(is_stand_in.then_some(0))
    }

    /// Returns the value of a scalar. The program becomes value-dependent: it is recorded anew at each evaluation.
    ///
    /// A value that stands for a column of a plate cannot be read; the error is kept on the tape, and the answer is NaN.
    ///
    /// # Panics
    ///
    /// If it was made of plain numbers by an operation that needs an array: there is no model that could report it.
    #[track_caller]
    pub fn value(self) -> f64 {
        match self.tape {
            None => match refusal::recall(f64::from_bits(self.bits)) {
                Some(error) => panic!("{error}"),
                None => f64::from_bits(self.bits),
            },
            Some(tape) => tape.read_scalar(self.node(), Place::here()),
        }
    }

    /// Returns whether a drawn truth value is true; reads the value as [`Var::value`] does.
    #[track_caller]
    pub fn is_true(self) -> bool {
        self.value() == 1.0
    }

    /// Returns a drawn category as a Rust number, for `match` and ordinary indexing; reads the value as [`Var::value`] does.
    #[track_caller]
    pub fn index(self) -> usize {
        self.value() as usize
    }

    /// Returns all elements, plates first, without marking the program: for the library's own use.
    pub(crate) fn elements(self) -> Vec<f64> {
        match self.tape {
            None => vec![f64::from_bits(self.bits)],
            Some(tape) => tape.elements_of(self.node()),
        }
    }
}

impl std::fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.tape {
            None => write!(f, "Var({})", f64::from_bits(self.bits)),
            Some(_) => write!(f, "Var(node {}, event {:?})", self.bits, self.event_shape().as_slice()),
        }
    }
}

/// The index of a plate: selects the element of each row. It is not a number.
#[derive(Clone, Copy)]
pub struct Ix<'t> {
    pub(crate) tape: &'t Tape,
    pub(crate) dim: DimId,
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl<'t> From<$t> for Var<'t> {
            fn from(value: $t) -> Self {
                Var::constant(value as f64)
            }
        }
    )*};
}

number!(f64, f32, i32, i64, u32, u64, usize, u8);
