//! A chain of elementwise operations by hand, in one pass.

use posterior::core::kernels::dispatch::{Loop, dispatch};
use posterior::core::kernels::real::Real;

/// Returns −Σ tanh(a xᵢ + b)² − (a² + b²) / 2 − ln 2π and writes its gradient by a and b.
pub fn value_and_gradient(theta: &[f64], x: &[f64], gradient: &mut [f64]) -> f64 {
    dispatch(Run { theta, x, gradient })
}

struct Run<'a> {
    theta: &'a [f64],
    x: &'a [f64],
    gradient: &'a mut [f64],
}

impl Loop for Run<'_> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let (a, b) = (self.theta[0], self.theta[1]);
        let (mut value, mut d_a, mut d_b) = ([0.0; 8], [0.0; 8], [0.0; 8]);
        for x in self.x.chunks_exact(8) {
            for l in 0..8 {
                let t = Real::tanh(a * x[l] + b);
                value[l] -= t * t;
                let d = -2.0 * t * (1.0 - t * t);
                d_a[l] += d * x[l];
                d_b[l] += d;
            }
        }
        self.gradient[0] = d_a.iter().sum::<f64>() - a;
        self.gradient[1] = d_b.iter().sum::<f64>() - b;
        value.iter().sum::<f64>() - 0.5 * (a * a + b * b) - 2.0 * super::HALF_LN_TWO_PI
    }
}
