//! The largest and the smallest element over the event axes.

use std::marker::PhantomData;

use crate::kernels::real::Real;
use crate::kernels::reduce::sums::max;
use crate::ops::align::refuse;
use crate::ops::permute::axis_last;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Which element of a row is wanted.
trait Extreme: 'static {
    /// The unique name.
    const NAME: &'static str;

    /// Returns that element, or NaN if one is NaN.
    fn of<F: Real>(row: &[F]) -> F;
}

struct Largest;

impl Extreme for Largest {
    const NAME: &'static str = "max";

    fn of<F: Real>(row: &[F]) -> F {
        max(row)
    }
}

struct Smallest;

impl Extreme for Smallest {
    const NAME: &'static str = "min";

    fn of<F: Real>(row: &[F]) -> F {
        row.iter().fold(F::INFINITY, |least, &x| least.min(x))
    }
}

/// The element `E` of each row; among equals the first has the derivative.
struct ExtremeOfRows<E>(PhantomData<E>);

impl<E: Extreme> Op for ExtremeOfRows<E> {
    const NAME: &'static str = E::NAME;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = x.len().checked_div(out.len()).unwrap_or(0);
        for (row, out) in out.iter_mut().enumerate() {
            *out = E::of(&x[row * n..][..n]);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, d_out) = (call.x(0), call.y(), call.d_out());
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            let n = x.len().checked_div(y.len()).unwrap_or(0);
            for (row, (&y, &d)) in y.iter().zip(d_out).enumerate() {
                if let Some(first) = x[row * n..][..n].iter().position(|&x| x == y) {
                    d_x[row * n + first] += d;
                }
            }
        }
    }
}

/// Records the operation along an axis, which the result no longer has.
#[track_caller]
fn extreme_along<'t, E: Extreme>(op: &'static str, x: Var<'t>, axis: usize) -> Var<'t> {
    let Some(tape) = x.tape().filter(|_| axis < x.event_shape().len()) else {
        return refuse(op, &[x], &[], &format!("there is no axis {axis}"));
    };
    let (rows, rest) = axis_last(x, axis);
    match x.event_shape()[axis] {
        1 => x.reshape(&rest),
        _ => tape.record(ExtremeOfRows::<E>::DEF, &[rows], &[], &x.dims(), &rest, 0),
    }
}

/// Records the operation; a single element is its own extreme.
fn extreme<'t, E: Extreme>(x: Var<'t>) -> Var<'t> {
    match x.tape() {
        Some(tape) if size(&x.event_shape()) != 1 => tape.record(ExtremeOfRows::<E>::DEF, &[x], &[], &x.dims(), &[], 0),
        _ => x.sum(),
    }
}

impl<'t> Var<'t> {
    /// Returns the largest element over all event axes: −∞ of none, NaN if one is NaN.
    ///
    /// Among equals the derivative goes to the first. Inside a plate each row has its own; of two values the
    /// largest is [`Var::maximum`].
    pub fn max(self) -> Var<'t> {
        extreme::<Largest>(self)
    }

    /// Returns the smallest element over all event axes: +∞ of none, NaN if one is NaN.
    ///
    /// Among equals the derivative goes to the first. Inside a plate each row has its own; of two values the
    /// smallest is [`Var::minimum`].
    pub fn min(self) -> Var<'t> {
        extreme::<Smallest>(self)
    }

    /// Returns the largest elements along event axis `axis`, which the result no longer has, as [`Var::max`] does.
    ///
    /// For axis 0, x: `[m, n]` gives `[n]`.
    ///
    /// ```
    /// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
    /// # let tape = Tape::new(Precision::F64, Key::new(1));
    /// let x = tape.input(0, &[], &[2, 2], &[1.0, 5.0, 3.0, 4.0], false);
    /// assert_eq!((x.max_axis(0)[0].value(), x.min_axis(1)[0].value()), (3.0, 1.0));
    /// ```
    #[track_caller]
    pub fn max_axis(self, axis: usize) -> Var<'t> {
        extreme_along::<Largest>("max_axis", self, axis)
    }

    /// Returns the smallest elements along event axis `axis`, which the result no longer has, as [`Var::min`] does.
    #[track_caller]
    pub fn min_axis(self, axis: usize) -> Var<'t> {
        extreme_along::<Smallest>("min_axis", self, axis)
    }
}

#[cfg(test)]
op_tests! { largest |x| x[0].max(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [2.0] }
#[cfg(test)]
op_tests! { smallest |x| x[0].min(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [2.0] }
#[cfg(test)]
op_tests! { along_axes |x| x[0].max_axis(0) + x[0].max_axis(1)[0] - x[0].min_axis(0) * x[0].min_axis(1)[1];
[[[1.0, 2.0], [4.0, -3.0], [0.5, 7.0]]], [[[1.0, 2.0], [4.0, -3.0]]] }
#[cfg(test)]
op_tests! { along_the_middle |x| x[0].reshape(&[2, 3, 2]).max_axis(1) + x[0].reshape(&[2, 1, 6]).min_axis(1).sum_axis(1)[0];
[Arg::random(&[12], 1)] }

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tape::var::Var;

    const BOTH: [for<'t> fn(Var<'t>) -> Var<'t>; 2] = [|x| x.max(), |x| x.min()];

    #[test]
    fn among_equals_the_first_has_the_derivative() {
        for extreme in BOTH {
            let tape = Tape::new(Precision::F64, Key::new(1));
            let x = tape.input(0, &[], &[4], &[2.0, 2.0, 2.0, 2.0], false);
            tape.term(SumTerm::DEF, &[extreme(x)], &[], 0, 1.0, 0);
            assert_eq!(gradient(&tape), [1.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn a_nan_anywhere_is_the_answer() {
        for extreme in BOTH {
            let tape = Tape::new(Precision::F64, Key::new(1));
            let x = tape.input(0, &[], &[3], &[2.0, f64::NAN, 3.0], false);
            assert!(extreme(x).elements()[0].is_nan());
        }
    }

    #[test]
    fn of_no_elements_they_are_infinite() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[0], &[], false);
        let both: Vec<f64> = BOTH.iter().flat_map(|extreme| extreme(x).elements()).collect();
        assert_eq!(both, [f64::NEG_INFINITY, f64::INFINITY]);
    }
}
