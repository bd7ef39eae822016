//! Bulk uniform and normal draws, from sixteen generators side by side.
//!
//! A slice is filled in chunks of [`CHUNK`] elements, each from its own key, so that the numbers depend on nothing but
//! the key and the position: not on the instruction set, the threads, nor on how much is drawn at once.

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::random::xoshiro::{LANES, Lanes};
use crate::kernels::real::Real;
use crate::rng::Key;

/// The number of elements that are drawn from one key.
pub const CHUNK: usize = 4096;

/// The number of words, or pairs of normals, that are held between the generator and the transform.
const BLOCK: usize = 128;

/// Fills `out` with independent uniform numbers of the open interval (0, 1): chunk i is [`uniform_chunk`] i.
pub fn fill_uniform<F: Real>(key: Key, out: &mut [F]) {
    fill_uniform_from(key, 0, out);
}

/// Fills `out` with the numbers of [`fill_uniform`] from number `first` on.
///
/// # Panics
/// If `first` is no multiple of [`CHUNK`].
pub fn fill_uniform_from<F: Real>(key: Key, first: usize, out: &mut [F]) {
    for (k, out) in out.chunks_mut(CHUNK).enumerate() {
        uniform_chunk(key, chunk_of(first) + k, out);
    }
}

/// Fills `out` with independent standard normal numbers: chunk i is [`normal_chunk`] i.
pub fn fill_normal<F: Real>(key: Key, out: &mut [F]) {
    fill_normal_from(key, 0, out);
}

/// Fills `out` with the numbers of [`fill_normal`] from number `first` on.
///
/// # Panics
/// If `first` is no multiple of [`CHUNK`].
pub fn fill_normal_from<F: Real>(key: Key, first: usize, out: &mut [F]) {
    for (k, out) in out.chunks_mut(CHUNK).enumerate() {
        normal_chunk(key, chunk_of(first) + k, out);
    }
}

/// Returns the number of the chunk that begins at number `first`.
fn chunk_of(first: usize) -> usize {
    assert!(
        first.is_multiple_of(CHUNK),
        "no chunk of {CHUNK} numbers begins at number {first}"
    );
    first / CHUNK
}

/// Writes the first numbers of this chunk of [`fill_uniform`].
///
/// # Panics
/// If `out` is longer than a chunk.
pub fn uniform_chunk<F: Real>(key: Key, chunk: usize, out: &mut [F]) {
    assert!(
        out.len() <= CHUNK,
        "uniform_chunk: {} numbers are more than a chunk of {CHUNK}",
        out.len()
    );
    dispatch(Uniforms {
        key: key.split(chunk as u64),
        out,
    });
}

/// Writes the first numbers of this chunk of [`fill_normal`].
///
/// # Panics
/// If `out` is longer than a chunk.
pub fn normal_chunk<F: Real>(key: Key, chunk: usize, out: &mut [F]) {
    assert!(
        out.len() <= CHUNK,
        "normal_chunk: {} numbers are more than a chunk of {CHUNK}",
        out.len()
    );
    dispatch(Normals {
        key: key.split(chunk as u64),
        out,
    });
}

/// Writes the next word of each lane to sixteen places from `at`.
#[inline(always)]
fn write_words(lanes: &mut Lanes, words: &mut [u32; BLOCK], at: usize) {
    words[at..at + LANES].copy_from_slice(&lanes.next());
}

struct Uniforms<'a, F> {
    key: Key,
    out: &'a mut [F],
}

impl<F: Real> Loop for Uniforms<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let mut lanes = Lanes::new(self.key);
        let (mut high, mut low) = ([0; BLOCK], [0; BLOCK]);
        for out in self.out.chunks_mut(BLOCK) {
            for at in (0..out.len()).step_by(LANES) {
                write_words(&mut lanes, &mut high, at);
                if F::WORDS == 2 {
                    write_words(&mut lanes, &mut low, at);
                }
            }
            for ((out, &high), &low) in out.iter_mut().zip(&high).zip(&low) {
                *out = F::uniform([high, low]);
            }
        }
    }
}

struct Normals<'a, F> {
    key: Key,
    out: &'a mut [F],
}

impl<F: Real> Loop for Normals<'_, F> {
    type Out = ();

    /// Sixteen radii are followed by the sixteen angles that go with them, sixteen cosines by their sines.
    #[inline(always)]
    fn run(self) {
        let mut lanes = Lanes::new(self.key);
        let [mut radius, mut radius_low, mut angle, mut angle_low] = [[0; BLOCK]; 4];
        let (mut x, mut y) = ([F::ZERO; BLOCK], [F::ZERO; BLOCK]);
        for out in self.out.chunks_mut(2 * BLOCK) {
            let n_pairs = out.len().div_ceil(2 * LANES) * LANES;
            for at in (0..n_pairs).step_by(LANES) {
                write_words(&mut lanes, &mut radius, at);
                if F::WORDS == 2 {
                    write_words(&mut lanes, &mut radius_low, at);
                }
                write_words(&mut lanes, &mut angle, at);
                if F::WORDS == 2 {
                    write_words(&mut lanes, &mut angle_low, at);
                }
            }
            for i in 0..n_pairs.min(BLOCK) {
                (x[i], y[i]) = F::normal_pair([radius[i], radius_low[i]], [angle[i], angle_low[i]]);
            }
            interleave(&x, &y, out);
        }
    }
}

/// Writes sixteen of x, sixteen of y, and so on, until `out` is full.
#[inline(always)]
fn interleave<F: Real>(x: &[F; BLOCK], y: &[F; BLOCK], out: &mut [F]) {
    let (batches, rest) = out.as_chunks_mut::<{ 2 * LANES }>();
    let n_batches = batches.len();
    let (x, _) = x.as_chunks::<LANES>();
    let (y, _) = y.as_chunks::<LANES>();
    for (batch, (x, y)) in batches.iter_mut().zip(x.iter().zip(y)) {
        batch[..LANES].copy_from_slice(x);
        batch[LANES..].copy_from_slice(y);
    }
    if !rest.is_empty() {
        for (out, &value) in rest.iter_mut().zip(x[n_batches].iter().chain(&y[n_batches])) {
            *out = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dispatch::on_every_level;

    /// Unoptimised tests draw less.
    const N: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

    fn normals<F: Real>(seed: u64) -> Vec<F> {
        let mut z = vec![F::ZERO; N];
        fill_normal(Key::new(seed), &mut z);
        z
    }

    /// Returns Φ(z).
    fn normal_cdf(z: f64) -> f64 {
        0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
    }

    /// Checks √n sup |Fₙ − F| against 1.95, which it exceeds with probability 0.001.
    fn check_kolmogorov_smirnov<F: Real>(draws: &[F], cdf: impl Fn(f64) -> f64) {
        let mut sorted: Vec<f64> = draws.iter().map(|x| x.to_f64()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let distance = sorted.iter().enumerate().map(|(i, &x)| {
            let p = cdf(x);
            (p - i as f64 / n).max((i + 1) as f64 / n - p)
        });
        let statistic = distance.fold(0.0, f64::max) * n.sqrt();
        assert!(statistic < 1.95, "Kolmogorov–Smirnov statistic {statistic}");
    }

    /// Checks the mean of `power` against its expectation in units of its standard error, `deviation` / √n.
    fn check_mean<F: Real>(draws: &[F], power: impl Fn(f64) -> f64, expectation: f64, deviation: f64) {
        let n = draws.len() as f64;
        let mean = draws.iter().map(|x| power(x.to_f64())).sum::<f64>() / n;
        let score = (mean - expectation) / deviation * n.sqrt();
        assert!(
            score.abs() < 3.5,
            "mean {mean} against {expectation}: {score} standard errors"
        );
    }

    fn check_normal_law<F: Real>(seed: u64) {
        let z = normals::<F>(seed);
        check_kolmogorov_smirnov(&z, normal_cdf);
        // Var zᵏ = E z²ᵏ − (E zᵏ)², with E z⁴ = 3, E z⁶ = 15, E z⁸ = 105.
        check_mean(&z, |z| z, 0.0, 1.0);
        check_mean(&z, |z| z * z, 1.0, 2.0_f64.sqrt());
        check_mean(&z, |z| z.powi(3), 0.0, 15.0_f64.sqrt());
        check_mean(&z, |z| z.powi(4), 3.0, 96.0_f64.sqrt());
        for bound in [3.0, 4.0] {
            let p = 2.0 * normal_cdf(-bound);
            check_mean(
                &z,
                |z| if z.abs() > bound { 1.0 } else { 0.0 },
                p,
                (p * (1.0 - p)).sqrt(),
            );
        }
        // Neighbours in a lane, in a batch, and the two of a pair.
        for lag in [1, 15, 16, 17, 32, 4096] {
            let products: Vec<f64> = z[lag..].iter().zip(&z).map(|(x, y)| x.to_f64() * y.to_f64()).collect();
            check_mean(&products, |p| p, 0.0, 1.0);
            let squares: Vec<f64> = z[lag..]
                .iter()
                .zip(&z)
                .map(|(x, y)| (x.to_f64() * y.to_f64()).powi(2))
                .collect();
            check_mean(&squares, |p| p, 1.0, 8.0_f64.sqrt());
        }
    }

    #[test]
    fn normals_follow_the_normal_law() {
        check_normal_law::<f64>(1);
        check_normal_law::<f32>(2);
    }

    #[test]
    fn uniforms_follow_the_uniform_law() {
        fn check<F: Real>(seed: u64) {
            let mut u = vec![F::ZERO; N];
            fill_uniform(Key::new(seed), &mut u);
            assert!(u.iter().all(|&u| u > F::ZERO && u < F::ONE));
            check_kolmogorov_smirnov(&u, |u| u);
            check_mean(&u, |u| u, 0.5, (1.0_f64 / 12.0).sqrt());
        }
        check::<f64>(3);
        check::<f32>(4);
    }

    #[test]
    fn chunks_are_independent_of_each_other() {
        let key = Key::new(7);
        let mut whole = vec![0.0_f64; 10_000];
        fill_normal(key, &mut whole);
        let mut pieces = vec![0.0_f64; 10_000];
        for (chunk, piece) in pieces
            .chunks_mut(CHUNK)
            .enumerate()
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            normal_chunk(key, chunk, piece);
        }
        assert_eq!(whole, pieces);
        assert_ne!(whole[..100], whole[CHUNK..CHUNK + 100]);
    }

    #[test]
    fn short_slices_hold_the_beginning_of_long_ones() {
        for n in [1, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 1000] {
            let (mut short, mut long) = (vec![0.0_f32; n], vec![0.0_f32; 2000]);
            fill_normal(Key::new(8), &mut short);
            fill_normal(Key::new(8), &mut long);
            assert_eq!(short, long[..n], "{n} normals");
            fill_uniform(Key::new(8), &mut short);
            fill_uniform(Key::new(8), &mut long);
            assert_eq!(short, long[..n], "{n} uniforms");
        }
    }

    #[test]
    fn every_instruction_set_draws_the_same_bits() {
        struct Both<F>(Vec<F>, Vec<F>);
        impl<F: Real> Loop for Both<F> {
            type Out = Vec<F>;
            #[inline(always)]
            fn run(mut self) -> Vec<F> {
                Normals {
                    key: Key::new(9),
                    out: &mut self.0,
                }
                .run();
                Uniforms {
                    key: Key::new(9),
                    out: &mut self.1,
                }
                .run();
                self.0.extend(self.1);
                self.0
            }
        }
        let doubles = on_every_level(|| Both(vec![0.0_f64; 3000], vec![0.0_f64; 3000]));
        let floats = on_every_level(|| Both(vec![0.0_f32; 3000], vec![0.0_f32; 3000]));
        assert!(doubles.iter().all(|(_, draws)| *draws == doubles[0].1));
        assert!(floats.iter().all(|(_, draws)| *draws == floats[0].1));
    }

    #[test]
    fn first_numbers_stay_as_they_are() {
        let (mut z64, mut z32, mut u64s, mut u32s) = ([0.0_f64; 3], [0.0_f32; 3], [0.0_f64; 3], [0.0_f32; 3]);
        fill_normal(Key::new(42), &mut z64);
        fill_normal(Key::new(42), &mut z32);
        fill_uniform(Key::new(42), &mut u64s);
        fill_uniform(Key::new(42), &mut u32s);
        assert_eq!(z64, [-1.05378306606155, -2.5599081343966152, -0.8545078180528954]);
        assert_eq!(z32, [1.2165315, 1.9478215, 0.8568239]);
        assert_eq!(u64s, [0.3726539474834224, 0.0347957986256468, 0.6850858687021414]);
        assert_eq!(u32s, [0.37265396, 0.0347958, 0.6850859]);
    }
}
