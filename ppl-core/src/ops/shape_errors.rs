//! What operations answer to shapes that they cannot work with: one error with the operation, the place and the shapes.

use crate::ops::diag::diag_matrix;
use crate::ops::join::{concat, concat_axis, stack};
use crate::ops::where_::where_;
use crate::rng::Key;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;

/// Asserts that `f` of a matrix [2, 3] and a vector [2] gives NaN, and an error with this text around the place.
fn refused(f: for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>, op: &str, text: &str) {
    let tape = Tape::new(Precision::F64, Key::new(1));
    let x = tape.input(0, &[], &[2, 3], &[1.0; 6], false);
    let y = tape.input(6, &[], &[2], &[1.0; 2], false);
    assert!(f(x, y).as_constant().is_some_and(f64::is_nan), "{op} gives no NaN");
    let error = tape.take_error().expect("an error is kept").to_string();
    let (head, tail) = error.split_once("): ").expect("the place is in parentheses");
    assert_eq!(tail, text);
    let place = head
        .strip_prefix(&format!("{op} ("))
        .unwrap_or_else(|| panic!("{head} does not begin with {op}"));
    assert!(place.starts_with(file!()), "{place} is not here");
    assert!(
        f(Var::from(f64::NAN), Var::from(f64::NAN)).value().is_nan(),
        "{op} does not pass NaN on after an error"
    );
}

#[test]
fn clashing_shapes_are_named_with_both() {
    let both = "the shapes do not broadcast: [2, 3] and [2]";
    refused(|x, y| x + y, "add", both);
    refused(|x, y| x.maximum(y), "maximum", both);
    refused(
        |x, y| where_(x, y, 1),
        "where_",
        "the shapes do not broadcast: [2, 3] and [2] and []",
    );
    refused(|x, y| stack([x, y]), "stack", "the shapes differ: [2, 3] and [2]");
    refused(|x, y| concat([x, y]), "concat", "the shapes differ: [2, 3] and [2]");
    refused(
        |x, y| concat_axis([x, y], 1),
        "concat",
        "the shapes differ: [2, 3] and [2]",
    );
}

#[test]
fn wrong_targets_are_named_with_the_shape() {
    let text = "the two shapes hold different numbers of elements: [2, 3] and [4]";
    refused(|x, _| x.reshape(&[4]), "reshape", text);
    refused(
        |x, _| x.broadcast(&[2]),
        "broadcast",
        "the shape does not broadcast to the other: [2, 3] and [2]",
    );
    let text = "the second list must name each axis of the first shape once: [2, 3] and [0, 0]";
    refused(|x, _| x.permute(&[0, 0]), "permute", text);
    refused(
        |x, _| x.slice(1..4),
        "slice",
        "the range 1..4 is asked for where axis 0 has 2: [2, 3]",
    );
    refused(|x, _| x.slice_axis(2, ..), "slice", "there is no axis 2: [2, 3]");
    refused(|x, _| x.sum_axis(2), "sum_axis", "there is no axis 2: [2, 3]");
    refused(|x, _| x.mean_axis(5), "sum_axis", "there is no axis 5: [2, 3]");
    refused(
        |x, _| x.log_sum_exp_axis(2),
        "log_sum_exp_axis",
        "there is no axis 2: [2, 3]",
    );
    let text = "over which axis? Write `log_sum_exp_axis(1)` for the last one, as softmax takes it, or \
                `reshape(&[6]).log_sum_exp()` for all: [2, 3]";
    refused(|x, _| x.log_sum_exp(), "log_sum_exp", text);
    refused(|x, _| x.max_axis(2), "max_axis", "there is no axis 2: [2, 3]");
    refused(|x, _| x.min_axis(2), "min_axis", "there is no axis 2: [2, 3]");
    refused(|x, _| x.rev_axis(2), "reverse", "there is no axis 2: [2, 3]");
    refused(|x, _| x.pad(2, 1, 1, 0), "pad", "there is no axis 2: [2, 3]");
    refused(
        |x, _| diag_matrix(x),
        "diag_matrix",
        "only a vector is a diagonal: [2, 3]",
    );
    refused(|x, _| x.diag(), "diag", "only a square matrix has a diagonal: [2, 3]");
    refused(
        |x, _| x.ln_det_tril(),
        "ln_det_tril",
        "only a square matrix has a determinant: [2, 3]",
    );
    refused(|x, _| x.sum().softmax(), "softmax", "a scalar has no last axis: []");
    refused(
        |x, _| x.sum().log_softmax(),
        "log_softmax",
        "a scalar has no last axis: []",
    );
    refused(|x, _| x.sum().cumsum(), "cumsum", "a scalar has no last axis: []");
}

#[test]
fn what_plain_numbers_cannot_do_is_an_error_on_the_first_tape() {
    let refused = [
        (
            stack([1.0, 2.0]),
            "stack",
            "of numbers alone no value of the model is made",
        ),
        (Var::from(1.0).softmax(), "softmax", "a scalar has no last axis"),
        (
            Var::from(1.0) * ndarray::array![1.0, 2.0],
            "array",
            "no value of the model takes part",
        ),
        (
            (Var::from(1.0).cumsum() * 2 - 1).exp(),
            "cumsum",
            "a scalar has no last axis",
        ),
        (where_(stack([1.0, 2.0]), 1, 2).maximum(3), "stack", "of numbers alone"),
    ];
    for (x, op, text) in refused {
        let tape = Tape::new(Precision::F32, Key::new(1));
        let y = tape.input(0, &[], &[], &[1.0], false);
        assert_eq!(tape.take_error(), None);
        assert!((y + x).value().is_nan());
        let error = tape.take_error().expect("an error is kept").to_string();
        assert!(
            error.starts_with(&format!("{op} ({}:", file!())) && error.contains(text),
            "{error}"
        );
    }
}

#[test]
#[should_panic(expected = "of numbers alone no value of the model is made")]
fn reading_what_plain_numbers_cannot_do_panics_with_the_remedy() {
    stack([1.0, 2.0]).value();
}
