//! The four operations and negation, between values and with numbers on either side.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernels::map::{Map1, Map2};
use crate::kernels::real::Real;
use crate::ops::elementwise::{Binary, Unary, binary, unary};
use crate::tape::var::Var;

struct Plus;
struct Minus;
struct Times;
struct Over;
struct Negate;

macro_rules! map2 {
    ($op:ident, $name:literal, |$x:ident, $y:ident, $out:ident| $value:expr, $partials:expr) => {
        impl Map2 for $op {
            #[inline(always)]
            fn value<F: Real>($x: F, $y: F) -> F {
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials<F: Real>($x: F, $y: F, $out: F) -> (F, F) {
                $partials
            }
        }

        impl Binary for $op {
            const NAME: &'static str = $name;
        }
    };
}

map2!(Plus, "add", |x, y, out| x + y, (F::ONE, F::ONE));
map2!(Minus, "sub", |x, y, out| x - y, (F::ONE, -F::ONE));
map2!(Times, "mul", |x, y, out| x * y, (y, x));
map2!(Over, "div", |x, y, out| x / y, (F::ONE / y, -(out / y)));

impl Map1 for Negate {
    #[inline(always)]
    fn value<F: Real>(x: F) -> F {
        -x
    }

    #[inline(always)]
    fn derivative<F: Real>(_x: F, _out: F) -> F {
        -F::ONE
    }
}

impl Unary for Negate {
    const NAME: &'static str = "neg";
}

impl<'t> Neg for Var<'t> {
    type Output = Var<'t>;

    fn neg(self) -> Var<'t> {
        unary::<Negate>(self)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident, $($number:ty),*) => {
        impl<'t> $trait for Var<'t> {
            type Output = Var<'t>;

            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> {
                binary::<$op>(self, other)
            }
        }
        $(
            impl<'t> $trait<$number> for Var<'t> {
                type Output = Var<'t>;

                #[track_caller]
                fn $method(self, other: $number) -> Var<'t> {
                    binary::<$op>(self, Var::from(other))
                }
            }

            impl<'t> $trait<Var<'t>> for $number {
                type Output = Var<'t>;

                #[track_caller]
                fn $method(self, other: Var<'t>) -> Var<'t> {
                    binary::<$op>(Var::from(self), other)
                }
            }
        )*
    };
}

operator!(Add, add, Plus, f64, i32);
operator!(Sub, sub, Minus, f64, i32);
operator!(Mul, mul, Times, f64, i32);
operator!(Div, div, Over, f64, i32);
