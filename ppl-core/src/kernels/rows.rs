//! Checks that slices are whole rows of one width.

/// Panics unless `x` and `out` have one length, a multiple of n.
pub(super) fn check_rows<F>(name: &str, n: usize, x: &[F], out: &[F]) {
    let whole = if n == 0 {
        x.is_empty()
    } else {
        x.len().is_multiple_of(n)
    };
    assert!(
        x.len() == out.len() && whole,
        "{name}: {} and {} elements are not rows of {n}",
        x.len(),
        out.len()
    );
}
