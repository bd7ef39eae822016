//! The log-determinant of a triangular matrix, and its adjoint.

use crate::kernels::real::Real;

/// Returns ln |det L| = Σ ln |lᵢᵢ| for L: `[n, n]` triangular; twice that is ln det(L Lᵀ).
///
/// # Panics
///
/// If l has not n² elements.
pub fn log_det_triangular<F: Real>(n: usize, l: &[F]) -> F {
    assert_eq!(l.len(), n * n, "log_det_triangular: l is not [{n}, {n}]");
    F::from_f64(l.iter().step_by(n + 1).map(|x| x.abs().ln().to_f64()).sum())
}

/// Adds the adjoint of [`log_det_triangular`] to d_l: d_out / lᵢᵢ on the diagonal.
///
/// # Panics
///
/// If a slice has not n² elements.
pub fn log_det_triangular_adjoint<F: Real>(n: usize, l: &[F], d_out: F, d_l: &mut [F]) {
    assert!(
        l.len() == n * n && d_l.len() == n * n,
        "log_det_triangular_adjoint: a slice is not [{n}, {n}]"
    );
    for (d_l, &l) in d_l.iter_mut().step_by(n + 1).zip(l.iter().step_by(n + 1)) {
        *d_l += d_out / l;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_determinant_has_the_inverse_diagonal_as_its_adjoint() {
        let l = [2.0, 0.0, 7.0, -4.0];
        assert_eq!(log_det_triangular(2, &l), 8f64.ln());
        let mut d_l = [1.0; 4];
        log_det_triangular_adjoint(2, &l, 3.0, &mut d_l);
        assert_eq!(d_l, [2.5, 1.0, 1.0, 0.25]);
    }

    #[test]
    fn log_determinant_of_the_empty_matrix_is_zero() {
        assert_eq!(log_det_triangular::<f32>(0, &[]), 0.0);
        log_det_triangular_adjoint::<f32>(0, &[], 1.0, &mut []);
    }
}
