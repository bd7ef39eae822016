//! Permutation of axes: the transpose of a matrix, and plates that change their place among other axes.

use smallvec::SmallVec;

use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::ops::walk::{MAX_RANK, Strides, strides, walk};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;
use crate::testing::ops::op_tests;

/// Axis a of the output is axis `attrs[a]` of the operand; plates count as axes.
struct Permute;

impl Op for Permute {
    const NAME: &'static str = "permute";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let Blocks { lens, from, to, width } = Blocks::of(call);
        walk(lens, &[from, to], |[i, o]| {
            out[o..o + width].copy_from_slice(&x[i..i + width])
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let Blocks { lens, from, to, width } = Blocks::of(call);
        if let Some(mut d_x) = call.grad(0) {
            walk(lens, &[from, to], |[i, o]| {
                (0..width).for_each(|j| d_x.put(i + j, d_out[o + j]))
            });
        }
    }
}

/// The output as blocks of neighbours that stay neighbours, and where each lies in the operand.
struct Blocks<'a> {
    lens: &'a [usize],
    from: Strides,
    to: Strides,
    width: usize,
}

impl<'a> Blocks<'a> {
    fn of<F: Real>(call: &Call<'a, F>) -> Self {
        let (axes, shape) = (call.attrs(), call.out_shape());
        let moved = (0..axes.len())
            .rev()
            .find(|&a| axes[a] as usize != a)
            .map_or(0, |a| a + 1);
        let (lens, inner) = shape.split_at(moved);
        let width = inner.iter().product();
        let own = strides(&call.shape(0)[..moved], width, |_| true);
        let mut from = [0; MAX_RANK];
        (0..moved).for_each(|a| from[a] = own[axes[a] as usize]);
        Blocks {
            lens,
            from,
            to: strides(lens, width, |_| true),
            width,
        }
    }
}

/// Records `x` with its axes, plates first, in another order, which begins with the plates `dims`.
///
/// Axes of length one may move freely, and an order that moves no others is an alias.
pub fn permute_all<'t>(tape: &'t Tape, x: Var<'t>, order: &[usize], dims: &[DimId]) -> Var<'t> {
    let mut shape: SmallVec<[usize; 6]> = x.dims().iter().map(|&d| tape.dim(d).len).collect();
    shape.extend_from_slice(&x.event_shape());
    let event: SmallVec<[usize; 6]> = order[dims.len()..].iter().map(|&axis| shape[axis]).collect();
    let mut long = order.iter().filter(|&&axis| shape[axis] != 1);
    let is_alias = long.clone().zip(long.by_ref().skip(1)).all(|(a, b)| a < b);
    if is_alias {
        return tape.alias(x, dims, &event);
    }
    let attrs: SmallVec<[u64; 6]> = order.iter().map(|&axis| axis as u64).collect();
    tape.record(Permute::DEF, &[x], &attrs, dims, &event, 0)
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

op_tests! { transpose |x| x[0].t(); [[[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]]], [[[1.0], [2.0]]], [[1.0, 2.0]] }
op_tests! { three_axes |x| x[0].reshape(&[2, 3, 2]).permute(&[1, 0, 2]); [Arg::random(&[12], 1)] }
op_tests! { all_axes |x| x[0].reshape(&[2, 3, 2]).permute(&[2, 0, 1]); [Arg::random(&[12], 1)] }
