//! Arrays from several values: `stack`, `concat` and padding.

use crate::ops::align::refuse;
use crate::ops::concat::{concat_on, stack_on, with_axis};
use crate::ops::param::{Operand, Param, Parts};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Returns the values of one shape along an axis of their own in front: n values `[m, …]` give `[n, m, …]`.
///
/// A tuple may mix numbers, arrays and values of the model: `stack((1, x))`. Inside a plate each row has its own.
///
/// ```
/// # use ppl_core::ops::join::stack;
/// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
/// let tape = Tape::new(Precision::F64, Key::new(1));
/// let x = tape.input(0, &[], &[2], &[3.0, 4.0], false);
/// assert_eq!(stack((1, x[0], x[1]))[2].value(), 4.0);
/// assert_eq!(stack(&[x, x * 2]).event_shape().as_slice(), [2, 2]);
/// ```
///
/// # Errors
///
/// Values of different shapes, and numbers alone, which no recording knows of, are an error at the next word of the
/// model: for these write an array, `array![1.0, 2.0]`.
#[track_caller]
pub fn stack<'t>(parts: impl Parts<'t>) -> Var<'t> {
    match on_tape("stack", parts) {
        Ok((tape, parts)) => stack_on(tape, &parts),
        Err(refused) => refused,
    }
}

/// Returns the values behind one another along the first event axis: `[n₀, …]`, `[n₁, …]`, … give `[n₀ + n₁ + …, …]`.
///
/// A scalar counts as a vector of one element: `concat((0, x))`. Inside a plate each row has its own. The errors are those
/// of [`stack`].
#[track_caller]
pub fn concat<'t>(parts: impl Parts<'t>) -> Var<'t> {
    match on_tape("concat", parts) {
        Ok((tape, mut parts)) => {
            for x in parts.iter_mut().filter(|x| x.event_shape().is_empty()) {
                *x = with_axis(tape, *x);
            }
            concat_on(tape, &parts, 0)
        }
        Err(refused) => refused,
    }
}

/// Returns the values behind one another along event axis `axis`; the lengths of all others agree.
///
/// For axis 1, `[m, n₀]` and `[m, n₁]` give `[m, n₀ + n₁]`. The errors are those of [`stack`], and an axis that is not there.
///
/// ```
/// # use ppl_core::ops::{diag::eye, join::concat_axis};
/// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
/// # let tape = Tape::new(Precision::F64, Key::new(1));
/// let x = tape.input(0, &[], &[2, 1], &[3.0, 4.0], false);
/// let design = concat_axis((eye(2), x), 1);
/// assert_eq!(design.event_shape().as_slice(), [2, 3]);
/// assert_eq!(design[(1, 2)].value(), 4.0);
/// ```
#[track_caller]
pub fn concat_axis<'t>(parts: impl Parts<'t>, axis: usize) -> Var<'t> {
    match on_tape("concat", parts) {
        Ok((tape, parts)) => concat_on(tape, &parts, axis),
        Err(refused) => refused,
    }
}

/// Returns the tape that one of the parts is on, and all parts on it.
#[track_caller]
fn on_tape<'t>(op: &'static str, parts: impl Parts<'t>) -> Result<(&'t Tape, Vec<Var<'t>>), Var<'t>> {
    let parts = parts.into_parts();
    match parts.iter().find_map(Param::tape) {
        Some(tape) => Ok((tape, parts.iter().map(|part| part.on(tape)).collect())),
        None => {
            let message = "of numbers alone no value of the model is made: write an array, `array![1.0, 2.0]`";
            let numbers: Vec<Var<'t>> = parts.iter().filter_map(Param::value).collect();
            Err(refuse(op, &numbers, &[], message))
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the value with `before` and `after` elements put around it along event axis `axis`, all of them `value`.
    ///
    /// x: `[n]` gives `[before + n + after]`.
    ///
    /// ```
    /// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
    /// # let tape = Tape::new(Precision::F64, Key::new(1));
    /// let x = tape.input(0, &[], &[2], &[1.0, 2.0], false);
    /// let padded = x.pad(0, 1, 2, 0);
    /// assert_eq!((padded.len(), padded[0].value(), padded[2].value()), (5, 0.0, 2.0));
    /// ```
    #[track_caller]
    pub fn pad(self, axis: usize, before: usize, after: usize, value: impl Operand<'t>) -> Var<'t> {
        let value = value.into_param().beside(self);
        let event = self.event_shape();
        let Some(tape) = self.tape().filter(|_| axis < event.len()) else {
            return refuse("pad", &[self], &[], &format!("there is no axis {axis}"));
        };
        let side = |n: usize| {
            let mut shape = event.clone();
            shape[axis] = n;
            tape.lift(value).broadcast(&shape)
        };
        concat_on(tape, &[side(before), self, side(after)], axis)
    }
}

#[cfg(test)]
op_tests! { vectors |x| concat([x[0], x[1], x[0]]); [[1.0, 2.0], [3.0, 4.0, 5.0]], [1.0, [3.0, 4.0]] }
#[cfg(test)]
op_tests! { matrices |x| concat(x); [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]] }
#[cfg(test)]
op_tests! { columns |x| concat_axis([x[0], x[1], x[0] * 2], 1); [[[1.0], [2.0]], [[3.0, 4.0], [5.0, 6.0]]] }
#[cfg(test)]
op_tests! { middle_axis |x| concat_axis((x[0].reshape(&[2, 3, 2]), x[1]), 1);
[Arg::random(&[12], 1), [[[3.0, 4.0]], [[5.0, 6.0]]]] }
#[cfg(test)]
op_tests! { stacked |x| stack([x[0], x[1], x[1] * 2]); [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0] }
#[cfg(test)]
op_tests! { mixed |x| stack((1, x[0][0], x[0][1], 0.5)) * concat((2, stack((x[0][1], x[0][0])), 3.0)) + x[1];
[[1.5, -2.0], [1.0, 2.0, 3.0, 4.0]] }
#[cfg(test)]
op_tests! { padded |x| x[0].pad(0, 2, 1, x[1]); [[1.0, 2.0], 3.0], [[[1.0, 2.0]], [4.0, 5.0]] }
#[cfg(test)]
op_tests! { padded_columns |x| x[0].pad(1, 1, 0, 0.5); [[[1.0, 2.0], [3.0, 4.0]]] }
