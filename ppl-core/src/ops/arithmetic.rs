//! The four operations and negation, between values and with numbers and arrays on either side.

use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use ndarray::{Array, ArrayView, Dimension};

use crate::error::Error;
use crate::ops::align::tape_of;
use crate::ops::elementwise::{binary_op, unary, unary_op};
use crate::ops::mul_add::add_product;
use crate::ops::param::{Filled, IntoVar, Operand};
use crate::tape::var::Var;
use crate::tensor::element::Element;
use crate::tensor::shape::broadcast;
#[cfg(test)]
use crate::testing::ops::op_tests;

binary_op! { Plus, "add", |x, y, out| x + y, (F::ONE, F::ONE), passes_on 0b11 }
binary_op! { Minus, "sub", |x, y, out| x - y, (F::ONE, -F::ONE), passes_on 0b01 }
binary_op! { Times, "mul", |x, y, out| x * y, (y, x) }
binary_op! { Over, "div", |x, y, out| x / y, (F::ONE / y, -(out / y)) }
unary_op! { Negate, "neg", |x, out| -x, -F::ONE }

macro_rules! negation {
    ($($t:ty),*) => {$(
        impl<'t> Neg for $t {
            type Output = Var<'t>;

            fn neg(self) -> Var<'t> {
                unary::<Negate>(self.to_owned())
            }
        }
    )*};
}

negation!(Var<'t>, &Var<'t>);

/// Writes an operator: between values, with operands to the right, and with numbers and arrays to the left.
macro_rules! operator {
    ($trait:ident $method:ident, $assign:ident $assign_method:ident, $of_two:expr) => {
        operator!(@right $trait $method, $of_two, Var<'t>, &Var<'t>);
        operator!(@left $trait $method, $of_two,
            [] f64, [] i32, [] Filled, [D: Dimension] Array<f64, D>, [A: Element, D: Dimension] &Array<A, D>,
            [A: Element, D: Dimension] ArrayView<'_, A, D>);

        impl<'t, T: Operand<'t>> $assign<T> for Var<'t> {
            #[track_caller]
            fn $assign_method(&mut self, other: T) {
                *self = $of_two(*self, other.into_param().beside(*self));
            }
        }
    };
    (@right $trait:ident $method:ident, $of_two:expr, $($own:ty),*) => {$(
        impl<'t, T: Operand<'t>> $trait<T> for $own {
            type Output = Var<'t>;

            #[track_caller]
            fn $method(self, other: T) -> Var<'t> {
                $of_two(self.to_owned(), other.into_param().beside(self.to_owned()))
            }
        }
    )*};
    (@left $trait:ident $method:ident, $of_two:expr, $([$($generics:tt)*] $other:ty),*) => {$(
        impl<'t, $($generics)*> $trait<Var<'t>> for $other {
            type Output = Var<'t>;

            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> {
                $of_two(self.into_param().beside(other), other)
            }
        }

        impl<'t, $($generics)*> $trait<&Var<'t>> for $other {
            type Output = Var<'t>;

            #[track_caller]
            fn $method(self, other: &Var<'t>) -> Var<'t> {
                $of_two(self.into_param().beside(*other), *other)
            }
        }
    )*};
}

operator!(Add add, AddAssign add_assign, plus);
operator!(Sub sub, SubAssign sub_assign, Minus::of);
operator!(Mul mul, MulAssign mul_assign, times);
operator!(Div div, DivAssign div_assign, Over::of);

#[track_caller]
fn plus<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    match add_product(x, y).or_else(|| add_product(y, x)) {
        Some(out) => out,
        None => Plus::of(x, y),
    }
}

#[track_caller]
fn times<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    if x.is_same(y) { x.square() } else { Times::of(x, y) }
}

/// Joins the values of an iterator; shapes that clash are an error without a place, which an iterator does not know.
fn fold<'t>(
    what: &str,
    mut values: impl Iterator<Item = Var<'t>>,
    of_two: fn(Var<'t>, Var<'t>) -> Var<'t>,
) -> Option<Var<'t>> {
    let mut all = values.next()?;
    for x in values {
        let shapes = [all.event_shape(), x.event_shape()];
        all = match tape_of(&[all, x]).filter(|_| broadcast(&shapes[0], &shapes[1]).is_none()) {
            None => of_two(all, x),
            Some(tape) => {
                let [a, b] = shapes;
                let message = format!("the {what} of an iterator over values: {a:?} and {b:?} do not broadcast");
                return Some(tape.fail(Error::Invalid(message)));
            }
        };
    }
    Some(all)
}

impl<'t> Sum for Var<'t> {
    /// Returns the sum of the values, 0 of none: `parts.iter().map(|p| p * 2).sum::<Var>()`.
    fn sum<I: Iterator<Item = Var<'t>>>(values: I) -> Var<'t> {
        fold("sum", values, plus).unwrap_or(Var::constant(0.0))
    }
}

impl<'t> Product for Var<'t> {
    /// Returns the product of the values, 1 of none.
    fn product<I: Iterator<Item = Var<'t>>>(values: I) -> Var<'t> {
        fold("product", values, times).unwrap_or(Var::constant(1.0))
    }
}

impl<'a, 't: 'a> Sum<&'a Var<'t>> for Var<'t> {
    fn sum<I: Iterator<Item = &'a Var<'t>>>(values: I) -> Var<'t> {
        values.copied().sum()
    }
}

impl<'a, 't: 'a> Product<&'a Var<'t>> for Var<'t> {
    fn product<I: Iterator<Item = &'a Var<'t>>>(values: I) -> Var<'t> {
        values.copied().product()
    }
}

impl Var<'_> {
    /// Returns whether two handles are one node.
    fn is_same(self, other: Self) -> bool {
        self.tape().is_some() && other.tape().is_some() && self.node() == other.node()
    }
}

#[cfg(test)]
op_tests! { addition |x| x[0] + x[1] * 1; [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }
#[cfg(test)]
op_tests! { subtraction |x| x[0] - x[1]; [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }
#[cfg(test)]
op_tests! { multiplication |x| x[0] * x[1]; [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }
#[cfg(test)]
op_tests! { division |x| x[0] / x[1]; [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }
#[cfg(test)]
op_tests! { negation |x| -x[0]; [1.5], [-0.25] }
#[cfg(test)]
op_tests! { numbers |x| (2.0 - 3 * x[0]) / 4 + (1 - x[0]) * 0.5 - 1.0 / x[0]; [1.5], [-0.25] }
#[cfg(test)]
op_tests! { a_value_twice |x| x[0] * x[0] + (x[0] + x[0]) / x[0]; [1.5], [-0.25] }

#[cfg(test)]
mod tests {
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn a_product_of_a_value_with_itself_is_one_node() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[3.0, -4.0], false);
        assert_eq!((x * x).elements(), [9.0, 16.0]);
        assert_eq!(tape.records().nodes.len(), 2);
    }
}
