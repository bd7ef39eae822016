//! Every operation on values of plates.

use posterior::prelude::*;

use crate::data::normals;
use crate::laws::{self, Names, laws};

/// Writes the law for the mean of a normal distribution.
macro_rules! means {
    (|$a:ident, $b:ident, $z:ident, $x:ident, $y:ident| $($name:ident: $mean:expr;)*) => {
        laws! { |$a, $b, $z, $x, $y| $($name(Array1<f64>: reals()) { observe($y, Normal($mean, $b)); })* }
    };
}

fn reals() -> Array1<f64> {
    Array1::from(normals(12, laws::N_ROWS))
}

/// Elementwise operations.
pub mod elementwise {
    use super::*;

    means! { |a, b, z, x, y|
        arithmetic: a + z * x - b / (1.0 + z.square()) - -x + 3 / b - 2 * y * a;
        exponentials: a.exp() + z.exp_m1() + (b + x.square()).ln() + (z * y).square().ln_1p() + (x * z).exp();
        powers: (b + z.square()).sqrt() + (1 + a.square()).recip() + (z - x).abs() + b.pow(z) + b.pow(x) + z.powi(3) + b.powf(1.5);
        waves: (a * x).sin() + (z * b).cos() + (z + x).tanh();
        activations: (a * z).sigmoid() + z.softplus() + (z * x).relu() + a.gelu() + (z - b).silu();
        specials: (z * a).erf() + (a.square() + 0.2).ln_gamma() + (z.square() + b).digamma();
        choices: where_(z.gt(x), a * z, b - z) + where_(x.lt(a), 3, y * z);
        extremes: z.maximum(x) * a.minimum(z) + b.maximum(y);
        comparisons: z.ge(x) * a + z.le(a) * b + x.lt(b) * z;
        equalities: x.floor().eq_mask(y.floor()) * z + x.floor().ne_mask(a.floor()) * z * a;
        logic: where_(z.gt(0) & x.gt(a) | !y.gt(b), z, a);
        detached: z.detach() * a + x * z;
        floors: z.floor() * a + a.floor() * z;
    }
}

/// Vectors and their reductions.
pub mod vectors {
    use super::*;

    means! { |a, b, z, x, y|
        sums: stack([a, z * x]).sum() + stack([z, y, b]).mean();
        largest: stack([z, x * a]).max() * b + stack([a, b]).max();
        smallest: stack([z, x * a]).min() * b + stack([a, y]).min();
        log_sum_exp: stack([a, z, b * x]).log_sum_exp() + stack([a, b]).log_sum_exp();
        softmax: stack([z, a, x]).softmax()[1] * z + stack([b, a]).softmax()[0] * y;
        log_softmax: stack([z, b]).log_softmax()[0] + stack([a, y, b]).log_softmax()[2];
        cumsum: stack([z, a * x, b]).cumsum()[2] + stack([z, y]).cumsum()[0];
        sort: stack([z, x, a * b]).sort().dot(stack([b, y, z]));
        reversed: stack([z, x * a, b]).rev().dot(stack([a, z, y]));
        places: stack([a, b, z])[stack([z, x, y]).argmax()] * stack([x, y])[stack([z, a]).argmin()];
        mixed: stack((z, 1, b)).cumsum()[2] * concat((0.5, stack((x, z)), a)).log_sum_exp() + stack([1.into(), z])[1..][0];
        padded: stack((z, x)).pad(0, 1, 2, a).softmax()[3] * b;
        of_own_arrays: (z * array![1.0, 2.0] - &array![1, 3] * a + array![0.5, 1.0] * b).tanh().sum();
        updates: { let mut v = a; v += z * x; v -= b; v *= y; v /= 2 + b; v };
        iterators: [z, a, x].iter().map(|v| v * b).sum::<Var>() + [y, z, b].into_iter().product::<Var>();
        slices: stack([z, x, a, b]).slice(1..3).sum() * stack([z, x, a]).slice(..2).max();
        concatenation: concat([stack([z, x]), a, stack([y, b])]).slice(1..4).log_sum_exp();
        repeated: (z.broadcast(&[3]) * stack([a, x, b])).softplus().sum() + b.broadcast(&[2, 2]).sum();
        broadcast: (stack([stack([z, a]), stack([b, x])]) * stack([b, y]) - stack([a, z])).tanh().sum();
        numbers: (stack([b, a]) * z + x).sigmoid().sum() + (stack([z, x]) * b - a).sigmoid().sum();
        by_number: stack([b, b + 1])[x.gt(0)] + stack([a, b])[y.gt(0)] + stack([z, x, a])[1 + x.gt(a)];
        by_numbers: stack([b, b.ln()])[stack([x.gt(0), y.gt(0)])].sum() * z;
        of_own_tables: stack([z, a])[stack([x.gt(0), y.gt(z), y.gt(0)])].dot(stack([x, y, z]));
        rows_by_number: stack([stack([z, a]), stack([x, b])])[y.gt(0)].dot(stack([b, z]));
        rows_of_one_table: stack([stack([b, 2 * b]), stack([b.ln(), b])])[x.gt(0)].dot(stack([b, z]));
    }
}

/// Matrices.
pub mod matrices {
    use super::*;

    means! { |a, b, z, x, y|
        axes: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            m.sum_axis(0).max() + m.mean_axis(1)[0] + m.log_sum_exp_axis(0)[1] + m.log_sum_exp_axis(1)[1] };
        transposes: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            (m.t() * stack([z, b])).tanh().sum() + m.t()[1].dot(stack([x, b])) };
        permutations: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            stack([m, m.square()]).permute(&[2, 0, 1])[1][1].dot(stack([y, z])) };
        shapes: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            m.reshape(&[3, 2])[1].dot(stack([a, z])) + m.reshape(&[6]).log_sum_exp() };
        columns: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            m.slice_axis(1, 1..).sum() * m.slice_axis(1, ..2).max() + m.min() + m.softmax()[1][0] };
        extremes_along_axes: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            m.max_axis(0).dot(stack((1, b, 2))) - m.min_axis(1)[0] * z };
        several_axes: { let m = stack([stack([z, a, y]), stack([b, x, z])]);
            m[(.., 1..)].max() * m[[1, 0]] + m[(0, 2)] * m[(.., x.gt(0))][1] + m.rev_axis(1)[(1, ..2)].sum() };
        side_by_side: { let m = stack([stack([z, a]), stack([x, z])]);
            concat_axis((m, m.square(), eye(2)), 1)[1].dot(stack((1, b, y, a, b, z))) };
        matrices_of_diagonals: diag_matrix((z, a)).dot(stack((x, b))).tanh().sum() + diag_matrix((1, b))[1][1];
        diagonals: stack([stack([z, a]), stack([x, b])]).diag().dot(stack([x, z]));
        determinants: { let l = stack([stack([b + z.square(), z]), stack([x, b + a.square()])]);
            l.ln_det_tril() * z };
    }
}

/// Products of vectors and matrices: each operand with plates of its own, of both or of none.
pub mod products {
    use super::*;

    means! { |a, b, z, x, y|
        vectors: stack([a, z]).dot(stack([x, b])) + stack([a, b]).dot(stack([y, b])) + stack([y, 2 * y]).dot(stack([z, x]));
        one_matrix_by_rows: stack([stack([b, b.ln()]), stack([2 * b, b])]).dot(stack([z, x])).tanh().sum();
        rows_by_one_matrix: stack([z, x]).dot(stack([stack([b, b.ln(), 1 / b]), stack([2 * b, b, b])])).tanh().sum();
        matrices_by_one_vector: stack([stack([z, a]), stack([x, z * y])]).dot(stack([b, b.ln()])).tanh().sum();
        one_vector_by_matrices: stack([b, b.ln()]).dot(stack([stack([z, a]), stack([x, z * y])])).tanh().sum();
        matrices_by_outer_vectors: stack([stack([z, a]), stack([x, z * y])]).dot(stack([a, b])).tanh().sum();
        inner_vectors_by_matrices: stack([y, b]).dot(stack([stack([z, a]), stack([x, z])])).tanh().sum();
        matrices_by_vectors: stack([stack([z, a]), stack([x, b])]).dot(stack([z, y])).tanh().sum();
        outer_matrices_by_inner_vectors: stack([stack([a, b]), stack([b, 2 * a])]).dot(stack([y, b])).tanh().max() * z;
        matrices_by_one_matrix: stack([stack([z, x]), stack([a, y])])
            .matmul(stack([stack([b, b.ln(), 1 / b]), stack([2 * b, b, b])])).tanh().sum();
        one_matrix_by_matrices: stack([stack([b, b.ln()]), stack([2 * b, b]), stack([b, b])])
            .matmul(stack([stack([z, x]), stack([a, y])])).tanh().sum();
        matrices_by_matrices: stack([stack([z, x]), stack([a, y])])
            .matmul(stack([stack([a, b]), stack([z, 2 * y])]).t()).tanh().sum();
        outer_by_inner_matrices: stack([stack([a, b]), stack([2 * a, b])])
            .matmul(stack([stack([y, b]), stack([b, 2 * y])])).tanh().sum() * z;
    }
}

/// Factorisations and triangular equations.
pub mod equations {
    use super::*;

    laws! { |a, b, z, x, y|
        factors(Array1<f64>: reals()) {
            let l = stack([stack([1 + z.square(), z * a]), stack([z * a, 1 + a.square()])]).cholesky();
            observe(y, Normal(l[1][0] + l[0][0] * x, l[1][1]));
        }
        one_factor(Array1<f64>: reals()) {
            let l = stack([stack([1 + a.square(), a * b]), stack([a * b, 1 + b.square()])]).cholesky();
            observe(y, Normal(l.dot(stack([z, x]))[1] + l.ln_det_tril(), 1));
        }
        solutions(Array1<f64>: reals()) {
            let l = stack([stack([b, b]), stack([z, 1 + x.square()])]);
            observe(y, Normal(l.solve_lower(stack([x, a])).sum() + l.solve_lower_t(stack([y, z]))[0], b));
        }
        one_matrix(Array1<f64>: reals()) {
            let l = stack([stack([1 + b, b]), stack([b.ln(), 2 + b])]);
            observe(y, Normal(l.solve_lower(stack([x, z])).sum() + l.solve_lower_t(stack([y, z]))[0], b));
        }
        outer_matrices(Array1<f64>: reals()) {
            let l = stack([stack([1 + b, b]), stack([a, 1 + a.square()])]);
            observe(y, Normal(l.solve_lower(stack([y, b])).sum() * z + l.solve_lower_t(stack([b, 2 * b]))[0], b));
        }
        one_side(Array1<f64>: reals()) {
            let l = stack([stack([1 + z.square(), z]), stack([a, 1 + x.square()])]);
            observe(y, Normal(l.solve_lower(stack([b, b.ln()])).sum() + l.solve_lower_t(stack([b, a]))[0], b));
        }
        several_sides(Array1<f64>: reals()) {
            let l = stack([stack([1 + z.square(), z]), stack([x, 1 + b])]);
            let sides = stack([stack([z, y, b]), stack([a, x, z])]);
            observe(y, Normal(l.solve_lower(sides).tanh().sum() + l.solve_lower_t(sides)[0].tanh().sum(), b));
        }
    }
}

/// The operations on values of plates that occur here.
pub fn operations() -> Names {
    [
        elementwise::operations,
        vectors::operations,
        matrices::operations,
        products::operations,
        equations::operations,
    ]
    .iter()
    .flat_map(|group| group())
    .collect()
}
