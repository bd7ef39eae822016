//! Limits on a gradient: on each element, or on the length of the whole.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;

/// The number of interleaved partial sums of squares: two wide registers of f64.
const LANES: usize = 16;

/// A limit on the gradient before it is used, above zero; an infinite one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Each element is cut to [−limit, limit].
    Value(f64),
    /// The whole gradient is shortened to this Euclidean length if it is longer.
    Norm(f64),
}

impl Clip {
    /// Returns the factor for the whole gradient, limit / max(limit, ‖grad‖) for a norm and 1 for elements.
    ///
    /// The squares are summed in f64, in an order that depends only on the number of elements.
    pub(super) fn grad_scale<F: Real>(&self, grad: &[F]) -> f64 {
        match *self {
            Clip::Value(_) => 1.0,
            Clip::Norm(limit) => {
                let norm = dispatch(SumOfSquares { x: grad }).sqrt();
                if norm > limit { limit / norm } else { 1.0 }
            }
        }
    }

    /// Returns the limit on the size of each element, infinite for a norm.
    pub(super) fn element_limit(&self) -> f64 {
        match *self {
            Clip::Value(limit) => limit,
            Clip::Norm(_) => f64::INFINITY,
        }
    }
}

struct SumOfSquares<'a, F> {
    x: &'a [F],
}

impl<F: Real> Loop for SumOfSquares<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut partial = [0.0; LANES];
        let (blocks, rest) = self.x.as_chunks::<LANES>();
        for block in blocks {
            for (sum, x) in partial.iter_mut().zip(block) {
                *sum += x.to_f64() * x.to_f64();
            }
        }
        partial.iter().sum::<f64>() + rest.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_counts_every_element_once() {
        // 1² + 2² + … + n² = n (n + 1) (2n + 1) / 6, all exact in f64.
        for n in [1_usize, 15, 16, 17, 100] {
            let grad: Vec<f32> = (1..=n).map(|x| x as f32).collect();
            let norm = ((n * (n + 1) * (2 * n + 1) / 6) as f64).sqrt();
            assert_eq!(Clip::Norm(0.5).grad_scale(&grad), 0.5 / norm);
        }
    }

    #[test]
    fn a_long_gradient_is_shortened_to_the_limit() {
        assert_eq!(Clip::Norm(1.0).grad_scale(&[3.0_f64, 4.0]), 0.2);
        assert_eq!(Clip::Norm(10.0).grad_scale(&[3.0_f32, 4.0]), 1.0);
        assert_eq!(Clip::Value(1.0).grad_scale(&[3.0_f64, 4.0]), 1.0);
    }

    #[test]
    fn only_value_clipping_limits_elements() {
        assert_eq!(Clip::Value(2.5).element_limit(), 2.5);
        assert_eq!(Clip::Norm(2.5).element_limit(), f64::INFINITY);
    }
}
