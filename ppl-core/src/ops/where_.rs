//! Selection by a mask: one of two values for each element.

use crate::error::Place;
use crate::kernels::real::Real;
use crate::ops::align::{align, tape_of};
use crate::ops::param::{Operand, Param};
use crate::tape::call::{Call, Grad};
use crate::tape::op::Op;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

struct Where;

impl Op for Where {
    const NAME: &'static str = "where_";
    const NO_GRAD: u32 = 1;
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (mask, a, b) = (call.x(0), call.x(1), call.x(2));
        for (i, out) in call.out().iter_mut().enumerate() {
            let m = at(mask, i);
            *out = F::select(m == F::ZERO, at(b, i), F::select(m.is_nan(), m, at(a, i)));
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (mask, d_out) = (call.x(0), call.d_out());
        if let Some(d_a) = call.grad(1) {
            spread(d_a, d_out, |i| at(mask, i) != F::ZERO);
        }
        if let Some(d_b) = call.grad(2) {
            spread(d_b, d_out, |i| at(mask, i) == F::ZERO);
        }
    }
}

/// Returns element `i`, or the only one.
#[inline(always)]
fn at<F: Real>(x: &[F], i: usize) -> F {
    if x.len() == 1 { x[0] } else { x[i] }
}

/// Writes the adjoint of the elements that were chosen; the others get zero by selection, never by a product.
fn spread<F: Real>(mut d_x: Grad<'_, F>, d_out: &[F], chosen: impl Fn(usize) -> bool) {
    let part = |i: usize| F::select(chosen(i), d_out[i], F::ZERO);
    if d_x.slice.len() == d_out.len() {
        (0..d_out.len()).for_each(|i| d_x.put(i, part(i)));
    } else {
        let sum: f64 = (0..d_out.len()).map(|i| part(i).to_f64()).sum();
        d_x.put(0, F::from_f64(sum));
    }
}

/// Returns `a` where the mask is not zero and `b` elsewhere, elementwise and broadcast; masks come from `x.gt(y)`. Where the
/// mask is NaN, so is the result.
///
/// ```
/// # use ppl_core::{ops::where_::where_, tape::var::Var};
/// assert_eq!(where_(Var::from(2.0).gt(1.0), 10.0, 20.0).value(), 10.0);
/// ```
///
/// Both branches are computed everywhere, and the adjoint of the one that is not chosen is zero. Where the derivative of
/// that branch is infinite or NaN, zero times it is NaN: in `where_(x.gt(0), x.ln(), 0)` the value at x = 0 is right and
/// the gradient is not. Keep the operand away from there as well, by a `where_` of its own:
///
/// ```
/// # use ppl_core::ops::{sum::SumTerm, where_::where_};
/// # use ppl_core::rng::Key;
/// # use ppl_core::tape::{gradient::gradient, op::Op, record::Tape, store::Precision};
/// let tape = Tape::new(Precision::F64, Key::new(1));
/// let x = tape.input(0, &[], &[2], &[0.0, 4.0], false);
/// let is_positive = x.gt(0);
/// let log = where_(is_positive, where_(is_positive, x, 1).ln(), 0);
/// assert_eq!(log[0].value(), 0.0);
/// tape.term(SumTerm::DEF, &[log], &[], 0, 1.0, 0);
/// assert_eq!(gradient(&tape), [0.0, 0.25]);
/// ```
#[track_caller]
pub fn where_<'t>(mask: impl Operand<'t>, a: impl Operand<'t>, b: impl Operand<'t>) -> Var<'t> {
    choose([mask.into_param(), a.into_param(), b.into_param()])
}

#[track_caller]
fn choose<'t>(args: [Param<'t>; 3]) -> Var<'t> {
    let tape = args.iter().find_map(Param::tape);
    let place = Place::here();
    let args = args.map(|x| x.on_any(tape, place));
    if tape_of(&args).is_none() {
        let mask = args[0].as_constant().unwrap_or(f64::NAN);
        return match mask {
            0.0 => args[2],
            m if m.is_nan() => args[0],
            _ => args[1],
        };
    }
    match align(Where::NAME, &args, place) {
        Some(a) => a.tape.record(Where::DEF, &a.args, &[], &a.dims, &a.event, 0),
        None => Var::constant(f64::NAN),
    }
}

#[cfg(test)]
op_tests! { |x| where_(x[0].gt(x[1]), x[0] * 2, x[1].exp()); [1.5, -2.0], [0.25, 3.0], [-4.0, 0.5] }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn where_the_mask_is_nan_the_result_is_too() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let mask = tape.constant_array(&[3], [1.0, f64::NAN, 0.0].into_iter());
        let out = where_(mask, 5.0, 7.0).elements();
        assert_eq!((out[0], out[1].is_nan(), out[2]), (5.0, true, 7.0));
        assert!(where_(f64::NAN, 5.0, 7.0).value().is_nan());
    }

    #[test]
    fn a_nan_in_the_other_branch_reaches_neither_value_nor_gradient() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[f64::NAN, 4.0], false);
        let out = where_(x.gt(0.0), x * 3, 7.0);
        assert_eq!(out.elements(), [7.0, 12.0]);
        tape.term(SumTerm::DEF, &[out], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [0.0, 3.0]);
    }

    #[test]
    fn an_infinite_adjoint_of_the_other_branch_is_zero() {
        // √0 has an infinite derivative, which a product with the mask would make NaN.
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[3.0, 4.0], false);
        tape.term(SumTerm::DEF, &[where_(x.gt(3.5), x, 0.0).sqrt()], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [0.0, 0.25]);
    }
}
