//! Indexing: `x[2]`, `x[z]` by a value, `x[i]` by the index of a plate, `x[1..]`, and several axes by `x[(i, 0)]`.
//!
//! `Index` returns a reference, so that the handle of the result is kept on the tape.

use std::ops::{Index, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use smallvec::SmallVec;

use crate::ops::align::refuse;
use crate::ops::gather::gather;
use crate::ops::plates::take_rows;
use crate::ops::slice::element;
use crate::tape::missing::Step;
use crate::tape::record::Tape;
use crate::tape::var::{Ix, Var};

/// What picks along one axis: a number, a value, the index of a plate, a range of numbers.
#[diagnostic::on_unimplemented(
    message = "a value of the model cannot be indexed by `{Self}`",
    label = "neither a number nor a value, a plate's index or a range",
    note = "numbers are `usize`; several axes are indexed by a tuple: `x[(i, 0)]`, `x[(.., 1)]`; from the end on by `x.rev()`"
)]
pub trait Pick<'t>: Sized {
    /// Returns what is picked along the first event axis, and how many axes stand in its place.
    #[track_caller]
    fn pick(self, x: Var<'t>) -> (Var<'t>, usize);

    /// Returns the tape of the index.
    fn tape(&self) -> Option<&'t Tape> {
        None
    }
}

impl<'t> Pick<'t> for usize {
    #[track_caller]
    fn pick(self, x: Var<'t>) -> (Var<'t>, usize) {
        let Some(tape) = x.tape() else {
            return (element(x, self), 0);
        };
        let (x, step) = (tape.filled(x), Step::Element(self));
        let picked = match tape.partly(x) {
            _ if tape.is_missing(x) => tape.index_missing(x, step),
            Some(_) => tape.index_partly(x, step, |x| element(x, self)),
            None => element(x, self),
        };
        (picked, 0)
    }
}

impl<'t> Pick<'t> for Var<'t> {
    #[track_caller]
    fn pick(self, x: Var<'t>) -> (Var<'t>, usize) {
        (gather(x, self), self.event_shape().len())
    }

    fn tape(&self) -> Option<&'t Tape> {
        Var::tape(*self)
    }
}

impl<'t> Pick<'t> for Ix<'t> {
    #[track_caller]
    fn pick(self, x: Var<'t>) -> (Var<'t>, usize) {
        let (tape, x) = (self.tape, self.tape.filled(x));
        let picked = match tape.partly(x) {
            Some(_) => tape.index_partly(x, Step::Rows(self.dim), |x| take_rows(x, self)),
            None => take_rows(x, self),
        };
        (picked, 0)
    }

    fn tape(&self) -> Option<&'t Tape> {
        Some(self.tape)
    }
}

macro_rules! ranges {
    ($($t:ty),*) => {$(
        impl<'t> Pick<'t> for $t {
            #[track_caller]
            fn pick(self, x: Var<'t>) -> (Var<'t>, usize) {
                (x.slice(self), 1)
            }
        }

        impl<'t> Index<$t> for Var<'t> {
            type Output = Var<'t>;

            /// Returns the elements of a range along the first event axis, as [`Var::slice`] does.
            #[track_caller]
            fn index(&self, range: $t) -> &Var<'t> {
                keep(self, None, self.slice(range))
            }
        }
    )*};
}

ranges!(
    Range<usize>,
    RangeFrom<usize>,
    RangeTo<usize>,
    RangeFull,
    RangeInclusive<usize>,
    RangeToInclusive<usize>
);

impl<'t> Index<usize> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the element, or the row of a matrix, along the first event axis.
    #[track_caller]
    fn index(&self, i: usize) -> &Var<'t> {
        keep(self, None, i.pick(*self).0)
    }
}

impl<'t> Index<Var<'t>> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the elements along the first event axis that the rounded numbers of `z` pick ([`gather`]).
    #[track_caller]
    fn index(&self, z: Var<'t>) -> &Var<'t> {
        keep(self, z.tape(), gather(*self, z))
    }
}

impl<'t> Index<Ix<'t>> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the element of each row of the plate ([`take_rows`]).
    #[track_caller]
    fn index(&self, i: Ix<'t>) -> &Var<'t> {
        keep(self, Some(i.tape), i.pick(*self).0)
    }
}

impl<'t, I: Pick<'t> + Copy, const N: usize> Index<[I; N]> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the element that indices of one kind pick along the first axes: `x[[2, 0]]`.
    #[track_caller]
    fn index(&self, picks: [I; N]) -> &Var<'t> {
        let tape = picks.iter().find_map(Pick::tape);
        let (mut x, mut axis) = (*self, 0);
        for pick in picks {
            (x, axis) = pick_along(x, axis, pick);
        }
        keep(self, tape, x)
    }
}

macro_rules! tuples {
    ($($t:ident $i:tt),*) => {
        impl<'t, $($t: Pick<'t>),*> Index<($($t,)*)> for Var<'t> {
            type Output = Var<'t>;

            /// Returns what the indices pick along the first axes, one each; a range keeps its axis.
            #[track_caller]
            fn index(&self, picks: ($($t,)*)) -> &Var<'t> {
                let tape = None$(.or(picks.$i.tape()))*;
                let (x, axis) = (*self, 0);
                $(let (x, axis) = pick_along(x, axis, picks.$i);)*
                let _ = axis;
                keep(self, tape, x)
            }
        }
    };
}

tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);

/// Returns what is picked along event axis `axis`, and the axis behind what stands in its place.
#[track_caller]
fn pick_along<'t>(x: Var<'t>, axis: usize, pick: impl Pick<'t>) -> (Var<'t>, usize) {
    let rank = x.event_shape().len();
    if axis == 0 {
        return pick.pick(x);
    }
    if axis >= rank {
        return (refuse("index", &[x], &[], &format!("there is no axis {axis}")), axis);
    }
    let mut order: SmallVec<[usize; 6]> = (0..rank).collect();
    order[..=axis].rotate_right(1);
    let (picked, n) = pick.pick(x.permute(&order));
    let mut order: SmallVec<[usize; 6]> = (0..picked.event_shape().len()).collect();
    let Some(moved) = order.get_mut(..n + axis) else {
        return (picked, axis);
    };
    moved.rotate_left(n);
    (picked.permute(&order), axis + n)
}

/// Lends the result of an index.
///
/// # Panics
///
/// If neither the value nor the index is on a tape: a plain number has no elements.
#[track_caller]
fn keep<'a, 't>(x: &'a Var<'t>, index: Option<&'t Tape>, out: Var<'t>) -> &'a Var<'t> {
    match x.tape().or(index) {
        Some(tape) => tape.hold(out),
        None => {
            assert!(
                x.as_constant().is_some_and(f64::is_nan),
                "a plain number is indexed: it has no elements"
            );
            x
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::s;

    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tape::var::Var;
    use crate::testing::op_check::data;

    #[test]
    fn numbers_and_values_pick_along_the_first_axis() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], false);
        let z = data(&tape, &[2], [2.0, 0.0]);
        assert_eq!(
            (x[1].event_shape().as_slice(), x[1].elements()),
            (&[2][..], vec![2.0, 3.0])
        );
        assert_eq!(x[2][1].elements(), [5.0]);
        assert_eq!(
            (x[z].event_shape().as_slice(), x[z].elements()),
            (&[2, 2][..], vec![4.0, 5.0, 0.0, 1.0])
        );
        assert_eq!(x[z[0]].elements(), [4.0, 5.0]);
    }

    #[test]
    fn an_index_that_single_precision_cannot_tell_from_its_neighbour_is_refused() {
        let limit = 1 << 24;
        let pick = |precision, index: usize| {
            let tape = Tape::new(precision, Key::new(1));
            let x = tape.data(&[limit + 2], |_| ());
            let z = data(&tape, &[1], [index as f64]);
            let picked = x[z].elements();
            tape.take_error().map_or(Ok(picked), |error| Err(error.to_string()))
        };
        assert_eq!(pick(Precision::F64, limit + 1), Ok(vec![0.0]));
        assert_eq!(pick(Precision::F32, limit - 1), Ok(vec![0.0]));
        let error = pick(Precision::F32, limit + 1).unwrap_err();
        let message = "element 16777216 is asked for, and single precision tells apart those below 16777216: use f64";
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn an_index_out_of_range_is_refused_with_both_numbers() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[3], &[0.0, 1.0, 2.0], false);
        let z = data(&tape, &[2], [2.0, 3.0]);
        assert!(x[3].value().is_nan());
        let line = line!() - 1;
        let want = format!(
            "index ({}:{line}): element 3 of the array is asked for, and its first axis has 3, from 0 on: [3]",
            file!()
        );
        assert_eq!(tape.take_error().unwrap().to_string(), want);
        assert!(x[z].value().is_nan());
        let line = line!() - 1;
        let want = format!(
            "index ({}:{line}): element 3 of the array is asked for by element 1 of the index, and its first axis has 3, \
             from 0 on: [3] and [2]",
            file!()
        );
        assert_eq!(tape.take_error().unwrap().to_string(), want);
    }

    #[test]
    fn ranges_and_several_axes_pick_as_arrays_do() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let values: Vec<f64> = (0..24).map(f64::from).collect();
        let x = tape.input(0, &[], &[2, 3, 4], &values, false);
        let array = ndarray::Array::from_shape_vec((2, 3, 4), values).unwrap();
        let z = data(&tape, &[2], [2.0, 0.0]);
        let check = |got: Var<'_>, want: ndarray::ArrayViewD<'_, f64>| {
            assert_eq!(got.event_shape().as_slice(), want.shape());
            assert_eq!(got.elements(), want.iter().copied().collect::<Vec<_>>());
        };
        check(x[1..], array.slice(s![1.., .., ..]).into_dyn());
        check(x[..1], array.slice(s![..1, .., ..]).into_dyn());
        check(x[..=0], array.slice(s![..1, .., ..]).into_dyn());
        check(x[0..=1], array.view().into_dyn());
        check(x[1][1..2], array.slice(s![1, 1..2, ..]).into_dyn());
        check(x[..], array.view().into_dyn());
        check(x[[1, 2]], array.slice(s![1, 2, ..]).into_dyn());
        check(x[[1, 2, 3]], array.slice(s![1, 2, 3]).into_dyn());
        check(x[(.., 1)], array.slice(s![.., 1, ..]).into_dyn());
        check(x[(1, .., 2..)], array.slice(s![1, .., 2..]).into_dyn());
        check(x[(.., 1.., 3)], array.slice(s![.., 1.., 3]).into_dyn());
        check(x.rev_axis(1)[(0, ..1)], array.slice(s![0, 2.., ..]).into_dyn());
        check(x[(.., z)], array.select(ndarray::Axis(1), &[2, 0]).view().into_dyn());
        check(
            x[(.., .., z)],
            array.select(ndarray::Axis(2), &[2, 0]).view().into_dyn(),
        );
        check(
            x[(1, z, 3)],
            array.select(ndarray::Axis(1), &[2, 0]).slice(s![1, .., 3]).into_dyn(),
        );
        assert_eq!(tape.take_error(), None);
        assert!(x[(0, 0, 0, 0)].value().is_nan());
        let text = tape.take_error().unwrap().to_string();
        assert!(text.ends_with("a scalar has no elements: []"), "{text}");
        assert!(x[(.., .., .., 0)].value().is_nan());
        let text = tape.take_error().unwrap().to_string();
        assert!(text.ends_with("there is no axis 3: [2, 3, 4]"), "{text}");
    }

    #[test]
    #[should_panic(expected = "a plain number is indexed: it has no elements")]
    fn a_plain_number_has_no_elements() {
        let _ = Var::from(2.0)[0];
    }

    #[test]
    fn parts_of_a_missing_observation_know_their_elements() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        for y in [tape.missing(None), tape.missing(Some(&[6, 2]))] {
            tape.fill_missing(y[2][1], Var::from(5.0));
            assert!(tape.is_missing(y[2][0]));
            assert_eq!(y[[2, 1]].elements(), [5.0]);
            assert_eq!(y[1..][1][1].elements(), [5.0]);
            assert_eq!(y[..5][1..4][(1, 1)].elements(), [5.0]);
            tape.fill_missing(y[3..], Var::from(7.0));
            assert_eq!((y[3..].elements(), tape.is_missing(y[..3])), (vec![7.0], true));
        }
        let y = tape.missing(Some(&[6, 2]));
        assert_eq!(y[1..].event_shape().as_slice(), [5, 2]);
        assert_eq!(y[1..][..3].event_shape().as_slice(), [3, 2]);
        assert_eq!(tape.take_error(), None);
        assert!(y[4..7].value().is_nan());
        let text = tape.take_error().unwrap().to_string();
        assert!(
            text.ends_with("the range 4..7 is asked for where axis 0 has 6: [6, 2]"),
            "{text}"
        );
    }

    #[test]
    fn an_element_of_a_missing_observation_is_missing_until_it_is_drawn() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let y = tape.missing(None);
        assert!(tape.is_missing(y[1]));
        tape.fill_missing(y[1], Var::from(5.0));
        assert_eq!((y[1].elements(), tape.is_missing(y[0])), (vec![5.0], true));
    }

    #[test]
    fn the_numbers_of_a_plate_in_order_are_another_name_for_the_axis() {
        use crate::tensor::dims::Dim;
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dim = |name: &str, len| Dim {
            name: name.into(),
            place: (file!(), 1),
            len,
            in_memory: len,
            full: len,
            rows: None,
            open: true,
        };
        let e = tape.open_dim(dim("z", 3));
        let x = tape.input(0, &[], &[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], false);
        let z = tape.alias(tape.constant_array(&[3], [0.0, 1.0, 2.0].into_iter()), &[e], &[]);
        let picked = x[z];
        assert_eq!(
            (picked.dims().as_slice(), picked.event_shape().as_slice()),
            (&[e][..], &[2][..])
        );
        assert_eq!(tape.records().nodes[picked.node() as usize].root, x.node());
        let reversed = x[2 - z];
        assert_eq!(reversed.elements(), [4.0, 5.0, 2.0, 3.0, 0.0, 1.0]);
    }
}
