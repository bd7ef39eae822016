//! The four operations and negation, between values and with numbers on either side.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::ops::elementwise::{binary, binary_op, unary, unary_op};
use crate::ops::mul_add::add_product;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

binary_op! { Plus, "add", |x, y, out| x + y, (F::ONE, F::ONE), passes_on 0b11 }
binary_op! { Minus, "sub", |x, y, out| x - y, (F::ONE, -F::ONE), passes_on 0b01 }
binary_op! { Times, "mul", |x, y, out| x * y, (y, x) }
binary_op! { Over, "div", |x, y, out| x / y, (F::ONE / y, -(out / y)) }
unary_op! { Negate, "neg", |x, out| -x, -F::ONE }

impl<'t> Neg for Var<'t> {
    type Output = Var<'t>;

    fn neg(self) -> Var<'t> {
        unary::<Negate>(self)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, |$x:ident, $y:ident| $both:expr, $($number:ty),*) => {
        impl<'t> $trait for Var<'t> {
            type Output = Var<'t>;

            #[track_caller]
            fn $method(self, $y: Var<'t>) -> Var<'t> {
                let $x = self;
                $both
            }
        }
        $(
            impl<'t> $trait<$number> for Var<'t> {
                type Output = Var<'t>;

                #[track_caller]
                fn $method(self, other: $number) -> Var<'t> {
                    self.$method(Var::from(other))
                }
            }

            impl<'t> $trait<Var<'t>> for $number {
                type Output = Var<'t>;

                #[track_caller]
                fn $method(self, other: Var<'t>) -> Var<'t> {
                    Var::from(self).$method(other)
                }
            }
        )*
    };
}

operator!(Add, add, |x, y| plus(x, y), f64, i32);
operator!(Sub, sub, |x, y| binary::<Minus>(x, y), f64, i32);
operator!(
    Mul,
    mul,
    |x, y| if x.is_same(y) {
        x.square()
    } else {
        binary::<Times>(x, y)
    },
    f64,
    i32
);
operator!(Div, div, |x, y| binary::<Over>(x, y), f64, i32);

#[track_caller]
fn plus<'t>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    match add_product(x, y).or_else(|| add_product(y, x)) {
        Some(out) => out,
        None => binary::<Plus>(x, y),
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
