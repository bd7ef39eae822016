//! Pieces of saddle-point forms that distributions share.

use crate::math::gamma::digamma;

/// Returns ln a − ψ(a) for a > 0, which falls like 1 / (2a) and keeps its digits there.
pub(crate) fn ln_minus_digamma(a: f64) -> f64 {
    /// B₂ₙ / 2n for n = 1, 2, …: the coefficients of a⁻²ⁿ in the asymptotic expansion (DLMF 5.11.2).
    const SERIES: [f64; 6] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32760.0,
    ];
    if a < 16.0 {
        return a.ln() - digamma(a);
    }
    let w = 1.0 / (a * a);
    0.5 / a + w * SERIES.iter().rev().fold(0.0, |tail, c| tail * w + c)
}
