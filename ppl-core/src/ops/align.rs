//! Alignment of operands: plates by identity, event axes at the last one.

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::ops::broadcast::broadcast_to;
use crate::tape::record::Tape;
use crate::tape::refusal;
use crate::tape::var::Var;
use crate::tensor::dims::{Dims, union};
use crate::tensor::shape::{self, Shape};

/// Operands of one shape, save those that are single numbers, and that shape.
pub struct Aligned<'t> {
    /// The tape of the operands.
    pub tape: &'t Tape,
    /// The operands: each has the common shape or a single element.
    pub args: SmallVec<[Var<'t>; 4]>,
    /// The union of the plates.
    pub dims: Dims,
    /// The common event shape.
    pub event: Shape,
}

/// Returns the tape of the first operand that is on one.
pub fn tape_of<'t>(args: &[Var<'t>]) -> Option<&'t Tape> {
    args.iter().find_map(|x| x.tape())
}

/// Brings operands to one shape: a single number stays as it is, anything else is broadcast.
///
/// Clashing event shapes are kept as an error on the tape, and the answer is `None`.
///
/// # Panics
///
/// If no operand is on a tape.
pub fn align<'t>(op: &'static str, args: &[Var<'t>], place: Place) -> Option<Aligned<'t>> {
    let tape = tape_of(args).expect("constants are computed without a tape");
    let mut dims = Dims::new();
    let mut event = Shape::new();
    for x in args {
        dims = union(&dims, &x.dims());
        match shape::broadcast(&event, &x.event_shape()) {
            Some(common) => event = common,
            None => {
                let shapes = args.iter().map(|x| x.event_shape()).collect();
                let message = "the shapes do not broadcast".to_string();
                tape.fail(Error::Shape {
                    op,
                    place,
                    message,
                    shapes,
                });
                return None;
            }
        }
    }
    let args = args.iter().map(|&x| to_shape(tape, x, &dims, &event)).collect();
    Some(Aligned {
        tape,
        args,
        dims,
        event,
    })
}

/// Brings one operand to a shape that it broadcasts to, unless it is a single number.
pub fn to_shape<'t>(tape: &'t Tape, x: Var<'t>, dims: &[u32], event: &[usize]) -> Var<'t> {
    let x = tape.lift(x);
    let (own_dims, own_event) = (x.dims(), x.event_shape());
    if own_dims.as_slice() == dims && own_event.as_slice() == event {
        return x;
    }
    let is_single = own_dims.is_empty() && own_event.iter().all(|&n| n == 1);
    if is_single {
        x
    } else {
        broadcast_to(tape, x, dims, event)
    }
}

/// Keeps a shape error of `op` on the tape, with the shapes of `args` and of `others`, and returns NaN.
///
/// After an earlier error the operands may be NaN without a tape: then NaN goes on. Where all operands are plain numbers,
/// a NaN is returned that brings the error onto the first tape that it meets.
#[track_caller]
pub fn refuse<'t>(op: &'static str, args: &[Var<'t>], others: &[&[usize]], message: &str) -> Var<'t> {
    let mut shapes: Vec<Shape> = args.iter().map(|x| x.event_shape()).collect();
    shapes.extend(others.iter().map(|shape| Shape::from_slice(shape)));
    let error = Error::Shape {
        op,
        place: Place::here(),
        message: message.to_string(),
        shapes,
    };
    let is_nan = |x: &&Var<'t>| x.as_constant().is_some_and(f64::is_nan);
    match (tape_of(args), args.iter().find(is_nan)) {
        (Some(tape), _) => tape.fail(error),
        (None, Some(&earlier)) => earlier,
        (None, None) => Var::constant(refusal::keep(error)),
    }
}
