//! Copies of elements that lie in another order or are repeated: what broadcasts and permutations share.

use std::marker::PhantomData;

use crate::kernels::elementwise::strided::{MAX_RANK, Walk};
use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::Op;

/// How the elements of the operand are walked.
pub trait Walked: 'static {
    /// The unique name.
    const NAME: &'static str;

    /// Returns the walk that two lists of one length describe.
    fn walk(first: &[usize], second: &[usize]) -> Walk;
}

/// Copies the operand along the walk of `W`; the attributes are the two lists that describe it, behind one another.
pub struct Strided<W>(PhantomData<W>);

impl<W: Walked> Op for Strided<W> {
    const NAME: &'static str = W::NAME;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        walk::<W>(call.attrs()).copy(call.x(0), call.out());
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (walk, d_out) = (walk::<W>(call.attrs()), call.d_out());
        if let Some(d_x) = call.grad(0) {
            walk.adjoint(d_out, d_x.slice, d_x.overwrite);
        }
    }
}

#[inline(always)]
fn walk<W: Walked>(attrs: &[u64]) -> Walk {
    let rank = attrs.len() / 2;
    let [mut first, mut second] = [[0; MAX_RANK]; 2];
    for axis in 0..rank {
        first[axis] = attrs[axis] as usize;
        second[axis] = attrs[rank + axis] as usize;
    }
    W::walk(&first[..rank], &second[..rank])
}
