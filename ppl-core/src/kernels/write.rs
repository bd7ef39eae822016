//! Puts the results of a loop over the old values or adds them: the two ways in which an adjoint is written.

use crate::kernels::real::Real;

/// Overwrites `out` with `values`, or adds them where `overwrite` is false.
#[inline(always)]
pub(crate) fn write<F: Real>(out: &mut [F], values: impl Iterator<Item = F>, overwrite: bool) {
    if overwrite {
        for (out, value) in out.iter_mut().zip(values) {
            *out = value;
        }
    } else {
        for (out, value) in out.iter_mut().zip(values) {
            *out += value;
        }
    }
}
