//! Lower triangles with exponentials on the diagonal: onto Cholesky factors.

use crate::bijectors::Bijector;
use crate::bijectors::row_map::{self, RowMap};
use crate::kernels::real::Real;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// The matrix x: `[n, n]` from n (n + 1) / 2 numbers, row by row: xᵢⱼ = z below the diagonal, xᵢᵢ = eᶻ on it, zero above.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerCholesky;

impl<'t> Bijector<'t> for LowerCholesky {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        let n = order(z.event_shape().last().copied().unwrap_or(0));
        row_map::constrain::<Triangle>(z, &[n, n])
    }

    fn unconstrain(&self, x: &[f64], event: &[usize]) -> Vec<f64> {
        let n = event.last().copied().unwrap_or(1).max(1);
        let mut z = Vec::new();
        for matrix in x.chunks_exact(n * n) {
            for (i, row) in matrix.chunks_exact(n).enumerate() {
                z.extend_from_slice(&row[..i]);
                z.push(row[i].ln());
            }
        }
        z
    }

    /// ln |det| = Σᵢ ln xᵢᵢ
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(row_map::log_det::<Triangle>(z))
    }

    fn unconstrained_event(&self, event: &[usize]) -> Shape {
        let n = event.last().copied().unwrap_or(1);
        let mut free = Shape::from_slice(&event[..event.len().saturating_sub(2)]);
        free.push(n * (n + 1) / 2);
        free
    }
}

struct Triangle;

/// Returns n of a triangle of n (n + 1) / 2 elements.
fn order(free: usize) -> usize {
    ((8 * free + 1).isqrt() - 1) / 2
}

/// Calls `f` with the row, the column and the position in the triangle of each element.
fn each(free: usize, mut f: impl FnMut(usize, usize, usize)) {
    let mut at = 0;
    for i in 0..order(free) {
        for j in 0..=i {
            f(i, j, at);
            at += 1;
        }
    }
}

impl RowMap for Triangle {
    const NAME: &'static str = "lower_cholesky";
    const LOG_DET: &'static str = "lower_cholesky_log_det";

    fn constrain<F: Real>(z: &[F], x: &mut [F]) {
        let n = order(z.len());
        x.fill(F::ZERO);
        each(z.len(), |i, j, at| {
            x[i * n + j] = if i == j { z[at].exp() } else { z[at] }
        });
    }

    fn pull_back<F: Real>(z: &[F], x: &[F], d_x: &[F], d_z: &mut [F]) {
        let n = order(z.len());
        each(z.len(), |i, j, at| {
            let slope = if i == j { x[i * n + j] } else { F::ONE };
            d_z[at] += d_x[i * n + j] * slope;
        });
    }

    fn log_det<F: Real>(z: &[F]) -> f64 {
        let mut sum = 0.0;
        each(z.len(), |i, j, at| sum += if i == j { z[at].to_f64() } else { 0.0 });
        sum
    }

    fn pull_back_log_det<F: Real>(_: &[F], seed: F, d_z: &mut [F]) {
        each(d_z.len(), |i, j, at| {
            if i == j {
                d_z[at] += seed;
            }
        });
    }
}

#[cfg(test)]
bijector_tests! {
    LowerCholesky; event [2, 2], free [0, 2, 3]; [0.5, -2.0, 1.0], [-1.0, 0.0, 0.0]; [800.0, -800.0, -300.0] => 500.0
}
