//! Permutation of axes: the transpose of a matrix, and plates that change their place among other axes.

use smallvec::SmallVec;

use crate::kernels::elementwise::strided::{MAX_RANK, Walk};
use crate::ops::align::refuse;
use crate::ops::strided::{Strided, Walked};
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Exchanges axes; the attributes are the lengths of the operand's axes, after joining some, and then for each axis of
/// the output which one it is.
struct Permute;

impl Walked for Permute {
    const NAME: &'static str = "permute";

    fn walk(first: &[usize], second: &[usize]) -> Walk {
        Walk::permute(first, second)
    }
}

/// Records `x` with its axes, plates first, in another order, which begins with the plates `dims`.
///
/// Axes of length one may move freely, and an order that moves no others is an alias.
#[track_caller]
pub fn permute_all<'t>(tape: &'t Tape, x: Var<'t>, order: &[usize], dims: &[DimId]) -> Var<'t> {
    let mut shape: SmallVec<[usize; 6]> = x.dims().iter().map(|&d| tape.dim(d).len).collect();
    shape.extend_from_slice(&x.event_shape());
    let event: SmallVec<[usize; 6]> = order[dims.len()..].iter().map(|&axis| shape[axis]).collect();
    let attrs = joined(&shape, order);
    if attrs.len() <= 2 {
        return tape.alias(x, dims, &event);
    }
    if attrs.len() > 2 * MAX_RANK {
        return refuse("permute", &[x], &[order], "too many axes change their place");
    }
    tape.record(Strided::<Permute>::DEF, &[x], &attrs, dims, &event, 0)
}

/// Returns the attributes of a permutation: axes of length one are left out, and axes that stay neighbours are joined.
fn joined(shape: &[usize], order: &[usize]) -> SmallVec<[u64; 12]> {
    let long: SmallVec<[usize; 8]> = (0..shape.len()).filter(|&axis| shape[axis] != 1).collect();
    let place = |axis: usize| long.iter().position(|&other| other == axis);
    let moved: SmallVec<[usize; 8]> = order.iter().filter_map(|&axis| place(axis)).collect();
    let is_joined = |a: usize| a > 0 && moved[a] == moved[a - 1] + 1;
    let starts: SmallVec<[usize; 8]> = (0..moved.len()).filter(|&a| !is_joined(a)).collect();
    let mut blocks: SmallVec<[(usize, usize); 8]> = SmallVec::new();
    for (k, &start) in starts.iter().enumerate() {
        let end = starts.get(k + 1).copied().unwrap_or(moved.len());
        blocks.push((
            moved[start],
            moved[start..end].iter().map(|&axis| shape[long[axis]]).product(),
        ));
    }
    let mut sorted = blocks.clone();
    sorted.sort_unstable();
    let rank_of = |first: usize| {
        sorted
            .iter()
            .position(|&(other, _)| other == first)
            .expect("a block is in the list")
    };
    let lens = sorted.iter().map(|&(_, len)| len as u64);
    lens.chain(blocks.iter().map(|&(first, _)| rank_of(first) as u64))
        .collect()
}

/// Returns `x` with event axis `axis` behind all others, for operations that work on rows, and the lengths of the others.
#[track_caller]
pub fn axis_last<'t>(x: Var<'t>, axis: usize) -> (Var<'t>, Shape) {
    let mut rest = x.event_shape();
    let mut order: SmallVec<[usize; 6]> = (0..rest.len()).collect();
    order[axis..].rotate_left(1);
    rest.remove(axis);
    (x.permute(&order), rest)
}

impl<'t> Var<'t> {
    /// Returns the transpose of a matrix; more generally the event axes in the opposite order.
    pub fn t(self) -> Var<'t> {
        let axes: SmallVec<[usize; 4]> = (0..self.event_shape().len()).rev().collect();
        self.permute(&axes)
    }

    /// Returns the event axes in another order: axis a of the result is axis `axes[a]` of x.
    #[track_caller]
    pub fn permute(self, axes: &[usize]) -> Var<'t> {
        let rank = self.event_shape().len();
        let is_order = axes.len() == rank && (0..rank).all(|axis| axes.contains(&axis));
        if !is_order {
            return refuse(
                "permute",
                &[self],
                &[axes],
                "the second list must name each axis of the first shape once",
            );
        }
        match self.tape() {
            None => self,
            Some(tape) => {
                let dims = self.dims();
                let own = 0..dims.len();
                let order: SmallVec<[usize; 6]> = own.chain(axes.iter().map(|axis| axis + dims.len())).collect();
                permute_all(tape, self, &order, &dims)
            }
        }
    }
}

#[cfg(test)]
op_tests! { transpose |x| x[0].t(); [[[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]]], [[[1.0], [2.0]]], [[1.0, 2.0]] }
#[cfg(test)]
op_tests! { three_axes |x| x[0].reshape(&[2, 3, 2]).permute(&[1, 0, 2]); [Arg::random(&[12], 1)] }
#[cfg(test)]
op_tests! { all_axes |x| x[0].reshape(&[2, 3, 2]).permute(&[2, 0, 1]); [Arg::random(&[12], 1)] }
#[cfg(test)]
op_tests! { four_axes |x| x[0].reshape(&[2, 3, 1, 2]).permute(&[3, 1, 2, 0]); [Arg::random(&[12], 1)] }
