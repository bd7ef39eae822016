//! Autocovariances of one chain: the first few by direct sums, the many of a slowly mixing chain by the Fourier transform.

use std::f64::consts::PI;

use crate::draws::mean;

/// From this lag on, all lags at once by the Fourier transform are cheaper than one by one.
const N_DIRECT: usize = 64;

/// The number of interleaved partial sums of a dot product.
const LANES: usize = 8;

/// A chain about its mean, whose autocovariances are computed as they are asked for.
pub(super) struct Autocovariance {
    centred: Vec<f64>,
    by_lag: Vec<f64>,
}

impl Autocovariance {
    pub(super) fn new(chain: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let centre = mean(chain.clone());
        Autocovariance {
            centred: chain.map(|x| x - centre).collect(),
            by_lag: Vec::new(),
        }
    }

    /// Returns the sum of x_i x_{i + lag} about the mean, divided by the length of the chain.
    pub(super) fn at(&mut self, lag: usize) -> f64 {
        let n = self.centred.len();
        if lag < N_DIRECT {
            return dot(&self.centred[..n - lag], &self.centred[lag..]) / n as f64;
        }
        if self.by_lag.is_empty() {
            self.by_lag = by_fourier_transform(&self.centred);
        }
        self.by_lag[lag]
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        for ((sum, x), y) in partial.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    partial.iter().sum::<f64>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// Returns the autocovariances of all lags: the transform of the squared absolute transform of the padded chain.
fn by_fourier_transform(centred: &[f64]) -> Vec<f64> {
    let n = centred.len();
    let size = (2 * n).next_power_of_two();
    let mut values: Vec<(f64, f64)> = centred.iter().map(|&x| (x, 0.0)).collect();
    values.resize(size, (0.0, 0.0));
    fourier_transform(&mut values);
    for (re, im) in &mut values {
        (*re, *im) = (*re * *re + *im * *im, 0.0);
    }
    // The spectrum is real and even, so that a second forward transform is the inverse up to the factor `size`.
    fourier_transform(&mut values);
    values[..n]
        .iter()
        .map(|(re, _)| re / (size as f64 * n as f64))
        .collect()
}

/// Transforms pairs of real and imaginary parts in place, by decimation in time; their number is a power of two.
fn fourier_transform(values: &mut [(f64, f64)]) {
    let size = values.len();
    let shift = usize::BITS - size.trailing_zeros();
    for i in 0..size {
        let j = i.reverse_bits().checked_shr(shift).unwrap_or(0);
        if i < j {
            values.swap(i, j);
        }
    }
    let roots: Vec<(f64, f64)> = (0..size / 2)
        .map(|k| -2.0 * PI * k as f64 / size as f64)
        .map(|angle| (libm::cos(angle), libm::sin(angle)))
        .collect();
    let mut half = 1;
    while half < size {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), w) in low.iter_mut().zip(high).zip(roots.iter().step_by(size / (2 * half))) {
                let turned = (b.0 * w.0 - b.1 * w.1, b.0 * w.1 + b.1 * w.0);
                (*a, *b) = ((a.0 + turned.0, a.1 + turned.1), (a.0 - turned.0, a.1 - turned.1));
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize) -> Vec<f64> {
        (0..n)
            .map(|i| (i as f64 * 0.37).sin() + (i * i % 11) as f64 * 0.1)
            .collect()
    }

    #[test]
    fn direct_sums_and_the_transform_agree_with_the_definition() {
        for n in [1, 2, 3, 70, 128, 333] {
            let chain = wave(n);
            let centre = chain.iter().sum::<f64>() / n as f64;
            let mut got = Autocovariance::new(chain.iter().copied());
            let transformed = by_fourier_transform(&got.centred);
            for lag in 0..n {
                let products = (0..n - lag).map(|i| (chain[i] - centre) * (chain[i + lag] - centre));
                let expected = products.sum::<f64>() / n as f64;
                assert!(
                    (got.at(lag) - expected).abs() < 1e-14,
                    "lag {lag} of {n}: {}, {expected}",
                    got.at(lag)
                );
                assert!(
                    (transformed[lag] - expected).abs() < 1e-14,
                    "lag {lag} of {n}: {}",
                    transformed[lag]
                );
            }
        }
    }
}
