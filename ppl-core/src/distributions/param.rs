//! Parameters of distributions: numbers, arrays, values of a model.

use std::ops::{Div, Mul};
use std::rc::Rc;

use ndarray::{Array, Dimension};
use num_traits::AsPrimitive;

use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// A parameter of a distribution before its site is reached; arrays are put onto the tape there.
#[derive(Clone, Debug)]
pub enum Param<'t> {
    /// A number or a value of the model.
    Value(Var<'t>),
    /// An array of the user's: part of the model's structure.
    Array(Rc<(Shape, Vec<f64>)>),
    /// An array of one repeated number.
    Filled(Filled),
}

impl<'t> Param<'t> {
    /// Returns the value on `tape`; numbers stay constants.
    pub fn on(&self, tape: &'t Tape) -> Var<'t> {
        match self {
            Param::Value(value) => *value,
            Param::Array(array) => tape.constant_array(&array.0, array.1.iter().copied()),
            Param::Filled(Filled { shape, value }) => {
                tape.constant_array(shape, std::iter::repeat_n(*value, size(shape)))
            }
        }
    }

    /// Puts an array onto `tape`, once for all later uses.
    pub fn put_on(&mut self, tape: &'t Tape) {
        *self = Param::Value(self.on(tape));
    }

    /// Returns the event shape.
    pub fn event_shape(&self) -> Shape {
        match self {
            Param::Value(value) => value.event_shape(),
            Param::Array(array) => array.0.clone(),
            Param::Filled(filled) => filled.shape.clone(),
        }
    }

    fn array(shape: &[usize], values: Vec<f64>) -> Self {
        Param::Array(Rc::new((Shape::from_slice(shape), values)))
    }
}

/// What can be a parameter of a distribution: a number, an array, a value of the model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a distribution",
    label = "neither a number nor an array nor a value of the model",
    note = "numbers of any type, arrays, slices and vectors of `f64`, and values of the model can"
)]
pub trait IntoVar<'t> {
    /// Returns the parameter.
    fn into_param(self) -> Param<'t>;
}

impl<'t> IntoVar<'t> for Var<'t> {
    fn into_param(self) -> Param<'t> {
        Param::Value(self)
    }
}

impl<'t> IntoVar<'t> for Param<'t> {
    fn into_param(self) -> Param<'t> {
        self
    }
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl<'t> IntoVar<'t> for $t {
            fn into_param(self) -> Param<'t> {
                Param::Value(Var::constant(self as f64))
            }
        }
    )*};
}

number!(f64, f32, i32, i64, u32, u64, u8, usize);

impl<'t> IntoVar<'t> for bool {
    fn into_param(self) -> Param<'t> {
        Param::Value(Var::constant(self as u8 as f64))
    }
}

impl<'t, A: Copy + AsPrimitive<f64>, D: Dimension> IntoVar<'t> for &Array<A, D> {
    fn into_param(self) -> Param<'t> {
        Param::array(self.shape(), self.iter().map(|x| x.as_()).collect())
    }
}

impl<'t, A: Copy + AsPrimitive<f64>, D: Dimension> IntoVar<'t> for Array<A, D> {
    fn into_param(self) -> Param<'t> {
        (&self).into_param()
    }
}

impl<'t, const N: usize> IntoVar<'t> for [f64; N] {
    fn into_param(self) -> Param<'t> {
        Param::array(&[N], self.to_vec())
    }
}

impl<'t> IntoVar<'t> for &[f64] {
    fn into_param(self) -> Param<'t> {
        Param::array(&[self.len()], self.to_vec())
    }
}

impl<'t> IntoVar<'t> for Vec<f64> {
    fn into_param(self) -> Param<'t> {
        self.as_slice().into_param()
    }
}

/// An array of one repeated number, as [`ones`] makes it; it can be multiplied and divided by numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    shape: Shape,
    value: f64,
}

/// Returns a vector of `n` ones: `Dirichlet(ones(k))`, `Categorical::probs(ones(k) / k)`.
pub fn ones(n: usize) -> Filled {
    Filled {
        shape: Shape::from_slice(&[n]),
        value: 1.0,
    }
}

/// Returns a vector of `n` zeros.
pub fn zeros(n: usize) -> Filled {
    Filled {
        shape: Shape::from_slice(&[n]),
        value: 0.0,
    }
}

impl<'t> IntoVar<'t> for Filled {
    fn into_param(self) -> Param<'t> {
        Param::Filled(self)
    }
}

macro_rules! filled {
    ($($t:ty),*) => {$(
        impl Mul<$t> for Filled {
            type Output = Filled;
            fn mul(self, factor: $t) -> Filled {
                Filled { value: self.value * factor as f64, ..self }
            }
        }
        impl Div<$t> for Filled {
            type Output = Filled;
            fn div(self, divisor: $t) -> Filled {
                Filled { value: self.value / divisor as f64, ..self }
            }
        }
    )*};
}

filled!(f64, i32, usize);
