//! The diagonal of a square matrix, the matrix of a diagonal, and the logarithm of the determinant of a triangular one.

use ndarray::Array2;

use crate::kernels::linear::log_det::{log_det_triangular, log_det_triangular_adjoint};
use crate::kernels::real::Real;
use crate::ops::align::refuse;
use crate::ops::param::Operand;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The diagonals of matrices with as many rows as attribute 0.
struct Diag;

impl Op for Diag {
    const NAME: &'static str = "diag";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = call.attr(0) as usize;
        for (i, out) in out.iter_mut().enumerate() {
            *out = x[place(i, n)];
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let n = call.attr(0) as usize;
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            d_out.iter().enumerate().for_each(|(i, &d)| d_x[place(i, n)] += d);
        }
    }
}

/// ln |det L| of triangular matrices with as many rows as attribute 0.
struct LnDetTril;

impl Op for LnDetTril {
    const NAME: &'static str = "ln_det_tril";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = call.attr(0) as usize;
        for (out, l) in out.iter_mut().zip(x.chunks_exact(n * n)) {
            *out = log_det_triangular(n, l);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, d_out) = (call.x(0), call.d_out());
        let n = call.attr(0) as usize;
        if let Some(d_x) = call.grad(0) {
            let d_x = d_x.accumulator().slice;
            for ((l, d_l), &d) in x.chunks_exact(n * n).zip(d_x.chunks_exact_mut(n * n)).zip(d_out) {
                log_det_triangular_adjoint(n, l, d, d_l);
            }
        }
    }
}

/// Returns where number `i` of all diagonals lies among the elements of all matrices.
#[inline(always)]
fn place(i: usize, n: usize) -> usize {
    (i / n * n + i % n) * n + i % n
}

/// Square matrices with as many rows as attribute 0 that have the operand as their diagonals, and zeros elsewhere.
struct DiagMatrix;

impl Op for DiagMatrix {
    const NAME: &'static str = "diag_matrix";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, out) = (call.x(0), call.out());
        let n = call.attr(0) as usize;
        out.fill(F::ZERO);
        for (i, &x) in x.iter().enumerate() {
            out[place(i, n)] = x;
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        let n = call.attr(0) as usize;
        if let Some(mut d_x) = call.grad(0) {
            for i in 0..d_x.slice.len() {
                d_x.put(i, d_out[place(i, n)]);
            }
        }
    }
}

/// Returns the identity matrix: `sigma * eye(n)`.
///
/// ```
/// # use ppl_core::ops::diag::eye;
/// assert_eq!(eye(2), ndarray::array![[1.0, 0.0], [0.0, 1.0]]);
/// ```
pub fn eye(n: usize) -> Array2<f64> {
    Array2::eye(n)
}

/// Returns the square matrix with these elements on its diagonal and zeros elsewhere: v: `[n]` gives `[n, n]`.
///
/// A tuple may mix numbers and values: `diag_matrix((1, sigma))`. Inside a plate each row has its own. Of numbers alone an
/// array is made: `Array2::from_diag(&v)`; they are an error here.
///
/// ```
/// # use ppl_core::ops::diag::diag_matrix;
/// # use ppl_core::{rng::Key, tape::{record::Tape, store::Precision}};
/// # let tape = Tape::new(Precision::F64, Key::new(1));
/// let sigma = tape.input(0, &[], &[], &[3.0], false);
/// let scale = diag_matrix((1, sigma));
/// assert_eq!((scale[(1, 1)].value(), scale[(0, 1)].value()), (3.0, 0.0));
/// ```
#[track_caller]
pub fn diag_matrix<'t>(v: impl Operand<'t>) -> Var<'t> {
    matrix_of(v.into_param().beside(Var::constant(0.0)))
}

#[track_caller]
fn matrix_of<'t>(v: Var<'t>) -> Var<'t> {
    match (v.tape(), v.event_shape().as_slice()) {
        (Some(tape), &[n]) => tape.record(DiagMatrix::DEF, &[v], &[n as u64], &v.dims(), &[n, n], 0),
        _ => refuse("diag_matrix", &[v], &[], "only a vector is a diagonal"),
    }
}

impl<'t> Var<'t> {
    /// Returns the diagonal of a square matrix: x: `[n, n]` gives xᵢᵢ: `[n]`.
    #[track_caller]
    pub fn diag(self) -> Var<'t> {
        let event = self.event_shape();
        match (self.tape(), event.as_slice()) {
            (Some(tape), &[n, m]) if n == m => tape.record(Diag::DEF, &[self], &[n as u64], &self.dims(), &[n], 0),
            _ => refuse("diag", &[self], &[], "only a square matrix has a diagonal"),
        }
    }

    /// Returns the logarithm of the absolute determinant of a triangular matrix: Σᵢ ln |xᵢᵢ|.
    ///
    /// The determinant of x xᵀ is the square of this one: for a Cholesky factor take it twice.
    #[track_caller]
    pub fn ln_det_tril(self) -> Var<'t> {
        match (self.tape(), self.event_shape().as_slice()) {
            (Some(tape), &[n, m]) if n == m && n > 0 => {
                tape.record(LnDetTril::DEF, &[self], &[n as u64], &self.dims(), &[], 0)
            }
            _ => refuse("ln_det_tril", &[self], &[], "only a square matrix has a determinant"),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].diag(); [[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [4.0, 5.0, 6.0]]], [[[3.0]]] }
#[cfg(test)]
op_tests! { matrix |x| diag_matrix(x[0]) * 2; [[1.0, -2.0, 0.5]], [[3.0]] }
#[cfg(test)]
op_tests! { mixed |x| diag_matrix((2, x[0][0])).matmul(diag_matrix(x[1])); [[1.0], [3.0, 4.0]] }
#[cfg(test)]
op_tests! { determinant |x| x[0].ln_det_tril(); [[[1.5, 0.0], [0.25, -3.0]]], [[[3.0]]] }
#[cfg(test)]
op_tests! { determinant_of_a_factor |x| x[0].diag().abs().ln().sum() - x[0].ln_det_tril(); [[[1.5, 0.0], [0.25, -3.0]]] }
