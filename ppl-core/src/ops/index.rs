//! Indexing: `x[2]` by a number, `x[z]` by a value, `x[i]` by the index of a plate, along the first event axis.
//!
//! `Index` returns a reference, so that the handle of the result is kept on the tape.

use std::ops::Index;

use crate::ops::align::tape_of;
use crate::ops::gather::gather;
use crate::ops::plates::take_rows;
use crate::ops::slice::element;
use crate::tape::var::{Ix, Var};

impl<'t> Index<usize> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the element, or the row of a matrix, along the first event axis.
    #[track_caller]
    fn index(&self, i: usize) -> &Var<'t> {
        match self.tape() {
            Some(tape) if tape.is_missing(*self) => tape.hold(tape.index_missing(*self, Some(i))),
            Some(tape) => tape.hold(element(*self, i)),
            None => {
                element(*self, i);
                self
            }
        }
    }
}

impl<'t> Index<Var<'t>> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the elements along the first event axis that the rounded numbers of `z` pick ([`gather`]).
    #[track_caller]
    fn index(&self, z: Var<'t>) -> &Var<'t> {
        let out = gather(*self, z);
        match tape_of(&[*self, z]) {
            Some(tape) => tape.hold(out),
            None => self,
        }
    }
}

impl<'t> Index<Ix<'t>> for Var<'t> {
    type Output = Var<'t>;

    /// Returns the element of each row of the plate ([`take_rows`]).
    #[track_caller]
    fn index(&self, i: Ix<'t>) -> &Var<'t> {
        if i.tape.is_missing(*self) {
            return i.tape.hold(i.tape.index_missing(*self, None));
        }
        i.tape.hold(take_rows(*self, i))
    }
}

#[cfg(test)]
mod tests {
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
