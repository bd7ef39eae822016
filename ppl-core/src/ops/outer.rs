//! The plates that an operation loops over, with the operands that carry each of them.

use smallvec::SmallVec;

use crate::ops::walk::{MAX_RANK, Strides, walk};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;

/// The attributes that describe a loop over plates: for each the length times four, plus 1 and 2 if the first and the
/// second operand carry it.
pub type OuterAttrs = SmallVec<[u64; 8]>;

/// Describes a loop over the plates `dims` for two operands.
pub fn outer_attrs<'t>(tape: &'t Tape, dims: &[DimId], x: Var<'t>, y: Var<'t>) -> OuterAttrs {
    let (x_dims, y_dims) = (x.dims(), y.dims());
    let attr = |d: &DimId| {
        let carried = x_dims.contains(d) as u64 + 2 * y_dims.contains(d) as u64;
        4 * tape.dim(*d).len as u64 + carried
    };
    dims.iter().map(attr).collect()
}

/// Calls `f` with the row numbers of the first operand, the second operand and the output.
#[inline(always)]
pub fn each_row(attrs: &[u64], f: impl FnMut([usize; 3])) {
    assert!(
        attrs.len() <= MAX_RANK,
        "a product inside {} plates: at most {MAX_RANK} are supported",
        attrs.len()
    );
    let mut lens = [0; MAX_RANK];
    let mut strides: [Strides; 3] = [[0; MAX_RANK]; 3];
    let mut stride = [1; 3];
    for (axis, attr) in attrs.iter().enumerate().rev() {
        lens[axis] = (attr / 4) as usize;
        let carried = [attr & 1 != 0, attr & 2 != 0, true];
        for k in (0..3).filter(|&k| carried[k]) {
            strides[k][axis] = stride[k];
            stride[k] *= lens[axis];
        }
    }
    walk(&lens[..attrs.len()], &strides, f);
}
