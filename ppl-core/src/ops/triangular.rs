//! Solutions of linear equations with a lower triangular matrix or its transpose.

use smallvec::SmallVec;

use crate::kernels::linear::triangular::{
    solve_lower, solve_lower_adjoint, solve_lower_transposed, solve_lower_transposed_adjoint,
};
use crate::kernels::real::Real;
use crate::ops::align::{refuse, tape_of};
use crate::ops::outer::{each_row, outer_attrs};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::dims::union;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// Solves op(L) X = B, L: `[n, n]`, X and B: `[n, m]`; its own buffer holds the adjoint of B.
///
/// The attributes are n, m, whether op transposes, and the plates.
struct Solve;

impl Op for Solve {
    const NAME: &'static str = "solve_lower";

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (l, b, out) = (call.x(0), call.x(1), call.out());
        let Form {
            n,
            m,
            transposed,
            plates,
        } = Form::of(call);
        each_row(plates, |[row_l, row_b, row]| {
            let out = &mut out[row * n * m..][..n * m];
            out.copy_from_slice(&b[row_b * n * m..][..n * m]);
            let l = &l[row_l * n * n..][..n * n];
            if transposed {
                solve_lower_transposed(n, m, l, out);
            } else {
                solve_lower(n, m, l, out);
            }
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (l, y, d_out, d_rhs) = (call.x(0), call.y(), call.d_out(), call.aux());
        let Form {
            n,
            m,
            transposed,
            plates,
        } = Form::of(call);
        d_rhs.copy_from_slice(d_out);
        let mut d_l = call.grad(0).map(|d_l| d_l.accumulator().slice);
        each_row(plates, |[row_l, _, row]| {
            let (y, d) = (&y[row * n * m..][..n * m], &mut d_rhs[row * n * m..][..n * m]);
            let at = row_l * n * n;
            let l = &l[at..][..n * n];
            let d_l = d_l.as_mut().map(|d_l| &mut d_l[at..][..n * n]);
            match (d_l, transposed) {
                (Some(d_l), false) => solve_lower_adjoint(n, m, l, y, d, d_l, false),
                (Some(d_l), true) => solve_lower_transposed_adjoint(n, m, l, y, d, d_l, false),
                (None, false) => solve_lower_transposed(n, m, l, d),
                (None, true) => solve_lower(n, m, l, d),
            }
        });
        if let Some(d_b) = call.grad(1) {
            let d_b = d_b.accumulator().slice;
            each_row(plates, |[_, row_b, row]| {
                let d_rhs = &d_rhs[row * n * m..][..n * m];
                d_b[row_b * n * m..]
                    .iter_mut()
                    .zip(d_rhs)
                    .for_each(|(d_b, &d)| *d_b += d);
            });
        }
    }
}

struct Form<'a> {
    n: usize,
    m: usize,
    transposed: bool,
    plates: &'a [u64],
}

impl<'a> Form<'a> {
    fn of<F: Real>(call: &Call<'a, F>) -> Self {
        let attrs = call.attrs();
        Form {
            n: attrs[0] as usize,
            m: attrs[1] as usize,
            transposed: attrs[2] != 0,
            plates: &attrs[3..],
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the x with L x = b, where L is this lower triangular matrix: `[n, n]`, and b: `[n]` or `[n, m]`.
    ///
    /// Only the lower triangle is read, and only it has a derivative. Inside plates each row has its own equation.
    #[track_caller]
    pub fn solve_lower(self, b: Var<'t>) -> Var<'t> {
        solve("solve_lower", self, b, false)
    }

    /// Returns the x with Lᵀ x = b, where L is this lower triangular matrix, as [`Var::solve_lower`] does for L.
    #[track_caller]
    pub fn solve_lower_t(self, b: Var<'t>) -> Var<'t> {
        solve("solve_lower_t", self, b, true)
    }
}

#[track_caller]
fn solve<'t>(op: &'static str, l: Var<'t>, b: Var<'t>, transposed: bool) -> Var<'t> {
    let (square, event) = (l.event_shape(), b.event_shape());
    let fits = matches!(*square, [n, m] if n == m && n > 0 && matches!(event.len(), 1 | 2) && event[0] == n);
    let (Some(tape), true) = (tape_of(&[l, b]), fits) else {
        return refuse(
            op,
            &[l, b],
            &[],
            "a square matrix and a right side with as many rows are needed",
        );
    };
    let dims = union(&l.dims(), &b.dims());
    let m = size(&event[1..]);
    let mut attrs: SmallVec<[u64; 8]> = SmallVec::from_slice(&[square[0] as u64, m as u64, transposed as u64]);
    attrs.extend(outer_attrs(tape, &dims, l, b));
    let rows: usize = dims.iter().map(|&d| tape.dim(d).len).product();
    tape.record(Solve::DEF, &[l, b], &attrs, &dims, &event, rows * size(&event))
}

#[cfg(test)]
op_tests! { vectors |x| x[0].solve_lower(x[1]);
[[[2.0, 0.0, 0.0], [0.5, -1.0, 0.0], [0.25, 3.0, 1.5]], [1.0, -2.0, 0.5]], [[[4.0]], [2.0]] }
#[cfg(test)]
op_tests! { transposed |x| x[0].solve_lower_t(x[1]);
[[[2.0, 0.0, 0.0], [0.5, -1.0, 0.0], [0.25, 3.0, 1.5]], [1.0, -2.0, 0.5]], [[[4.0]], [2.0]] }
#[cfg(test)]
op_tests! { matrices |x| x[0].solve_lower(x[1]) + x[0].solve_lower_t(x[1]);
[[[2.0, 0.0], [0.5, -1.0]], [[1.0, -2.0, 0.5], [0.75, 3.0, 2.0]]] }

#[cfg(test)]
mod tests {
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn the_matrix_times_the_solution_is_the_right_side() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let l = tape.input(0, &[], &[3, 3], &[2.0, 0.0, 0.0, 0.5, -1.0, 0.0, 0.25, 3.0, 1.5], false);
        let b = tape.input(9, &[], &[3], &[1.0, -2.0, 0.5], false);
        for product in [l.dot(l.solve_lower(b)), l.t().dot(l.solve_lower_t(b))] {
            for (got, want) in product.elements().iter().zip([1.0, -2.0, 0.5]) {
                assert!((got - want).abs() < 1e-15, "{got} and {want}");
            }
        }
    }

    #[test]
    fn a_right_side_of_another_length_is_refused() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let l = tape.input(0, &[], &[2, 2], &[2.0, 0.0, 0.5, -1.0], false);
        let b = tape.input(4, &[], &[3], &[1.0, -2.0, 0.5], false);
        let refused = l.solve_lower(b);
        let line = line!() - 1;
        assert!(refused.value().is_nan());
        let want = "a square matrix and a right side with as many rows are needed: [2, 2] and [3]";
        assert_eq!(
            tape.take_error().unwrap().to_string(),
            format!("solve_lower ({}:{line}): {want}", file!())
        );
    }
}
