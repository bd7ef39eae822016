//! What operations answer to shapes that they cannot work with: one error with the operation, the place and the shapes.

use crate::ops::concat::{concat, stack};
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
    refused(|x, y| stack(&[x, y]), "stack", "the shapes differ: [2, 3] and [2]");
    refused(|x, y| concat(&[x, y]), "concat", "the shapes differ: [2, 3] and [2]");
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
