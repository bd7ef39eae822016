//! Compares a log density and its gradient with those that they have to be.

const TOLERANCE: f64 = 1e-12;

/// Asserts that two values and gradients agree, relative to the larger of the value and one, and that they say something:
/// the value is finite and a derivative is not zero.
pub fn assert_same(what: &str, got: (f64, &[f64]), expected: (f64, &[f64])) {
    assert!(
        expected.0.is_finite() && expected.1.iter().any(|d| d.abs() > 1e-3),
        "{what}: {expected:?}"
    );
    assert_close(what, got.0, expected.0);
    assert_eq!(got.1.len(), expected.1.len(), "{what}: lengths of the gradients");
    for (i, (&got, &expected)) in got.1.iter().zip(expected.1).enumerate() {
        assert_close(&format!("{what}: derivative {i}"), got, expected);
    }
}

/// Asserts that two numbers agree.
pub fn assert_close(what: &str, got: f64, expected: f64) {
    let off = (got - expected).abs() / expected.abs().max(1.0);
    assert!(off <= TOLERANCE, "{what}: {got} for {expected}, off by {off:e}");
}
