//! Products of vectors and matrices, under plates on either side or both.
//!
//! The event axes say which product it is. Plates are folded into the rows of one matrix product wherever only one
//! operand carries them: for `x[i].dot(w)` with n rows of x that is one product of `[n, k]` and w, not n of them.

use smallvec::SmallVec;

use crate::kernels::linear::matmul::gemm_threads;
use crate::kernels::linear::matvec::{matvec, matvec_transposed, outer};
use crate::kernels::real::Real;
use crate::kernels::reduce::sums::dot;
use crate::ops::align::{refuse, tape_of};
use crate::ops::outer::{each_row, outer_attrs};
use crate::tape::call::{Call, Grad};
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::{DimId, Dims, union};
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// C = X · Y for each row of the outer plates; X: `[m, k]`, C: `[m, n]`, Y: `[k, n]` or its transpose `[n, k]`.
///
/// The attributes are m, k, n, whether Y is stored transposed, and the outer plates.
struct Product;

impl Op for Product {
    const NAME: &'static str = "dot";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, out) = (call.x(0), call.x(1), call.out());
        let Form {
            m,
            k,
            n,
            y_transposed,
            outer,
        } = Form::of(call);
        each_row(outer, |[row_x, row_y, row]| {
            let (x, y) = (&x[row_x * m * k..][..m * k], &y[row_y * k * n..][..k * n]);
            product(
                [m, k, n],
                (x, false),
                (y, y_transposed),
                &mut out[row * m * n..][..m * n],
                true,
            );
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, y, d_out) = (call.x(0), call.x(1), call.d_out());
        let Form {
            m,
            k,
            n,
            y_transposed,
            outer,
        } = Form::of(call);
        if let Some(d_x) = call.grad(0) {
            let Grad { slice: d_x, overwrite } = per_row(d_x, outer, 1);
            each_row(outer, |[row_x, row_y, row]| {
                let (y, d_out) = (&y[row_y * k * n..][..k * n], &d_out[row * m * n..][..m * n]);
                let d_x = &mut d_x[row_x * m * k..][..m * k];
                product([m, n, k], (d_out, false), (y, !y_transposed), d_x, overwrite);
            });
        }
        if let Some(d_y) = call.grad(1) {
            let Grad { slice: d_y, overwrite } = per_row(d_y, outer, 2);
            each_row(outer, |[row_x, row_y, row]| {
                let (x, d_out) = (&x[row_x * m * k..][..m * k], &d_out[row * m * n..][..m * n]);
                let d_y = &mut d_y[row_y * k * n..][..k * n];
                if y_transposed {
                    product([n, m, k], (d_out, true), (x, false), d_y, overwrite);
                } else {
                    product([k, m, n], (x, true), (d_out, false), d_y, overwrite);
                }
            });
        }
    }
}

/// The attributes of a product.
struct Form<'a> {
    m: usize,
    k: usize,
    n: usize,
    y_transposed: bool,
    outer: &'a [u64],
}

impl<'a> Form<'a> {
    fn of<F: Real>(call: &Call<'a, F>) -> Self {
        let attrs = call.attrs();
        let [m, k, n] = [0, 1, 2].map(|i| attrs[i] as usize);
        Form {
            m,
            k,
            n,
            y_transposed: attrs[3] != 0,
            outer: &attrs[4..],
        }
    }
}

/// Zeroes an adjoint that several rows of the outer plates add to, or none: it cannot be overwritten row by row.
fn per_row<'a, F: Real>(grad: Grad<'a, F>, outer: &[u64], bit: u64) -> Grad<'a, F> {
    let is_written_once = outer.iter().all(|attr| attr & bit != 0 && attr / 4 > 0);
    if is_written_once { grad } else { grad.accumulator() }
}

/// Writes C = op(A) op(B), or adds it; op(A): `[m, k]`, op(B): `[k, n]`, each stored transposed where its flag says so.
fn product<F: Real>(
    [m, k, n]: [usize; 3],
    (a, a_transposed): (&[F], bool),
    (b, b_transposed): (&[F], bool),
    c: &mut [F],
    overwrite: bool,
) {
    if m == 1 && n == 1 {
        let entry = dot(a, b);
        c[0] = if overwrite { entry } else { c[0] + entry };
    } else if n == 1 && a_transposed {
        matvec_transposed(a, b, c, overwrite);
    } else if n == 1 {
        matvec(a, b, c, overwrite);
    } else if m == 1 && b_transposed {
        matvec(b, a, c, overwrite);
    } else if m == 1 {
        matvec_transposed(b, a, c, overwrite);
    } else if k == 1 {
        outer(F::ONE, a, b, c, overwrite);
    } else {
        let beta = if overwrite { F::ZERO } else { F::ONE };
        let threads = rayon::current_num_threads();
        gemm_threads(m, k, n, a, a_transposed, b, b_transposed, F::ONE, beta, c, threads);
    }
}

impl<'t> Var<'t> {
    /// Returns the product of vectors and matrices as [`ndarray`] has it:
    /// `[k]·[k]` → `[]`, `[m, k]·[k]` → `[m]`, `[k]·[k, n]` → `[n]`, `[m, k]·[k, n]` → `[m, n]`.
    ///
    /// Inside plates each row has its own product.
    #[track_caller]
    pub fn dot(self, other: Var<'t>) -> Var<'t> {
        let (a, b) = (self.event_shape(), other.event_shape());
        let Some(tape) = tape_of(&[self, other]) else {
            return refuse(
                "dot",
                &[self, other],
                &[],
                "only vectors and matrices have such a product",
            );
        };
        if !matches!((a.len(), b.len()), (1 | 2, 1 | 2)) {
            return refuse(
                "dot",
                &[self, other],
                &[],
                "only vectors and matrices have such a product",
            );
        }
        if a[a.len() - 1] != b[0] {
            return refuse(
                "dot",
                &[self, other],
                &[],
                "the last axis of the first is not as long as the first axis of the second",
            );
        }
        record(tape, (self, &a), (other, &b))
    }

    /// Returns the same as [`Var::dot`].
    #[track_caller]
    pub fn matmul(self, other: Var<'t>) -> Var<'t> {
        self.dot(other)
    }
}

fn record<'t>(tape: &'t Tape, (a, a_event): (Var<'t>, &Shape), (b, b_event): (Var<'t>, &Shape)) -> Var<'t> {
    let dims = union(&a.dims(), &b.dims());
    let mut event = Shape::from_slice(&a_event[..a_event.len() - 1]);
    event.extend_from_slice(&b_event[1..]);
    let (m, n) = (
        a_event[..a_event.len() - 1].iter().product(),
        b_event[1..].iter().product(),
    );
    let k = b_event[0];
    let rows = |folded: &[DimId]| folded.iter().map(|&d| tape.dim(d).len).product::<usize>();
    let (outer, folded) = split_trailing(&dims, &b.dims());
    if !folded.is_empty() || b_event.len() == 2 {
        return push(tape, [a, b], [rows(folded) * m, k, n], false, outer, (&dims, &event));
    }
    // Rows of vectors on the right: (A bᵢ)ᵀ = bᵢᵀ Aᵀ, so that the rows of B are those of the left factor.
    let (outer, folded) = split_trailing(&dims, &a.dims());
    if folded.is_empty() {
        return push(tape, [a, b], [m, k, n], false, outer, (&dims, &event));
    }
    push(tape, [b, a], [rows(folded), k, m], true, outer, (&dims, &event))
}

/// Splits off the innermost plates that `other` does not carry.
fn split_trailing<'a>(dims: &'a Dims, other: &[DimId]) -> (&'a [DimId], &'a [DimId]) {
    let outer = dims.iter().rposition(|d| other.contains(d)).map_or(0, |i| i + 1);
    dims.split_at(outer)
}

fn push<'t>(
    tape: &'t Tape,
    args: [Var<'t>; 2],
    lens: [usize; 3],
    y_transposed: bool,
    outer: &[DimId],
    (dims, event): (&[DimId], &[usize]),
) -> Var<'t> {
    let mut attrs: SmallVec<[u64; 8]> = lens.iter().map(|&n| n as u64).collect();
    attrs.push(y_transposed as u64);
    attrs.extend(outer_attrs(tape, outer, args[0], args[1]));
    tape.record(Product::DEF, &args, &attrs, dims, event, 0)
}

#[cfg(test)]
op_tests! { vector_vector |x| x[0].dot(x[1]); [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], [[2.0], [0.5]] }
#[cfg(test)]
op_tests! { matrix_by_vector |x| x[0].dot(x[1]);
[[[1.0, -2.0], [0.5, 4.0], [2.0, 3.0]], [0.25, 3.0]], [[[3.0]], [2.0]] }
#[cfg(test)]
op_tests! { vector_matrix |x| x[0].dot(x[1]); [[0.25, 3.0], [[1.0, -2.0, 0.5], [4.0, 2.0, 3.0]]] }
#[cfg(test)]
op_tests! { matrix_matrix |x| x[0].dot(x[1]);
[[[1.0, -2.0], [0.5, 4.0], [2.0, 3.0]], [[1.0, -2.0, 0.5, 0.75], [4.0, 2.0, 3.0, -1.0]]],
[[[1.0, -2.0]], [[1.0], [4.0]]], [[[3.0], [2.0]], [[1.0, -0.5]]] }
#[cfg(test)]
op_tests! { a_matrix_with_itself |x| x[0].t().matmul(x[0]) * x[0].sum(); [[[1.0, -2.0], [0.5, 4.0], [2.0, 3.0]]] }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::tape::store::Precision;
    use crate::tape::var::Ix;
    use crate::tensor::dims::Dim;

    fn plate<'t>(tape: &'t Tape, len: usize) -> Ix<'t> {
        let dim = Dim {
            name: "i".into(),
            place: (file!(), line!()),
            len,
            in_memory: len,
            full: len,
            rows: None,
            open: true,
        };
        Ix {
            tape,
            dim: tape.open_dim(dim),
        }
    }

    #[test]
    fn a_plate_on_one_side_is_one_product_without_a_loop() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let ones = vec![1.0; 100];
        let x = tape.input(0, &[], &[5, 3], &ones[..15], false);
        let w = tape.input(15, &[], &[3], &ones[..3], false);
        let matrix = tape.input(18, &[], &[4, 3], &ones[..12], false);
        let i = plate(&tape, 5);
        let attrs = |out: Var<'_>| tape.records().attrs(out.node()).to_vec();
        assert_eq!(attrs(x[i].dot(w)), [5, 3, 1, 0]);
        assert_eq!(attrs(w.dot(x[i])), [5, 3, 1, 1]);
        assert_eq!(attrs(x[i].dot(matrix.t())), [5, 3, 4, 0]);
        assert_eq!(attrs(matrix.dot(x[i])), [5, 3, 4, 1]);
        assert_eq!(attrs(x[i].dot(x[i])), [1, 3, 1, 0, 5 * 4 + 3]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused_with_both() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2, 3], &[1.0; 6], false);
        let y = tape.input(6, &[], &[2], &[1.0; 2], false);
        let line = line!() + 1;
        assert!(x.dot(y).value().is_nan());
        let want = "the last axis of the first is not as long as the first axis of the second: [2, 3] and [2]";
        assert_eq!(
            tape.take_error().unwrap().to_string(),
            format!("dot ({}:{line}): {want}", file!())
        );
        let line = line!() + 1;
        assert!(x.dot(y.sum()).value().is_nan());
        let want = "only vectors and matrices have such a product: [2, 3] and []";
        assert_eq!(
            tape.take_error().unwrap().to_string(),
            format!("dot ({}:{line}): {want}", file!())
        );
    }
}
