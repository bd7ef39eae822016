//! Running sums of exponentials: onto vectors whose elements ascend.

use crate::bijectors::Bijector;
use crate::bijectors::row_map::{self, RowMap};
use crate::kernels::real::Real;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x₀ = z₀ and xᵢ = xᵢ₋₁ + exp(zᵢ), along the last axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ordered;

impl<'t> Bijector<'t> for Ordered {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        let k = z.event_shape().last().copied().unwrap_or(0);
        row_map::constrain::<Ascend>(z, &[k])
    }

    fn unconstrain(&self, x: &[f64], event: &[usize]) -> Vec<f64> {
        let k = event.last().copied().unwrap_or(1).max(1);
        let step = |(i, &x_i): (usize, &f64)| if i % k == 0 { x_i } else { (x_i - x[i - 1]).ln() };
        x.iter().enumerate().map(step).collect()
    }

    /// ln |det| = Σᵢ zᵢ over all elements but the first
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(row_map::log_det::<Ascend>(z))
    }
}

struct Ascend;

impl RowMap for Ascend {
    const NAME: &'static str = "ordered";
    const LOG_DET: &'static str = "ordered_log_det";

    fn constrain<F: Real>(z: &[F], x: &mut [F]) {
        for i in 0..z.len() {
            x[i] = if i == 0 { z[0] } else { x[i - 1] + z[i].exp() };
        }
    }

    fn pull_back<F: Real>(z: &[F], _: &[F], d_x: &[F], d_z: &mut [F]) {
        let mut later = F::ZERO;
        for i in (0..z.len()).rev() {
            later += d_x[i];
            d_z[i] += if i == 0 { later } else { later * z[i].exp() };
        }
    }

    fn log_det<F: Real>(z: &[F]) -> f64 {
        z.iter().skip(1).map(|z| z.to_f64()).sum()
    }

    fn pull_back_log_det<F: Real>(_: &[F], seed: F, d_z: &mut [F]) {
        d_z.iter_mut().skip(1).for_each(|d| *d += seed);
    }
}

#[cfg(test)]
bijector_tests! {
    Ordered; event [3], free [0, 1, 2]; [0.5, -2.0, 1.0], [-1.0, 0.0, 0.0]; [800.0, -800.0, 300.0] => -500.0
}
