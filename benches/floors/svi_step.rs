//! One step of SVI on a Bayesian network 784-1024-10 by hand: mean-field normal guide, softplus scales, Adam.

use posterior::__private::kernels::{Loop, dispatch, gemm, sum3};
use posterior::core::kernels::random::fill_normal;
use posterior::core::kernels::real::Real;
use posterior::core::optim::{Adam, Optimizer, State};
use posterior::core::rng::Key;

/// The widths of the layers.
pub const SIZES: [usize; 3] = [784, 1024, 10];
/// Images a step.
pub const BATCH: usize = 128;
const W1: usize = SIZES[0] * SIZES[1];
const B1: usize = W1 + SIZES[1];
const W2: usize = B1 + SIZES[1] * SIZES[2];
/// The number of weights and biases.
pub const N: usize = W2 + SIZES[2];

/// Parameters and all buffers.
pub struct Step {
    /// Means, then raw scales.
    pub params: Vec<f32>,
    gradient: Vec<f32>,
    noise: Vec<f32>,
    scale: Vec<f32>,
    weights: Vec<f32>,
    d_weights: Vec<f32>,
    hidden: Vec<f32>,
    d_hidden: Vec<f32>,
    logits: Vec<f32>,
    optimizer: Adam,
    moments: State<f32>,
}

impl Step {
    /// Returns the step before the first.
    pub fn new() -> Self {
        let mut params = vec![0.0; 2 * N];
        fill_normal(Key::new(1), &mut params);
        let optimizer = Adam::new(0.01);
        Step {
            gradient: vec![0.0; 2 * N],
            noise: vec![0.0; N],
            scale: vec![0.0; N],
            weights: vec![0.0; N],
            d_weights: vec![0.0; N],
            hidden: vec![0.0; BATCH * SIZES[1]],
            d_hidden: vec![0.0; BATCH * SIZES[1]],
            logits: vec![0.0; BATCH * SIZES[2]],
            moments: Optimizer::<f32>::init(&optimizer, 2 * N),
            optimizer,
            params,
        }
    }

    /// Makes one step on a batch and returns the loss.
    pub fn step(&mut self, key: Key, x: &[f32], labels: &[usize]) -> f64 {
        fill_normal(key, &mut self.noise);
        let (loc, raw) = self.params.split_at(N);
        let divergence = dispatch(Draw {
            loc,
            raw,
            noise: &self.noise,
            scale: &mut self.scale,
            weights: &mut self.weights,
        });
        let loss = divergence + self.forward(x, labels);
        self.backward(x);
        let (_, raw) = self.params.split_at(N);
        let (d_loc, d_raw) = self.gradient.split_at_mut(N);
        dispatch(Finish {
            raw,
            scale: &self.scale,
            noise: &self.noise,
            weights: &self.weights,
            d_weights: &self.d_weights,
            d_loc,
            d_raw,
        });
        self.optimizer.step(&mut self.moments, &mut self.params, &self.gradient);
        loss
    }

    /// Returns −log p(labels), and leaves its derivatives by the logits in their place.
    fn forward(&mut self, x: &[f32], labels: &[usize]) -> f64 {
        let [n_in, n_hidden, n_out] = SIZES;
        let (hidden, logits) = (&mut self.hidden, &mut self.logits);
        let (w1, b1) = (&self.weights[..W1], &self.weights[W1..B1]);
        let (w2, b2) = (&self.weights[B1..W2], &self.weights[W2..]);
        hidden
            .chunks_exact_mut(n_hidden)
            .for_each(|row| row.copy_from_slice(b1));
        gemm(BATCH, n_in, n_hidden, x, false, w1, false, 1.0, 1.0, hidden);
        hidden.iter_mut().for_each(|h| *h = f32::max(*h, 0.0));
        logits.chunks_exact_mut(n_out).for_each(|row| row.copy_from_slice(b2));
        gemm(BATCH, n_hidden, n_out, hidden, false, w2, false, 1.0, 1.0, logits);
        let mut loss = 0.0;
        for (row, &label) in logits.chunks_exact_mut(n_out).zip(labels) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = row.iter().map(|z| (z - top).exp()).sum();
            loss -= (row[label] - top - total.ln()) as f64;
            row.iter_mut().for_each(|z| *z = (*z - top).exp() / total);
            row[label] -= 1.0;
        }
        loss
    }

    /// Writes the derivatives of −log p(labels) by the weights.
    fn backward(&mut self, x: &[f32]) {
        let [n_in, n_hidden, n_out] = SIZES;
        let (hidden, d_hidden, d_logits) = (&self.hidden, &mut self.d_hidden, &self.logits);
        let w2 = &self.weights[B1..W2];
        let (d_w1, rest) = self.d_weights.split_at_mut(W1);
        let (d_b1, rest) = rest.split_at_mut(n_hidden);
        let (d_w2, d_b2) = rest.split_at_mut(n_hidden * n_out);
        gemm(n_hidden, BATCH, n_out, hidden, true, d_logits, false, 1.0, 0.0, d_w2);
        gemm(BATCH, n_out, n_hidden, d_logits, false, w2, true, 1.0, 0.0, d_hidden);
        d_hidden
            .iter_mut()
            .zip(hidden)
            .for_each(|(d, &h)| *d = if h > 0.0 { *d } else { 0.0 });
        sum_rows(d_hidden, d_b1);
        sum_rows(d_logits, d_b2);
        gemm(n_in, BATCH, n_hidden, x, true, d_hidden, false, 1.0, 0.0, d_w1);
    }
}

fn sum_rows(rows: &[f32], sum: &mut [f32]) {
    sum.fill(0.0);
    rows.chunks_exact(sum.len())
        .for_each(|row| sum.iter_mut().zip(row).for_each(|(b, d)| *b += d));
}

/// Draws weights and sums log q − log p over them.
struct Draw<'a> {
    loc: &'a [f32],
    raw: &'a [f32],
    noise: &'a [f32],
    scale: &'a mut [f32],
    weights: &'a mut [f32],
}

impl Loop for Draw<'_> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        const BLOCK: usize = 256;
        let mut total = 0.0;
        let mut terms = [0.0_f32; BLOCK];
        for start in (0..self.loc.len()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.loc.len());
            let m = range.len();
            let (loc, raw, noise) = (
                &self.loc[range.clone()],
                &self.raw[range.clone()],
                &self.noise[range.clone()],
            );
            let (scale, weights) = (&mut self.scale[range.clone()], &mut self.weights[range]);
            for i in 0..m {
                let s = Real::softplus(raw[i]);
                let w = loc[i] + s * noise[i];
                scale[i] = s;
                weights[i] = w;
                terms[i] = 0.5 * (w * w - noise[i] * noise[i]) - Real::ln(s);
            }
            total += sum3(&terms[..m], &terms[..m], &terms[..m], |a, _, _| a);
        }
        total
    }
}

/// The gradient by means and raw scales.
struct Finish<'a> {
    raw: &'a [f32],
    scale: &'a [f32],
    noise: &'a [f32],
    weights: &'a [f32],
    d_weights: &'a [f32],
    d_loc: &'a mut [f32],
    d_raw: &'a mut [f32],
}

impl Loop for Finish<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.raw.len();
        let (scale, noise, weights, d_weights) = (
            &self.scale[..n],
            &self.noise[..n],
            &self.weights[..n],
            &self.d_weights[..n],
        );
        let (d_loc, d_raw) = (&mut self.d_loc[..n], &mut self.d_raw[..n]);
        for i in 0..n {
            let d = d_weights[i] + weights[i];
            d_loc[i] = d;
            d_raw[i] = (d * noise[i] - 1.0 / scale[i]) * Real::sigmoid(self.raw[i]);
        }
    }
}
