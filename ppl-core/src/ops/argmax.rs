//! Where the largest and the smallest element of a row stands.

use std::marker::PhantomData;

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::ops::permute::axis_last;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;

/// Which element is looked for.
trait Which: 'static {
    /// The unique name.
    const NAME: &'static str;

    /// Returns whether `x` takes the place of `best`.
    fn is_better<F: Real>(x: F, best: F) -> bool;
}

struct Largest;

impl Which for Largest {
    const NAME: &'static str = "argmax";

    fn is_better<F: Real>(x: F, best: F) -> bool {
        x > best
    }
}

struct Smallest;

impl Which for Smallest {
    const NAME: &'static str = "argmin";

    fn is_better<F: Real>(x: F, best: F) -> bool {
        x < best
    }
}

/// The place in each row of as many elements as attribute 0.
struct PlaceInRows<W>(PhantomData<W>);

impl<W: Which> Op for PlaceInRows<W> {
    const NAME: &'static str = W::NAME;
    const NO_GRAD: u32 = 1;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        for (row, out) in x.chunks_exact(call.attr(0) as usize).zip(out) {
            let better = |best: usize, i: usize| {
                let is_first_nan = row[i].is_nan() && !row[best].is_nan();
                if is_first_nan || W::is_better(row[i], row[best]) {
                    i
                } else {
                    best
                }
            };
            *out = F::from_f64((0..row.len()).reduce(better).unwrap_or(0) as f64);
        }
    }

    fn backward<F: Real>(_: &mut Call<'_, F>) {}
}

#[track_caller]
fn place_of<'t, W: Which>(x: Var<'t>) -> Var<'t> {
    match x.event_shape().len() {
        1 => place_along::<W>(x, 0),
        0 => refuse(W::NAME, &[x], &[], "a scalar has no elements"),
        n => {
            let message = format!("along which axis? Write `{}_axis({})` for the last one", W::NAME, n - 1);
            refuse(W::NAME, &[x], &[], &message)
        }
    }
}

#[track_caller]
fn place_along<'t, W: Which>(x: Var<'t>, axis: usize) -> Var<'t> {
    let event = x.event_shape();
    let (Some(tape), Some(&n)) = (x.tape(), event.get(axis)) else {
        return refuse(W::NAME, &[x], &[], &format!("there is no axis {axis}"));
    };
    if n == 0 {
        return refuse(W::NAME, &[x], &[], "of no elements none is the first");
    }
    let (rows, rest) = axis_last(x, axis);
    tape.record(PlaceInRows::<W>::DEF, &[rows], &[n as u64], &x.dims(), &rest, 0)
}

impl<'t> Var<'t> {
    /// Returns the number of the largest element of a vector, from zero: of the first among equals, and of the first NaN.
    ///
    /// It is a value without a derivative: `table[x.argmax()]` picks by it, in a plate by that of each row, and the program is
    /// still replayed; `x.argmax().index()` reads it as a `usize`, with which the program is recorded anew.
    ///
    /// ```
    /// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
    /// # let tape = Tape::new(Precision::F64, Key::new(1));
    /// let x = tape.input(0, &[], &[3], &[1.0, 5.0, 3.0], false);
    /// assert_eq!((x.argmax().index(), x[x.argmin()].value()), (1, 1.0));
    /// ```
    #[track_caller]
    pub fn argmax(self) -> Var<'t> {
        place_of::<Largest>(self)
    }

    /// Returns the number of the smallest element of a vector, as [`Var::argmax`] that of the largest.
    #[track_caller]
    pub fn argmin(self) -> Var<'t> {
        place_of::<Smallest>(self)
    }

    /// Returns the numbers of the largest elements along event axis `axis`, which the result no longer has.
    #[track_caller]
    pub fn argmax_axis(self, axis: usize) -> Var<'t> {
        place_along::<Largest>(self, axis)
    }

    /// Returns the numbers of the smallest elements along event axis `axis`, which the result no longer has.
    #[track_caller]
    pub fn argmin_axis(self, axis: usize) -> Var<'t> {
        place_along::<Smallest>(self, axis)
    }
}

#[cfg(test)]
mod tests {
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn the_first_among_equals_is_named() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[5], &[2.0, 5.0, -1.0, 5.0, -1.0], false);
        assert_eq!((x.argmax().elements(), x.argmin().elements()), (vec![1.0], vec![2.0]));
        assert_eq!(x.slice(..1).argmax().elements(), [0.0]);
    }

    #[test]
    fn axes_are_searched_one_by_one() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2, 3], &[2.0, 5.0, -1.0, 3.0, 4.0, -2.0], false);
        assert_eq!(x.argmax_axis(0).elements(), [1.0, 0.0, 0.0]);
        assert_eq!(x.argmax_axis(1).elements(), [1.0, 1.0]);
        assert_eq!(x.argmin_axis(1).elements(), [2.0, 2.0]);
        assert!(x.argmax().value().is_nan());
        let text = tape.take_error().expect("an error").to_string();
        assert!(
            text.ends_with("along which axis? Write `argmax_axis(1)` for the last one: [2, 3]"),
            "{text}"
        );
    }

    #[test]
    fn the_first_nan_is_the_place() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[4], &[2.0, f64::NAN, 9.0, f64::NAN], false);
        assert_eq!((x.argmax().elements(), x.argmin().elements()), (vec![1.0], vec![1.0]));
        assert_eq!(x.rev().argmax().elements(), [0.0]);
    }

    #[test]
    fn it_depends_on_its_argument_without_a_derivative() {
        use crate::ops::sum::SumTerm;
        use crate::tape::{gradient::gradient, op::Op};
        use crate::testing::op_check::check_recording;
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[3], &[2.0, 5.0, -1.0], false);
        tape.term(SumTerm::DEF, &[x[x.argmax()] * x.argmin()], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [0.0, 2.0, 0.0]);
        check_recording(&tape);
    }
}
