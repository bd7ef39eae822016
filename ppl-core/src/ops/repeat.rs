//! Elementwise operations of two operands of which one is repeated: a bias for each row, or a number for each row.
//!
//! The repeated operand is not written out: each row of the output reads it where it lies.

use std::marker::PhantomData;

use crate::kernels::elementwise::map::map2;
use crate::kernels::real::Real;
use crate::ops::elementwise::Binary;
use crate::tape::call::{Call, Grad};
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::{DimId, Dims, union};
use crate::tensor::shape::{Shape, broadcast, size};

/// Applies `M` row by row; the attributes are the length of a row and how each operand is read ([`Read`]).
struct Repeat<M>(PhantomData<M>);

/// What of an operand one row of the output reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// All of it: the operand is repeated for each row.
    Whole,
    /// Its own row.
    Row,
    /// Its own element, repeated along the row.
    Element,
}

impl Read {
    fn of<F: Real>(call: &Call<'_, F>, k: usize) -> Self {
        match call.attr(1 + k) {
            0 => Read::Whole,
            1 => Read::Row,
            _ => Read::Element,
        }
    }

    /// Returns the range that row `row` of `width` elements reads of an operand of length `len`.
    #[inline(always)]
    fn range(self, row: usize, width: usize, len: usize) -> std::ops::Range<usize> {
        match self {
            Read::Whole => 0..len,
            Read::Row => row * width..(row + 1) * width,
            Read::Element => row..row + 1,
        }
    }
}

impl<M: Binary> Op for Repeat<M> {
    const NAME: &'static str = M::NAME;
    const NO_GRAD: u32 = M::NO_GRAD;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, out) = (call.x(0), call.x(1), call.out());
        let (width, read_x, read_y) = (call.attr(0) as usize, Read::of(call, 0), Read::of(call, 1));
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let (x, y) = (
                &x[read_x.range(row, width, x.len())],
                &y[read_y.range(row, width, y.len())],
            );
            map2::<M, F>(x, y, out);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, out, d_out) = (call.x(0), call.x(1), call.y(), call.d_out());
        let (width, read_x, read_y) = (call.attr(0) as usize, Read::of(call, 0), Read::of(call, 1));
        let rows = |row: usize| {
            let range = Read::Row.range(row, width, out.len());
            let (x, y) = (
                &x[read_x.range(row, width, x.len())],
                &y[read_y.range(row, width, y.len())],
            );
            [x, y, &out[range.clone()], &d_out[range]]
        };
        if let Some(d_x) = call.grad(0) {
            each_row(d_x, read_x, width, out.len() / width, |row, d_x, overwrite| {
                M::adjoint_x(rows(row), d_x, overwrite);
            });
        }
        if let Some(d_y) = call.grad(1) {
            each_row(d_y, read_y, width, out.len() / width, |row, d_y, overwrite| {
                M::adjoint_y(rows(row), d_y, overwrite);
            });
        }
    }
}

/// Calls `f` with the part of an adjoint that each row of the output writes, and whether that is its first write.
fn each_row<F: Real>(
    grad: Grad<'_, F>,
    read: Read,
    width: usize,
    n_rows: usize,
    mut f: impl FnMut(usize, &mut [F], bool),
) {
    if n_rows == 0 {
        grad.accumulator();
        return;
    }
    let len = grad.slice.len();
    for row in 0..n_rows {
        let is_first = row == 0 || read != Read::Whole;
        f(
            row,
            &mut grad.slice[read.range(row, width, len)],
            grad.overwrite && is_first,
        );
    }
}

/// Records `M` on `x` and `y` if one of them is repeated for each row of the output or along each row.
///
/// Otherwise, and where shapes clash, nothing is recorded.
pub fn repeat<'t, M: Binary>(tape: &'t Tape, x: Var<'t>, y: Var<'t>) -> Option<Var<'t>> {
    let operands = [x, y].map(|v| (v.dims(), v.event_shape()));
    let [(x_dims, x_event), (y_dims, y_event)] = &operands;
    let is_single = |(dims, event): &(Dims, Shape)| dims.is_empty() && size(event) == 1;
    if operands[0] == operands[1] || operands.iter().any(is_single) {
        return None;
    }
    let (dims, event) = (union(x_dims, y_dims), broadcast(x_event, y_event)?);
    let total = size(&physical(tape, &dims, &event));
    let mut width = None;
    let mut attrs = [0; 3];
    for (k, (own_dims, own_event)) in operands.iter().enumerate() {
        let (read, own_width) = classify(tape, (own_dims, own_event), (&dims, &event), total)?;
        attrs[1 + k] = read as u64;
        if own_width.is_some_and(|own| *width.get_or_insert(own) != own) {
            return None;
        }
    }
    attrs[0] = width.filter(|&width| width > 1)? as u64;
    Some(tape.record(Repeat::<M>::DEF, &[x, y], &attrs, &dims, &event, 0))
}

/// Returns how rows of the output read an operand, and how long they are then; `None` for an operand of any row.
fn classify(
    tape: &Tape,
    (own_dims, own_event): (&Dims, &Shape),
    (dims, event): (&Dims, &Shape),
    total: usize,
) -> Option<(Read, Option<usize>)> {
    let n = size(&physical(tape, own_dims, own_event));
    let out = long_axes(tape, dims, event);
    let own = long_axes(tape, own_dims, &padded(own_event, event.len()));
    if n == 1 {
        Some((Read::Whole, None))
    } else if n == total {
        Some((Read::Row, None))
    } else if out.ends_with(&own) {
        Some((Read::Whole, Some(n)))
    } else if out.starts_with(&own) {
        Some((Read::Element, Some(total / n)))
    } else {
        None
    }
}

/// Returns the lengths of all axes, plates first.
fn physical(tape: &Tape, dims: &[DimId], event: &[usize]) -> Shape {
    dims.iter()
        .map(|&d| tape.dim(d).len)
        .chain(event.iter().copied())
        .collect()
}

/// Returns the axes longer than one by what they are: a plate, or an event axis by its number.
fn long_axes(tape: &Tape, dims: &[DimId], event: &[usize]) -> Vec<(bool, u32)> {
    let plates = dims.iter().filter(|&&d| tape.dim(d).len != 1).map(|&d| (false, d));
    let axes = (0..event.len())
        .filter(|&axis| event[axis] != 1)
        .map(|axis| (true, axis as u32));
    plates.chain(axes).collect()
}

/// Returns an event shape with ones in front, up to `rank` axes.
fn padded(event: &[usize], rank: usize) -> Shape {
    std::iter::repeat_n(1, rank - event.len())
        .chain(event.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::testing::op_check::check_recording;

    #[test]
    fn an_operand_of_an_output_without_rows_has_no_derivative() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let nothing = tape.input(0, &[], &[0, 3], &[], false);
        let bias = tape.input(0, &[], &[3], &[10.0, 20.0, 30.0], false);
        tape.term(SumTerm::DEF, &[nothing + bias], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [0.0; 3]);
        check_recording(&tape);
    }

    #[test]
    fn biases_and_scales_of_rows_are_not_written_out() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], false);
        let bias = tape.input(6, &[], &[3], &[10.0, 20.0, 30.0], false);
        let scale = tape.input(9, &[], &[2, 1], &[2.0, -1.0], false);
        assert_eq!((x + bias).elements(), [11.0, 22.0, 33.0, 14.0, 25.0, 36.0]);
        assert_eq!((scale * x).elements(), [2.0, 4.0, 6.0, -4.0, -5.0, -6.0]);
        assert_eq!((scale - bias).elements(), [-8.0, -18.0, -28.0, -11.0, -21.0, -31.0]);
        assert_eq!(tape.records().nodes.len(), 6);
    }
}
