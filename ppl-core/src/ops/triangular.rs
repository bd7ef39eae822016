//! Solutions of linear equations with a lower triangular matrix or its transpose.

use smallvec::SmallVec;

use crate::kernels::real::Real;
use crate::ops::align::{refuse, tape_of};
use crate::ops::outer::{each_row, outer_attrs};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::dims::union;
use crate::tensor::shape::size;
use crate::testing::ops::op_tests;

/// Solves op(L) X = B, L: [n, n], X and B: [n, m]; its own buffer holds the adjoint of B.
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
            solve_in_place(n, &l[row_l * n * n..][..n * n], transposed, out);
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
        each_row(plates, |[row_l, _, row]| {
            solve_in_place(
                n,
                &l[row_l * n * n..][..n * n],
                !transposed,
                &mut d_rhs[row * n * m..][..n * m],
            );
        });
        if let Some(d_l) = call.grad(0) {
            let d_l = d_l.accumulator().slice;
            each_row(plates, |[row_l, _, row]| {
                let (y, d_rhs) = (&y[row * n * m..][..n * m], &d_rhs[row * n * m..][..n * m]);
                let (left, right) = if transposed { (y, d_rhs) } else { (d_rhs, y) };
                subtract_lower_product(n, m, left, right, &mut d_l[row_l * n * n..][..n * n]);
            });
        }
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

/// Overwrites B: [n, m] by the X with op(L) X = B; reads L along its rows in both forms.
fn solve_in_place<F: Real>(n: usize, l: &[F], transposed: bool, b: &mut [F]) {
    let m = b.len() / n;
    let mut eliminate = |i: usize, others: std::ops::Range<usize>, is_pivot_first: bool| {
        if is_pivot_first {
            b[i * m..][..m].iter_mut().for_each(|x| *x = *x / l[i * n + i]);
        }
        for j in others {
            let factor = l[i * n + j];
            let (low, high) = b.split_at_mut(i * m);
            let (low, high) = (&mut low[j * m..][..m], &mut high[..m]);
            let (from, to) = if transposed { (high, low) } else { (low, high) };
            to.iter_mut().zip(from).for_each(|(to, from)| *to += -(factor * *from));
        }
        if !is_pivot_first {
            b[i * m..][..m].iter_mut().for_each(|x| *x = *x / l[i * n + i]);
        }
    };
    if transposed {
        (0..n).rev().for_each(|i| eliminate(i, 0..i, true));
    } else {
        (0..n).for_each(|i| eliminate(i, 0..i, false));
    }
}

/// Subtracts the lower triangle of A Bᵀ from D, A and B: [n, m].
fn subtract_lower_product<F: Real>(n: usize, m: usize, a: &[F], b: &[F], d: &mut [F]) {
    for i in 0..n {
        for j in 0..=i {
            let dot: F = a[i * m..][..m].iter().zip(&b[j * m..][..m]).map(|(&x, &y)| x * y).sum();
            d[i * n + j] += -dot;
        }
    }
}

impl<'t> Var<'t> {
    /// Returns the x with L x = b, where L is this lower triangular matrix: [n, n], and b: [n] or [n, m].
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

op_tests! { vectors |x| x[0].solve_lower(x[1]);
[[[2.0, 0.0, 0.0], [0.5, -1.0, 0.0], [0.25, 3.0, 1.5]], [1.0, -2.0, 0.5]], [[[4.0]], [2.0]] }
op_tests! { transposed |x| x[0].solve_lower_t(x[1]);
[[[2.0, 0.0, 0.0], [0.5, -1.0, 0.0], [0.25, 3.0, 1.5]], [1.0, -2.0, 0.5]], [[[4.0]], [2.0]] }
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
