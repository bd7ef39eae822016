//! What stands beside the values of a model: numbers, arrays, lists and tuples of them, before they are on a tape.

use std::ops::{Div, Mul};
use std::rc::Rc;

use ndarray::{Array, ArrayView, Dimension};

use crate::error::{Error, Place};
use crate::ops::concat::stack_on;
use crate::tape::record::Tape;
use crate::tape::refusal;
use crate::tape::var::Var;
use crate::tensor::element::Element;
use crate::tensor::shape::{Shape, size};

/// What is said of an array that meets plain numbers only.
const NO_TAPE: &str =
    "no value of the model takes part: compute with arrays and `f64` here, or let a site or data take part";

/// What is said of a list of several shapes.
const CLASH: &str = "the elements of a list or tuple differ in shape";

/// An operand or a parameter of a distribution before it is on a tape; arrays are put there when it is used.
#[derive(Clone, Debug)]
pub enum Param<'t> {
    /// A number or a value of the model.
    Value(Var<'t>),
    /// An array of the user's: part of the model's structure.
    Array(Rc<(Shape, Vec<f64>)>),
    /// An array of one repeated number.
    Filled(Filled),
    /// Several of one shape, of which some are values of the model: they are stacked along an axis in front.
    Stack(Rc<[Param<'t>]>),
}

impl<'t> Param<'t> {
    /// Returns the value on `tape`; numbers stay constants. Elements of a list that differ in shape are an error there.
    pub fn on(&self, tape: &'t Tape) -> Var<'t> {
        self.put(tape).unwrap_or_else(|shapes| {
            let shapes: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
            tape.fail(Error::Invalid(format!("{CLASH}: {}", shapes.join(" and "))))
        })
    }

    /// Returns the value on `tape`, or the shapes of the elements if they differ.
    fn put(&self, tape: &'t Tape) -> Result<Var<'t>, Vec<Shape>> {
        match self {
            Param::Value(value) if value.is_refused() => Ok(tape.lift(*value)),
            Param::Value(value) => Ok(*value),
            Param::Array(array) => Ok(tape.constant_array(&array.0, array.1.iter().copied())),
            Param::Filled(Filled { shape, value }) => {
                Ok(tape.constant_array(shape, std::iter::repeat_n(*value, size(shape))))
            }
            Param::Stack(parts) => {
                let parts = parts.iter().map(|part| part.put(tape)).collect::<Result<Vec<_>, _>>()?;
                let shapes: Vec<Shape> = parts.iter().map(|part| part.event_shape()).collect();
                match shapes.iter().all(|shape| *shape == shapes[0]) {
                    true => Ok(stack_on(tape, &parts)),
                    false => Err(shapes),
                }
            }
        }
    }

    /// Puts an array onto `tape`, once for all later uses.
    pub fn put_on(&mut self, tape: &'t Tape) {
        *self = Param::Value(self.on(tape));
    }

    /// Returns the event shape; that of a stack is told by its first element.
    pub fn event_shape(&self) -> Shape {
        match self {
            Param::Value(value) => value.event_shape(),
            Param::Array(array) => array.0.clone(),
            Param::Filled(filled) => filled.shape.clone(),
            Param::Stack(parts) => {
                let mut shape = Shape::from_slice(&[parts.len()]);
                shape.extend_from_slice(&parts[0].event_shape());
                shape
            }
        }
    }

    /// Returns the tape of a value that is part of it.
    pub fn tape(&self) -> Option<&'t Tape> {
        match self {
            Param::Value(value) => value.tape(),
            Param::Array(_) | Param::Filled(_) => None,
            Param::Stack(parts) => parts.iter().find_map(Param::tape),
        }
    }

    /// Returns the number or the value of the model, if it is one and no array.
    pub fn value(&self) -> Option<Var<'t>> {
        match self {
            Param::Value(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the value on the tape of `other` or of one of its own parts; arrays without any tape are kept as an error.
    #[track_caller]
    pub fn beside(self, other: Var<'t>) -> Var<'t> {
        self.on_any(other.tape(), Place::here())
    }

    /// Returns the value on this tape, if there is one, as [`Param::beside`] does; `place` is where it is used.
    pub fn on_any(self, tape: Option<&'t Tape>, place: Place) -> Var<'t> {
        if let Param::Value(value) = self {
            return value;
        }
        let error = |op, message: &str, shapes| Error::Shape {
            op,
            place,
            message: message.to_string(),
            shapes,
        };
        match tape.or_else(|| self.tape()) {
            Some(tape) => self
                .put(tape)
                .unwrap_or_else(|shapes| tape.fail(error("list", CLASH, shapes))),
            None => Var::constant(refusal::keep(error("array", NO_TAPE, vec![self.event_shape()]))),
        }
    }

    fn array(shape: &[usize], values: Vec<f64>) -> Self {
        Param::Array(Rc::new((Shape::from_slice(shape), values)))
    }

    /// Returns the elements if all of them are plain numbers.
    fn numbers(&self) -> Option<(&[usize], std::borrow::Cow<'_, [f64]>)> {
        match self {
            Param::Value(value) => Some((&[], vec![value.as_constant()?].into())),
            Param::Array(array) => Some((&array.0, array.1.as_slice().into())),
            Param::Filled(_) | Param::Stack(_) => None,
        }
    }

    /// Returns several of one shape along an axis in front.
    fn stack(parts: Vec<Self>) -> Self {
        let numbers: Option<Vec<_>> = parts.iter().map(Param::numbers).collect();
        match numbers {
            Some(rows) if rows.iter().all(|(shape, _)| *shape == rows[0].0) => {
                let mut shape = Shape::from_slice(&[rows.len()]);
                shape.extend_from_slice(rows.first().map_or(&[], |row| row.0));
                Param::array(&shape, rows.iter().flat_map(|(_, row)| row.iter().copied()).collect())
            }
            _ => Param::Stack(parts.into()),
        }
    }
}

/// What can be a parameter of a distribution: a number, an array, a value of the model, a list or a tuple of these.
///
/// A list `[1, 2]` or a tuple is a vector; elements of one shape are stacked along an axis in front. A tuple may mix
/// numbers and values: `Normal((0, mu), 1)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a distribution",
    label = "neither a number nor an array nor a value of the model",
    note = "numbers of any type, arrays, slices and vectors of numbers, values of the model, and tuples of these can"
)]
pub trait IntoVar<'t> {
    /// Returns the parameter.
    fn into_param(self) -> Param<'t>;
}

/// What can stand beside a value of the model in an expression: `x + 1`, `sigma * Array2::eye(n)`, `x.maximum(&limits)`.
///
/// These are numbers of any type, values of the model, arrays of `f64` by value and of any numbers or `bool` by
/// reference, and lists and tuples of them. Arrays of one type only go by value, as the compiler could not tell the
/// elements of `Array2::eye(n)` otherwise.
///
/// To the left of an operator stand values of the model, arrays, `f64` and `i32`; write `n as f64 * x` for other numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside a value of the model in an expression",
    label = "neither a number nor an array nor a value of the model",
    note = "numbers of any type, values of the model, and lists and tuples of these can, \
            and arrays: of `f64` by value, of any numbers by reference (`x * &counts`)"
)]
pub trait Operand<'t>: IntoVar<'t> {}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl<'t> IntoVar<'t> for $t {
            fn into_param(self) -> Param<'t> {
                Param::Value(Var::constant(self.to_f64()))
            }
        }

        impl<'t> IntoVar<'t> for &$t {
            fn into_param(self) -> Param<'t> {
                (*self).into_param()
            }
        }

        impl<'t> Operand<'t> for $t {}
        impl<'t> Operand<'t> for &$t {}
    )*};
}

numbers!(f64, f32, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

impl<'t> IntoVar<'t> for Var<'t> {
    fn into_param(self) -> Param<'t> {
        Param::Value(self)
    }
}

impl<'t> IntoVar<'t> for &Var<'t> {
    fn into_param(self) -> Param<'t> {
        Param::Value(*self)
    }
}

impl<'t> IntoVar<'t> for Param<'t> {
    fn into_param(self) -> Param<'t> {
        self
    }
}

impl<'t> Operand<'t> for Var<'t> {}
impl<'t> Operand<'t> for &Var<'t> {}
impl<'t> Operand<'t> for Param<'t> {}

impl<'t, A: Element, D: Dimension> IntoVar<'t> for ArrayView<'_, A, D> {
    fn into_param(self) -> Param<'t> {
        Param::array(self.shape(), self.iter().map(|x| x.to_f64()).collect())
    }
}

impl<'t, A: Element, D: Dimension> IntoVar<'t> for &Array<A, D> {
    fn into_param(self) -> Param<'t> {
        self.view().into_param()
    }
}

impl<'t, A: Element, D: Dimension> IntoVar<'t> for Array<A, D> {
    fn into_param(self) -> Param<'t> {
        self.view().into_param()
    }
}

impl<'t, A: Element, D: Dimension> Operand<'t> for ArrayView<'_, A, D> {}
impl<'t, A: Element, D: Dimension> Operand<'t> for &Array<A, D> {}
impl<'t, D: Dimension> Operand<'t> for Array<f64, D> {}

/// Several operands: a slice, an array, a vector or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of values",
    label = "neither a list nor a tuple of numbers, arrays or values of the model",
    note = "write `&[a, b]`, or `(1, a, b)` where numbers and values are mixed"
)]
pub trait Parts<'t> {
    /// Returns the operands in their order.
    fn into_parts(self) -> Vec<Param<'t>>;
}

macro_rules! lists {
    ($([$($generics:tt)*] $t:ty, $bound:ident, |$list:ident| $parts:expr;)*) => {$(
        impl<'t, $($generics)*> Parts<'t> for $t
        where
            T: Operand<'t> + $bound,
        {
            fn into_parts(self) -> Vec<Param<'t>> {
                let $list = self;
                $parts.map(T::into_param).collect()
            }
        }

        impl<'t, $($generics)*> IntoVar<'t> for $t
        where
            T: IntoVar<'t> + $bound,
        {
            fn into_param(self) -> Param<'t> {
                let $list = self;
                Param::stack($parts.map(T::into_param).collect())
            }
        }

        impl<'t, $($generics)*> Operand<'t> for $t where T: Operand<'t> + $bound {}
    )*};
}

lists! {
    [T, const N: usize] [T; N], Sized, |list| list.into_iter();
    [T, const N: usize] &[T; N], Clone, |list| list.iter().cloned();
    [T] &[T], Clone, |list| list.iter().cloned();
    [T] Vec<T>, Sized, |list| list.into_iter();
    [T] &Vec<T>, Clone, |list| list.iter().cloned();
}

macro_rules! tuples {
    ($($t:ident $i:tt),*) => {
        impl<'t, $($t: Operand<'t>),*> Parts<'t> for ($($t,)*) {
            fn into_parts(self) -> Vec<Param<'t>> {
                vec![$(self.$i.into_param()),*]
            }
        }

        impl<'t, $($t: IntoVar<'t>),*> IntoVar<'t> for ($($t,)*) {
            fn into_param(self) -> Param<'t> {
                Param::stack(vec![$(self.$i.into_param()),*])
            }
        }

        impl<'t, $($t: Operand<'t>),*> Operand<'t> for ($($t,)*) {}
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

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

impl<'t> Operand<'t> for Filled {}

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
