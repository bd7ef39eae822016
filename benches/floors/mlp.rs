//! A network 1-50-50-1 with normal priors and normal noise, by hand on matrix products.

use posterior::__private::kernels::{Loop, dispatch, gemm};
use posterior::core::kernels::real::Real;

use super::HALF_LN_TWO_PI;

/// Hidden units a layer.
pub const H: usize = 50;

/// The number of weights and biases.
pub const N_WEIGHTS: usize = H + H + H * H + H + H + 1;

/// The data and all buffers.
pub struct Mlp {
    /// Inputs.
    pub x: Vec<f64>,
    /// Responses.
    pub y: Vec<f64>,
    buffers: [Vec<f64>; 4],
}

impl Mlp {
    /// Returns the network for the data.
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Self {
        let n = x.len() * H;
        Mlp {
            x,
            y,
            buffers: std::array::from_fn(|_| vec![0.0; n]),
        }
    }

    /// Returns the log density at `theta` = (w₁, b₁, W₂, b₂, w₃, b₃) with noise 0.1, and writes its gradient.
    pub fn value_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let n = self.x.len();
        let cuts = [H, 2 * H, 2 * H + H * H, 3 * H + H * H, 4 * H + H * H];
        let part = |k: usize| &theta[if k == 0 { 0 } else { cuts[k - 1] }..if k == 5 { N_WEIGHTS } else { cuts[k] }];
        let [a1, a2, d1, d2] = &mut self.buffers;
        for i in 0..n {
            for h in 0..H {
                a1[i * H + h] = self.x[i] * part(0)[h] + part(1)[h];
            }
        }
        dispatch(Tanh { x: a1 });
        for row in a2.chunks_exact_mut(H) {
            row.copy_from_slice(part(3));
        }
        gemm(n, H, H, a1, false, part(2), false, 1.0, 1.0, a2);
        dispatch(Tanh { x: a2 });
        gradient.iter_mut().zip(theta).for_each(|(g, w)| *g = -w);
        let mut value = -0.5 * theta.iter().map(|w| w * w).sum::<f64>() - N_WEIGHTS as f64 * HALF_LN_TWO_PI;
        for i in 0..n {
            let row = &a2[i * H..][..H];
            let out = row.iter().zip(part(4)).map(|(a, w)| a * w).sum::<f64>() + part(5)[0];
            let e = (self.y[i] - out) * 10.0;
            value += -0.5 * e * e - HALF_LN_TWO_PI + 10.0_f64.ln();
            let d = e * 10.0;
            gradient[N_WEIGHTS - 1] += d;
            for h in 0..H {
                gradient[cuts[3] + h] += d * row[h];
                d2[i * H + h] = d * part(4)[h] * (1.0 - row[h] * row[h]);
            }
        }
        for row in d2.chunks_exact(H) {
            gradient[cuts[2]..cuts[3]]
                .iter_mut()
                .zip(row)
                .for_each(|(g, d)| *g += d);
        }
        gemm(H, n, H, a1, true, d2, false, 1.0, 1.0, &mut gradient[cuts[1]..cuts[2]]);
        gemm(n, H, H, d2, false, part(2), true, 1.0, 0.0, d1);
        for i in 0..n {
            for h in 0..H {
                let d = d1[i * H + h] * (1.0 - a1[i * H + h] * a1[i * H + h]);
                gradient[h] += d * self.x[i];
                gradient[H + h] += d;
            }
        }
        value
    }
}

struct Tanh<'a> {
    x: &'a mut [f64],
}

impl Loop for Tanh<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for x in self.x {
            *x = Real::tanh(*x);
        }
    }
}
