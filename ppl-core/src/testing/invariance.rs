//! The law of transitions: exact draws stay exact draws.
//!
//! Each of many independent starts makes one step; what comes out is compared with the distribution that went in by a
//! Kolmogorov–Smirnov or chi-square test. With 10⁵ starts a KS distance of 0.007 is noticed.

use crate::rng::{Generator, Key};

/// Below this p-value a transition counts as biased; seeds are fixed, so that a false alarm stays away once it is away.
const MIN_P: f64 = 1e-4;

/// The number of independent starts where a step is cheap.
pub(crate) const N_STARTS: usize = 100_000;

/// Draws from the target, makes a step, and compares the outcome with the cumulative distribution function `cdf`.
pub(crate) fn check_continuous(seed: u64, start_and_step: impl Fn(&mut Generator) -> f64, cdf: impl Fn(f64) -> f64) {
    check_functions(seed, N_STARTS, |rng| [start_and_step(rng)], [&cdf]);
}

/// Draws from the target, makes a step, and compares several functions of the outcome, each with its cumulative
/// distribution function.
pub(crate) fn check_functions<const K: usize>(
    seed: u64,
    n_starts: usize,
    start_and_step: impl Fn(&mut Generator) -> [f64; K],
    cdfs: [&dyn Fn(f64) -> f64; K],
) {
    let out: Vec<[f64; K]> = starts(seed, n_starts).map(|mut rng| start_and_step(&mut rng)).collect();
    for (k, cdf) in cdfs.into_iter().enumerate() {
        let mut values: Vec<f64> = out.iter().map(|x| x[k]).collect();
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        let distance = values.iter().enumerate().fold(0.0_f64, |worst, (i, &x)| {
            let p = cdf(x);
            worst.max(p - i as f64 / n).max((i + 1) as f64 / n - p)
        });
        // The first term of Kolmogorov's series, exact to many digits for small p.
        let p = 2.0 * (-2.0 * n * distance * distance).exp();
        assert!(
            p > MIN_P,
            "the distribution of function {k} has moved: KS distance {distance}, p = {p:e}"
        );
    }
}

/// Draws from the target, makes a step, and compares how often each category came out with `probs`.
pub(crate) fn check_discrete(
    seed: u64,
    n_starts: usize,
    start_and_step: impl Fn(&mut Generator) -> usize,
    probs: &[f64],
) {
    let mut counts = vec![0.0; probs.len()];
    starts(seed, n_starts).for_each(|mut rng| counts[start_and_step(&mut rng)] += 1.0);
    let n: f64 = counts.iter().sum();
    let chi2: f64 = counts
        .iter()
        .zip(probs)
        .map(|(c, p)| (c - n * p).powi(2) / (n * p))
        .sum();
    let df = probs.len() as f64 - 1.0;
    // Wilson and Hilferty: the cube root of chi-square / df is nearly normal.
    let z = ((chi2 / df).cbrt() - 1.0 + 2.0 / (9.0 * df)) / (2.0 / (9.0 * df)).sqrt();
    assert!(
        z < 3.72,
        "the distribution has moved: chi-square {chi2} on {df} degrees of freedom, counts {counts:?}"
    );
}

fn starts(seed: u64, n_starts: usize) -> impl Iterator<Item = Generator> {
    let key = Key::new(seed);
    (0..n_starts as u64).map(move |i| key.split(i).generator())
}
