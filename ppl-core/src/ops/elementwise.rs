//! Operations that work element by element, from a value and its derivatives.

use std::marker::PhantomData;

use crate::error::Place;
use crate::kernels::elementwise::map::{Map1, Map2, map1, map1_adjoint, map2, map2_adjoint_x, map2_adjoint_y};
use crate::kernels::real::Real;
use crate::ops::align::{align, tape_of};
use crate::ops::repeat::repeat;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;

/// An operation of one operand: [`Map1`] gives its value and derivative.
pub trait Unary: Map1 + 'static {
    /// The unique name.
    const NAME: &'static str;
    /// Bit 0 is set where the derivative is zero everywhere.
    const NO_GRAD: u32 = 0;
}

/// An operation of two operands: [`Map2`] gives its value and partial derivatives.
pub trait Binary: Map2 + Sized + 'static {
    /// The unique name.
    const NAME: &'static str;
    /// Bit k is set where the derivative by operand k is zero everywhere.
    const NO_GRAD: u32 = 0;
    /// Bit k is set where the derivative by operand k is one.
    const PASSES_ON: u32 = 0;

    /// Writes or adds to the adjoint of x, given x, y, the value and its adjoint. No loops are compiled for masks.
    fn adjoint_x<F: Real>([x, y, out, d_out]: [&[F]; 4], d_x: &mut [F], overwrite: bool) {
        map2_adjoint_x::<Self, F>(x, y, out, d_out, d_x, overwrite);
    }

    /// As [`Binary::adjoint_x`] for y.
    fn adjoint_y<F: Real>([x, y, out, d_out]: [&[F]; 4], d_y: &mut [F], overwrite: bool) {
        map2_adjoint_y::<Self, F>(x, y, out, d_out, d_y, overwrite);
    }
}

/// Defines an operation of one operand: `unary_op! { Exp, "exp", |x, out| x.exp(), out }` gives its type, its name, its
/// value and its derivative, the latter from the operand and the value. `no_grad` at the end: it has none; `shortcut if
/// |out| condition => derivative`: where the condition holds, the derivative is this, from the value alone.
macro_rules! unary_op {
    ($op:ident, $name:literal, |$x:ident, $out:ident| $value:expr, $derivative:expr,
        shortcut if |$y:ident| $allowed:expr => $shortcut:expr) => {
        struct $op;

        impl $crate::kernels::elementwise::map::Map1 for $op {
            const HAS_SHORTCUT: bool = true;

            #[inline(always)]
            fn value<F: $crate::kernels::real::Real>($x: F) -> F {
                $value
            }

            #[inline(always)]
            fn derivative<F: $crate::kernels::real::Real>($x: F, $out: F) -> F {
                F::select(Self::allows_shortcut($out), Self::shortcut($out), $derivative)
            }

            #[inline(always)]
            fn allows_shortcut<F: $crate::kernels::real::Real>($y: F) -> bool {
                $allowed
            }

            #[inline(always)]
            fn shortcut<F: $crate::kernels::real::Real>($y: F) -> F {
                $shortcut
            }
        }

        impl $crate::ops::elementwise::Unary for $op {
            const NAME: &'static str = $name;
        }
    };
    ($op:ident, $name:literal, |$x:ident, $out:ident| $value:expr, no_grad) => {
        $crate::ops::elementwise::unary_op! { @ $op, $name, |$x, $out| $value, F::ZERO, 1 }
    };
    ($op:ident, $name:literal, |$x:ident, $out:ident| $value:expr, $derivative:expr) => {
        $crate::ops::elementwise::unary_op! { @ $op, $name, |$x, $out| $value, $derivative, 0 }
    };
    (@ $op:ident, $name:literal, |$x:ident, $out:ident| $value:expr, $derivative:expr, $no_grad:literal) => {
        struct $op;

        impl $crate::kernels::elementwise::map::Map1 for $op {
            #[inline(always)]
            fn value<F: $crate::kernels::real::Real>($x: F) -> F {
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn derivative<F: $crate::kernels::real::Real>($x: F, $out: F) -> F {
                $derivative
            }
        }

        impl $crate::ops::elementwise::Unary for $op {
            const NAME: &'static str = $name;
            const NO_GRAD: u32 = $no_grad;
        }
    };
}

/// Defines an operation of two operands, as [`unary_op`] does; the last expression is the pair of partial derivatives.
/// `passes_on` behind it has bit k set where that by operand k is one.
macro_rules! binary_op {
    ($op:ident, $name:literal, |$x:ident, $y:ident, $out:ident| $value:expr, no_grad) => {
        $crate::ops::elementwise::binary_op! { @ $op, $name, |$x, $y, $out| $value, (F::ZERO, F::ZERO), 3, 0,
            fn adjoint_x<F: $crate::kernels::real::Real>(_: [&[F]; 4], _: &mut [F], _: bool) {
                unreachable!("a mask has no derivative")
            }

            fn adjoint_y<F: $crate::kernels::real::Real>(_: [&[F]; 4], _: &mut [F], _: bool) {
                unreachable!("a mask has no derivative")
            }
        }
    };
    ($op:ident, $name:literal, |$x:ident, $y:ident, $out:ident| $value:expr, $partials:expr) => {
        $crate::ops::elementwise::binary_op! { @ $op, $name, |$x, $y, $out| $value, $partials, 0, 0, }
    };
    ($op:ident, $name:literal, |$x:ident, $y:ident, $out:ident| $value:expr, $partials:expr, passes_on $bits:literal) => {
        $crate::ops::elementwise::binary_op! { @ $op, $name, |$x, $y, $out| $value, $partials, 0, $bits, }
    };
    (@ $op:ident, $name:literal, |$x:ident, $y:ident, $out:ident| $value:expr, $partials:expr, $no_grad:literal,
        $passes_on:literal, $($adjoints:item)*) => {
        pub(super) struct $op;

        impl $op {
            /// Records the operation. What is generic over operands calls this, so that the kernels are compiled in this crate
            /// and not in each that uses the operation.
            #[track_caller]
            pub fn of<'t>(x: $crate::tape::var::Var<'t>, y: $crate::tape::var::Var<'t>) -> $crate::tape::var::Var<'t> {
                $crate::ops::elementwise::binary::<$op>(x, y)
            }
        }

        impl $crate::kernels::elementwise::map::Map2 for $op {
            #[inline(always)]
            fn value<F: $crate::kernels::real::Real>($x: F, $y: F) -> F {
                $value
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials<F: $crate::kernels::real::Real>($x: F, $y: F, $out: F) -> (F, F) {
                $partials
            }
        }

        impl $crate::ops::elementwise::Binary for $op {
            const NAME: &'static str = $name;
            const NO_GRAD: u32 = $no_grad;
            const PASSES_ON: u32 = $passes_on;

            $($adjoints)*
        }
    };
}

pub(crate) use {binary_op, unary_op};

struct UnaryOp<M>(PhantomData<M>);
struct BinaryOp<M>(PhantomData<M>);

/// Records `M` on `x`, or computes it if `x` is a constant.
pub fn unary<'t, M: Unary>(x: Var<'t>) -> Var<'t> {
    match x.tape() {
        None if x.is_refused() => x,
        None => Var::constant(M::value(x.value())),
        Some(tape) => tape.record(UnaryOp::<M>::DEF, &[x], &[], &x.dims(), &x.event_shape(), 0),
    }
}

/// Records `M` on `x` and `y`, broadcast against each other, or computes it if both are constants.
#[track_caller]
pub fn binary<'t, M: Binary>(x: Var<'t>, y: Var<'t>) -> Var<'t> {
    let Some(tape) = tape_of(&[x, y]) else {
        let refused = [x, y].into_iter().find(|v| v.is_refused());
        return refused.unwrap_or_else(|| Var::constant(M::value(x.value(), y.value())));
    };
    if let Some(out) = repeat::<M>(tape, x, y) {
        return out;
    }
    match align(M::NAME, &[x, y], Place::here()) {
        Some(a) => a.tape.record(BinaryOp::<M>::DEF, &a.args, &[], &a.dims, &a.event, 0),
        None => Var::constant(f64::NAN),
    }
}

impl<M: Unary> Op for UnaryOp<M> {
    const NAME: &'static str = M::NAME;
    const NO_GRAD: u32 = M::NO_GRAD;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        map1::<M, F>(call.x(0), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        if let Some(d_x) = call.grad(0) {
            map1_adjoint::<M, F>(call.x(0), call.y(), call.d_out(), d_x.slice, d_x.overwrite);
        }
    }
}

impl<M: Binary> Op for BinaryOp<M> {
    const NAME: &'static str = M::NAME;
    const NO_GRAD: u32 = M::NO_GRAD;
    const PASSES_ON: u32 = M::PASSES_ON;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        map2::<M, F>(call.x(0), call.x(1), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let values = [call.x(0), call.x(1), call.y(), call.d_out()];
        if let Some(d_x) = call.grad(0) {
            M::adjoint_x(values, d_x.slice, d_x.overwrite);
        }
        if let Some(d_y) = call.grad(1) {
            M::adjoint_y(values, d_y.slice, d_y.overwrite);
        }
    }
}
