//! Gather: elements along the first event axis, picked by values.

use smallvec::SmallVec;

use crate::error::{Error, number};
use crate::kernels::real::Real;
use crate::kernels::reduce::segment::{RowList, Segments};
use crate::ops::align::{refuse, tape_of};
use crate::ops::outer::{each_row, outer_attrs};
use crate::tape::call::Call;
use crate::tape::op::{Op, Prepare};
use crate::tape::prepared::Prepared;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::union;
use crate::tensor::shape::{Shape, size};
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Picks rows of operand 0, which has no plates, by the numbers of operand 1, rounded, in their order.
///
/// Attribute 0 is the number of rows.
struct Gather;

/// What a list of indices that never change becomes.
struct Picks {
    rows: RowList,
    segments: Segments,
}

impl Op for Gather {
    const NAME: &'static str = "gather";
    const NO_GRAD: u32 = 2;
    const INDEX: Option<usize> = Some(1);
    const PREPARE: Option<Prepare> = Some(|constants, shapes| {
        let n = shapes[0][0];
        let row = |&index: &f64| row_number(index, n).map(|row| row as u32);
        let rows: Vec<u32> = constants[1].as_ref()?.iter().map(row).collect::<Option<_>>()?;
        let segments = Segments::new(&rows, n);
        let rows = RowList::new(rows, n);
        Some(Prepared::new(Picks { rows, segments }))
    });

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, z, out) = (call.x(0), call.x(1), call.out());
        let n = call.attr(0) as usize;
        let width = x.len().checked_div(n).unwrap_or(0);
        match call.prepared::<Picks>() {
            Some(picks) => picks.rows.gather(width, x, out),
            None if width > 0 => {
                for (out, &index) in out.chunks_exact_mut(width).zip(z) {
                    copy_row(row_number(index, n), x, out);
                }
            }
            None => {}
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (z, d_out) = (call.x(1), call.d_out());
        let n = call.attr(0) as usize;
        let picks = call.prepared::<Picks>();
        if let Some(d_x) = call.grad(0) {
            let width = d_x.slice.len().checked_div(n).unwrap_or(0);
            if let Some(picks) = picks {
                picks.segments.add_rows(width, d_out, d_x.slice, d_x.overwrite);
            } else if width > 0 {
                let d_x = d_x.accumulator().slice;
                for (d_out, &index) in d_out.chunks_exact(width).zip(z) {
                    add_row(row_number(index, n), d_out, d_x);
                }
            }
        }
    }
}

/// Picks rows of operand 0 where that has plates of its own: each row of the plates has its own table.
///
/// The attributes are the number of rows of a table, their width, the number of indices for each row of the plates, and
/// the plates.
struct GatherAligned;

impl Op for GatherAligned {
    const NAME: &'static str = "gather_aligned";
    const NO_GRAD: u32 = 2;
    const INDEX: Option<usize> = Some(1);

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, z, out) = (call.x(0), call.x(1), call.out());
        let width = call.attr(1) as usize;
        each_pick(call.attrs(), z, |from, to| {
            copy_row(from, x, &mut out[to * width..][..width])
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (z, d_out) = (call.x(1), call.d_out());
        let width = call.attr(1) as usize;
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            each_pick(call.attrs(), z, |from, to| {
                add_row(from, &d_out[to * width..][..width], d_x)
            });
        }
    }
}

/// Copies a row of the table, or writes NaN if there is no such row.
#[inline(always)]
fn copy_row<F: Real>(from: Option<usize>, x: &[F], out: &mut [F]) {
    match from {
        Some(row) => out.copy_from_slice(&x[row * out.len()..][..out.len()]),
        None => out.fill(F::NAN),
    }
}

/// Adds to a row of the table's adjoint, if there is such a row.
#[inline(always)]
fn add_row<F: Real>(to: Option<usize>, d_out: &[F], d_x: &mut [F]) {
    if let Some(row) = to {
        let d_x = &mut d_x[row * d_out.len()..][..d_out.len()];
        d_x.iter_mut().zip(d_out).for_each(|(d_x, &d)| *d_x += d);
    }
}

/// Calls `f` with the row of the table, or `None` if there is no such row, and the row of the output.
#[inline(always)]
fn each_pick<F: Real>(attrs: &[u64], z: &[F], mut f: impl FnMut(Option<usize>, usize)) {
    let (n, n_picks) = (attrs[0] as usize, attrs[2] as usize);
    each_row(&attrs[3..], |[x_row, z_row, out_row]| {
        for j in 0..n_picks {
            let row = row_number(z[z_row * n_picks + j], n);
            f(row.map(|row| x_row * n + row), out_row * n_picks + j);
        }
    });
}

/// Returns the row that an index names, or `None` outside of 0..n.
#[inline(always)]
fn row_number<F: Real>(index: F, n: usize) -> Option<usize> {
    let index = (index.to_f64() + 0.5).floor();
    (index >= 0.0 && index < n as f64).then_some(index as usize)
}

/// Returns the elements of `x` along its first event axis that `z` numbers: x: `[n, …]`, z: `[m, …]` give `[m, …, …]`.
///
/// The plates of both go into the result. The indices are rounded to integers; one outside of 0..n is an error, and so is
/// one from 2²⁴ on in single precision, which may stand for its neighbour.
#[track_caller]
pub fn gather<'t>(x: Var<'t>, z: Var<'t>) -> Var<'t> {
    let Some(tape) = tape_of(&[x, z]) else {
        return refuse("index", &[x, z], &[], "a number has no elements");
    };
    if tape.is_missing(x) {
        let message = "a missing observation has no elements to pick before `observe` has drawn them".to_string();
        return tape.fail(Error::Invalid(message));
    }
    let x = tape.read(x);
    let event = x.event_shape();
    let Some((&n, rest)) = event.split_first() else {
        return refuse("index", &[x, z], &[], "a scalar has no elements");
    };
    let mut picked = z.elements().into_iter().enumerate();
    if let Some((i, outside)) = picked.find(|&(_, index)| row_number(index, n).is_none()) {
        let (array, index) = (tape.called(x, "the array"), tape.called(z, "the index"));
        let by = if picked.len() + i > 0 {
            format!("by element {i} of {index}")
        } else {
            format!("by {index}")
        };
        let outside = number(outside);
        let message = format!("element {outside} of {array} is asked for {by}, and its first axis has {n}, from 0 on");
        return refuse("index", &[x, z], &[], &message);
    }
    let limit = tape.precision().n_indexes();
    if n as u64 > limit
        && let Some(inexact) = z.elements().into_iter().find(|&index| index >= limit as f64)
    {
        let message =
            format!("element {inexact} is asked for, and single precision tells apart those below {limit}: use f64");
        return refuse("index", &[x, z], &[], &message);
    }
    if is_whole_axis(tape, x, z, n) {
        let mut dims = x.dims();
        dims.extend(z.dims());
        return tape.alias(x, &dims, rest);
    }
    let picks = z.event_shape();
    let dims = union(&x.dims(), &z.dims());
    let mut out = Shape::from_slice(&picks);
    out.extend_from_slice(rest);
    if x.dims().is_empty() {
        return tape.record(Gather::DEF, &[x, z], &[n as u64], &dims, &out, 0);
    }
    let mut attrs: SmallVec<[u64; 8]> = [n, size(rest), size(&picks)].iter().map(|&n| n as u64).collect();
    attrs.extend(outer_attrs(tape, &dims, x, z));
    tape.record(GatherAligned::DEF, &[x, z], &attrs, &dims, &out, 0)
}

/// Returns whether `z` is the constant 0, 1, …, n − 1 along a plate inside of all those of `x`, so that nothing moves.
fn is_whole_axis<'t>(tape: &'t Tape, x: Var<'t>, z: Var<'t>, n: usize) -> bool {
    let dims = z.dims();
    z.tape().is_some()
        && dims.len() == 1
        && z.event_shape().is_empty()
        && x.dims().last().is_none_or(|&last| last < dims[0])
        && tape.depends_of(z.node()) == 0
        && tape.dim(dims[0]).len == n
        && z.elements().iter().enumerate().all(|(i, &index)| index == i as f64)
}

#[cfg(test)]
op_tests! { scalars |x| gather(x[0], x[1]); [[1.0, -2.0, 0.5], 1.0], [[1.0, -2.0, 0.5], [2.0, 0.0, 2.0, 1.0]] }
#[cfg(test)]
op_tests! { rows |x| gather(x[0], x[1]); [[[1.0, -2.0], [0.5, 3.0], [2.5, -1.0]], 1.0] }
#[cfg(test)]
op_tests! { rows_by_vectors |x| gather(x[0], x[1]); [[[1.0, -2.0], [0.5, 3.0], [2.5, -1.0]], [2.0, 0.0, 2.0, 2.0]] }
