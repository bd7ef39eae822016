//! Test data and comparisons for kernels and their naive twins.

use crate::kernels::real::Real;

/// Returns `n` numbers in [-1, 1) that depend on the seed only.
pub fn fill<F: Real>(n: usize, seed: u64) -> Vec<F> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        F::from_f64((state >> 32) as f64 / (1u64 << 31) as f64 - 1.0)
    };
    (0..n).map(|_| draw()).collect()
}

/// Asserts that each `got` lies within `tolerance · (1 + |want|)` of `want`, or equals it (infinities, NaN).
#[track_caller]
pub fn assert_close<F: Real>(got: &[F], want: &[F], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let (g, w) = (g.to_f64(), w.to_f64());
        let equal = g == w || (g.is_nan() && w.is_nan());
        let error = (g - w).abs() / (1.0 + w.abs());
        assert!(
            equal || error <= tolerance,
            "{what}: [{i}] is {g:e}, twin {w:e}, error {error:e} > {tolerance:e}"
        );
    }
}

/// Returns the central differences of `f` at `x`, each coordinate moved by `step`.
pub fn differences(x: &[f64], step: f64, mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut point = x.to_vec();
    (0..x.len())
        .map(|i| {
            point[i] = x[i] + step;
            let above = f(&point);
            point[i] = x[i] - step;
            let below = f(&point);
            point[i] = x[i];
            (above - below) / (2.0 * step)
        })
        .collect()
}

/// Checks a written and an added adjoint against central differences of ⟨d_out, forward(x)⟩.
///
/// `adjoint` is given x, out, d_out, d_x and `overwrite`. The tolerance grows with the number of terms that round.
#[track_caller]
pub fn check_adjoint(
    x: &[f64],
    len_out: usize,
    forward: impl Fn(&[f64], &mut [f64]),
    adjoint: impl Fn(&[f64], &[f64], &[f64], &mut [f64], bool),
    what: &str,
) {
    let d_out = fill::<f64>(len_out, 77);
    let mut out = vec![0.0; len_out];
    let want = differences(x, 1e-5, |x| {
        forward(x, &mut out);
        out.iter().zip(&d_out).map(|(a, b)| a * b).sum()
    });
    let tolerance = 2e-10 * (10 + len_out) as f64;
    forward(x, &mut out);
    let mut d_x = vec![f64::NAN; x.len()];
    adjoint(x, &out, &d_out, &mut d_x, true);
    assert_close(&d_x, &want, tolerance, what);
    adjoint(x, &out, &d_out, &mut d_x, false);
    let doubled: Vec<f64> = want.iter().map(|w| 2.0 * w).collect();
    assert_close(&d_x, &doubled, 2.0 * tolerance, &format!("{what}, added"));
}
