//! Entering and leaving a plate: an event axis becomes a plate, and a plate an event axis.
//!
//! A value is stored plates first, in the order of their numbers, then event axes. A plate has a higher number than
//! those around it, so that mostly nothing moves: `a[i]` is then another name for the same elements.

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::ops::broadcast::broadcast_to;
use crate::ops::gather::gather;
use crate::ops::permute::permute_all;
use crate::tape::missing::Step;
use crate::tape::var::{Ix, Var};
use crate::tensor::dims::{Dims, union};
use crate::tensor::shape::Shape;

/// Returns for each row of the plate its element of `x` along the first event axis: the event `[n, …]` becomes `[…]`.
///
/// A plate of n rows takes all of them; a subsampled one gathers its batch by the row numbers in its data slot.
/// The errors are a plate that has ended, a scalar, a value that is in the plate already, and another number of rows.
#[track_caller]
pub fn take_rows<'t>(x: Var<'t>, plate: Ix<'t>) -> Var<'t> {
    let Ix { tape, dim } = plate;
    let info = tape.dim(dim);
    let name = &info.name;
    let place = Place::here();
    let wrong = |message: String| tape.fail(Error::Plate { place, message });
    let (dims, event) = (x.dims(), x.event_shape());
    let is_shapeless = tape.is_shapeless(x);
    if !info.open {
        return wrong(format!("plate `{name}` has ended: its index selects nothing any more"));
    }
    if is_shapeless {
        return tape.index_missing(x, Step::Rows(dim));
    }
    if dims.contains(&dim) {
        return wrong(format!(
            "the value has one element for each row of plate `{name}` already: do not index it again"
        ));
    }
    let Some(&n) = event.first() else {
        return match x.as_constant() {
            Some(value) if value.is_nan() => x,
            _ => wrong(format!("a scalar has no rows: index an array by plate `{name}`")),
        };
    };
    let rows = info.in_memory;
    if n != rows {
        let array = tape.called(x, "the array");
        return wrong(format!("{array} has {n} rows, plate `{name}` has {rows}"));
    }
    if tape.is_missing(x) {
        return tape.index_missing(x, Step::Rows(dim));
    }
    if let Some(slot) = info.rows {
        let picks = Var::on(tape, tape.records().slots[slot as usize]);
        return gather(x, tape.alias(picks, &[dim], &[]));
    }
    let axis = dims.partition_point(|&other| other < dim);
    let mut order: SmallVec<[usize; 6]> = (0..dims.len() + event.len()).collect();
    order[axis..=dims.len()].rotate_right(1);
    permute_all(tape, x, &order, &union(&dims, &[dim]))
}

/// Returns the value with the plate as its first event axis: the inverse of [`take_rows`] of a whole plate.
///
/// A value that does not depend on the plate is repeated for each of its rows.
pub fn leave<'t>(x: Var<'t>, plate: Ix<'t>) -> Var<'t> {
    let Ix { tape, dim } = plate;
    let x = tape.lift(x);
    let (dims, event) = (x.dims(), x.event_shape());
    let Some(place) = dims.iter().position(|&own| own == dim) else {
        let mut with_axis = Shape::from_slice(&[1]);
        with_axis.extend_from_slice(&event);
        let row = tape.alias(x, &dims, &with_axis);
        with_axis[0] = tape.dim(dim).len;
        return broadcast_to(tape, row, &dims, &with_axis);
    };
    let mut order: SmallVec<[usize; 6]> = (0..dims.len() + event.len()).collect();
    order[place..dims.len()].rotate_left(1);
    let rest: Dims = dims.iter().copied().filter(|&own| own != dim).collect();
    permute_all(tape, x, &order, &rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::dims::Dim;
    use crate::testing::op_check::{check_recording, data};

    fn tape() -> Tape {
        Tape::new(Precision::F64, Key::new(1))
    }

    fn open<'t>(tape: &'t Tape, name: &str, len: usize, full: usize, rows: Option<u32>) -> Ix<'t> {
        let dim = Dim {
            name: name.into(),
            place: (file!(), line!()),
            len,
            in_memory: if rows.is_some() { full } else { len },
            full,
            rows,
            open: true,
        };
        Ix {
            tape,
            dim: tape.open_dim(dim),
        }
    }

    fn count(n: usize) -> Vec<f64> {
        (0..n).map(|i| i as f64).collect()
    }

    fn message<'t>(tape: &'t Tape, value: Var<'t>) -> String {
        assert!(
            value.as_constant().is_some_and(f64::is_nan),
            "a refused operation gives NaN"
        );
        tape.take_error().expect("an error is kept").to_string()
    }

    #[test]
    fn indexing_by_plates_in_any_order_selects_the_same_element() {
        let tape = tape();
        let y = tape.input(0, &[], &[3, 2], &count(6), false);
        let (i, j) = (open(&tape, "i", 3, 3, None), open(&tape, "j", 2, 2, None));
        let in_order = y[i][j];
        assert_eq!(
            (in_order.dims().as_slice(), in_order.event_shape().len()),
            (&[0, 1][..], 0)
        );
        assert_eq!(in_order.elements(), count(6));
        let exchanged = y.t()[j][i];
        assert_eq!(exchanged.dims().as_slice(), [0, 1]);
        assert_eq!(exchanged.elements(), count(6));
        tape.term(
            SumTerm::DEF,
            &[(exchanged * in_order + exchanged.exp()) * y[i][j]],
            &[],
            0,
            1.0,
            0,
        );
        check_recording(&tape);
    }

    #[test]
    fn a_whole_plate_moves_nothing() {
        let tape = tape();
        let y = tape.input(0, &[], &[3, 2], &count(6), false);
        let i = open(&tape, "i", 3, 3, None);
        let row = y[i];
        let back = leave(row, i);
        let records = tape.records();
        assert_eq!(records.nodes[row.node() as usize].root, y.node());
        assert_eq!(records.nodes[back.node() as usize].root, y.node());
        assert_eq!((back.dims().len(), back.event_shape().as_slice()), (0, &[3, 2][..]));
    }

    #[test]
    fn leaving_the_outer_plate_first_transposes() {
        let tape = tape();
        let y = tape.input(0, &[], &[3, 2], &count(6), false);
        let (i, j) = (open(&tape, "i", 3, 3, None), open(&tape, "j", 2, 2, None));
        let out = leave(leave(y[i][j], i), j);
        assert_eq!((out.dims().len(), out.event_shape().as_slice()), (0, &[2, 3][..]));
        assert_eq!(out.elements(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    }

    #[test]
    fn a_value_without_the_plate_leaves_it_repeated() {
        let tape = tape();
        let y = tape.input(0, &[], &[2], &count(2), false);
        let (i, j) = (open(&tape, "i", 2, 2, None), open(&tape, "j", 3, 3, None));
        let out = leave(y[i], j);
        assert_eq!(
            (out.dims().as_slice(), out.event_shape().as_slice()),
            (&[0][..], &[3][..])
        );
        assert_eq!(out.elements(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(leave(Var::from(7), j).elements(), [7.0, 7.0, 7.0]);
    }

    #[test]
    fn a_subsampled_plate_gathers_its_batch() {
        for outer_first in [true, false] {
            let tape = tape();
            let y = tape.input(0, &[], &[2, 4, 3], &count(24), false);
            let rows = data(&tape, &[2], [3.0, 1.0]);
            let slot = tape.records().attrs(rows.node())[0] as u32;
            let value = if outer_first {
                let i = open(&tape, "i", 2, 2, None);
                let j = open(&tape, "j", 2, 4, Some(slot));
                y[i][j]
            } else {
                let j = open(&tape, "j", 2, 4, Some(slot));
                let i = open(&tape, "i", 2, 2, None);
                y[i][j]
            };
            assert_eq!(
                (value.dims().as_slice(), value.event_shape().as_slice()),
                (&[0, 1][..], &[3][..])
            );
            let row = |i: usize, j: usize| (0..3).map(move |k| ((i * 4 + [3, 1][j]) * 3 + k) as f64);
            let want: Vec<f64> = (0..4)
                .flat_map(|r| {
                    if outer_first {
                        row(r / 2, r % 2)
                    } else {
                        row(r % 2, r / 2)
                    }
                })
                .collect();
            assert_eq!(value.elements(), want);
            tape.term(SumTerm::DEF, &[value * value], &[], 0, 1.0, 0);
            check_recording(&tape);
        }
    }

    #[test]
    fn wrong_rows_scalars_double_and_late_indexing_are_refused_by_name() {
        let tape = tape();
        let i = open(&tape, "i", 3, 3, None);
        let (y, short) = (
            tape.input(0, &[], &[3, 3], &count(9), false),
            tape.input(9, &[], &[2], &count(2), false),
        );
        let place = |line: u32| format!("{}:{line}: ", file!());
        let text = message(&tape, short[i]);
        assert_eq!(text, place(line!() - 1) + "the array has 2 rows, plate `i` has 3");
        let text = message(&tape, y[i][i]);
        assert!(
            text.ends_with("each row of plate `i` already: do not index it again"),
            "{text}"
        );
        let text = message(&tape, short.sum()[i]);
        assert!(
            text.ends_with("a scalar has no rows: index an array by plate `i`"),
            "{text}"
        );
        tape.close_dim(i.dim);
        let text = message(&tape, y[i]);
        assert!(
            text.ends_with("plate `i` has ended: its index selects nothing any more"),
            "{text}"
        );
    }

    #[test]
    fn after_an_error_nan_can_be_indexed_and_the_first_error_stays() {
        let tape = tape();
        let i = open(&tape, "i", 3, 3, None);
        let short = tape.input(0, &[], &[2], &count(2), false);
        let poisoned = short[i];
        let later = poisoned[i][1] + poisoned[short];
        assert!(message(&tape, later).contains("the array has 2 rows"));
    }
}
