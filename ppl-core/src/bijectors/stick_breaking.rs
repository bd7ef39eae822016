//! Stick breaking: onto vectors of numbers above zero that sum to one.

use crate::bijectors::Bijector;
use crate::bijectors::row_map::{self, RowMap};
use crate::kernels::real::Real;
use crate::math::logspace::{sigmoid, softplus};
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x of k elements from k − 1: element i is the part σ(zᵢ − ln(k − 1 − i)) of what the earlier ones left of one.
///
/// z = 0 gives equal elements. Everything is computed from logarithms, so that elements may be as small as numbers get.
#[derive(Clone, Copy, Debug, Default)]
pub struct StickBreaking;

impl<'t> Bijector<'t> for StickBreaking {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        let free = z.event_shape().last().copied().unwrap_or(0);
        row_map::constrain::<Stick>(z, &[free + 1])
    }

    fn unconstrain(&self, x: &[f64], event: &[usize]) -> Vec<f64> {
        let k = event.last().copied().unwrap_or(1).max(1);
        let mut z = Vec::new();
        for row in x.chunks_exact(k) {
            let start = z.len();
            let mut left = row[k - 1];
            for i in (0..k - 1).rev() {
                z.push(row[i].ln() - left.ln() + ((k - 1 - i) as f64).ln());
                left += row[i];
            }
            z[start..].reverse();
        }
        z
    }

    /// ln |det| = Σᵢ ln xᵢ over all k elements
    fn log_det(&self, z: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(row_map::log_det::<Stick>(z))
    }

    fn unconstrained_event(&self, event: &[usize]) -> Shape {
        let mut free = Shape::from_slice(event);
        if let Some(k) = free.last_mut() {
            *k = k.saturating_sub(1);
        }
        free
    }
}

struct Stick;

/// Returns the logit of the part that element `i` of k = `free` + 1 takes.
fn logit<F: Real>(z: &[F], i: usize) -> f64 {
    z[i].to_f64() - ((z.len() - i) as f64).ln()
}

impl RowMap for Stick {
    const NAME: &'static str = "stick_breaking";
    const LOG_DET: &'static str = "stick_breaking_log_det";

    fn constrain<F: Real>(z: &[F], x: &mut [F]) {
        let mut left = 0.0;
        let (last, others) = x.split_last_mut().expect("a simplex has an element");
        for (i, x) in others.iter_mut().enumerate() {
            let t = logit(z, i);
            *x = F::from_f64((left - softplus(-t)).exp());
            left -= softplus(t);
        }
        *last = F::from_f64(left.exp());
    }

    fn pull_back<F: Real>(z: &[F], x: &[F], d_x: &[F], d_z: &mut [F]) {
        let slope = |i: usize| d_x[i].to_f64() * x[i].to_f64();
        let mut later = slope(z.len());
        for i in (0..z.len()).rev() {
            let t = logit(z, i);
            d_z[i] += F::from_f64(slope(i) * sigmoid(-t) - later * sigmoid(t));
            later += slope(i);
        }
    }

    fn log_det<F: Real>(z: &[F]) -> f64 {
        let (mut left, mut sum) = (0.0, 0.0);
        for i in 0..z.len() {
            let t = logit(z, i);
            sum += left - softplus(-t);
            left -= softplus(t);
        }
        sum + left
    }

    fn pull_back_log_det<F: Real>(z: &[F], seed: F, d_z: &mut [F]) {
        for (i, d) in d_z.iter_mut().enumerate() {
            let t = logit(z, i);
            let slope = sigmoid(-t) - sigmoid(t) * (z.len() - i) as f64;
            *d += seed * F::from_f64(slope);
        }
    }
}

#[cfg(test)]
bijector_tests! {
    StickBreaking; event [3], free [0, 1];
    [0.5, -2.0], [0.0, 0.0], [-3.0, 1.0];
    // The logarithms of the elements are 0, (ln 2 − 800) − 800 and ln 2 − 800 up to e⁻⁷⁹⁹.
    [800.0, -800.0] => 2.0 * 2f64.ln() - 2400.0
}
