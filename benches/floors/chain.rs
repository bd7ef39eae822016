//! A chain of elementwise operations by hand, in one pass.

use posterior::__private::kernels::{Loop, dispatch, sum3};
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
        const BLOCK: usize = 256;
        let (mut value, mut d_a, mut d_b) = (0.0, 0.0, 0.0);
        let (mut terms, mut slopes) = ([0.0; BLOCK], [0.0; BLOCK]);
        for x in self.x.chunks(BLOCK) {
            let m = x.len();
            for i in 0..m {
                let t = Real::tanh(a * x[i] + b);
                terms[i] = t * t;
                slopes[i] = -2.0 * t * (1.0 - t * t);
            }
            value -= sum3(&terms[..m], &terms[..m], &terms[..m], |a, _, _| a);
            d_a += sum3(&slopes[..m], x, x, |d, x, _| d * x);
            d_b += sum3(&slopes[..m], x, x, |d, _, _| d);
        }
        self.gradient[0] = d_a - a;
        self.gradient[1] = d_b - b;
        value - 0.5 * (a * a + b * b) - 2.0 * super::HALF_LN_TWO_PI
    }
}
