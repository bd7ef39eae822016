//! The operations of a bijector between vectors, made of what it does to one row.

use std::marker::PhantomData;

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

/// A map from unconstrained rows `z` to rows `x`, with its log-determinant.
pub(crate) trait RowMap: 'static {
    /// The name of the map.
    const NAME: &'static str;
    /// The name of its log-determinant.
    const LOG_DET: &'static str;

    /// Computes `x` from `z`.
    fn constrain<F: Real>(z: &[F], x: &mut [F]);

    /// Adds the derivative of Σ d_x · x to `d_z`.
    fn pull_back<F: Real>(z: &[F], x: &[F], d_x: &[F], d_z: &mut [F]);

    /// Returns ln |det ∂x/∂z|.
    fn log_det<F: Real>(z: &[F]) -> f64;

    /// Adds `seed` times the derivative of the log-determinant to `d_z`.
    fn pull_back_log_det<F: Real>(z: &[F], seed: F, d_z: &mut [F]);
}

/// Records the map on the last axis of `z`; `row` is the shape that this axis turns into.
pub(crate) fn constrain<'t, M: RowMap>(z: Var<'t>, row: &[usize]) -> Var<'t> {
    let (tape, batch, free) = parts(z);
    let event: Shape = batch.iter().chain(row).copied().collect();
    let attrs = [free as u64, size(row) as u64];
    tape.record(Constrain::<M>::DEF, &[z], &attrs, &z.dims(), &event, 0)
}

/// Records the log-determinant of each row of `z`.
pub(crate) fn log_det<'t, M: RowMap>(z: Var<'t>) -> Var<'t> {
    let (tape, batch, free) = parts(z);
    tape.record(LogDet::<M>::DEF, &[z], &[free as u64], &z.dims(), &batch, 0)
}

fn parts(z: Var<'_>) -> (&crate::tape::record::Tape, Shape, usize) {
    let tape = z.tape().expect("an unconstrained vector is on a tape");
    let mut batch = z.event_shape();
    let free = batch.pop().expect("an unconstrained vector has an axis");
    (tape, batch, free)
}

/// x of each row.
struct Constrain<M>(PhantomData<M>);

impl<M: RowMap> Op for Constrain<M> {
    const NAME: &'static str = M::NAME;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (free, full) = (call.attr(0) as usize, call.attr(1) as usize);
        let (z, out) = (call.x(0), call.out());
        for (r, x) in out.chunks_exact_mut(full.max(1)).enumerate() {
            M::constrain(&z[r * free..][..free], x);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (free, full) = (call.attr(0) as usize, call.attr(1) as usize);
        let (z, x, d_out) = (call.x(0), call.y(), call.d_out());
        if let Some(d_z) = call.grad(0) {
            let d_z = d_z.accumulator().slice;
            for (r, d_x) in d_out.chunks_exact(full.max(1)).enumerate() {
                let part = r * free..(r + 1) * free;
                M::pull_back(&z[part.clone()], &x[r * full..][..full], d_x, &mut d_z[part]);
            }
        }
    }
}

/// ln |det ∂x/∂z| of each row.
struct LogDet<M>(PhantomData<M>);

impl<M: RowMap> Op for LogDet<M> {
    const NAME: &'static str = M::LOG_DET;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (free, z) = (call.attr(0) as usize, call.x(0));
        for (r, out) in call.out().iter_mut().enumerate() {
            *out = F::from_f64(M::log_det(&z[r * free..][..free]));
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (free, z, d_out) = (call.attr(0) as usize, call.x(0), call.d_out());
        if let Some(d_z) = call.grad(0) {
            let d_z = d_z.accumulator().slice;
            for (r, &seed) in d_out.iter().enumerate() {
                let part = r * free..(r + 1) * free;
                M::pull_back_log_det(&z[part.clone()], seed, &mut d_z[part]);
            }
        }
    }
}
