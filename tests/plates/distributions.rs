//! Every distribution over observed rows, by its fused term and element by element.

use posterior::prelude::*;

use crate::data::{labels, normals};
use crate::laws::{self, N_ROWS, Names, laws};

/// Writes the law for observed rows of a distribution, whose terms are fused, and of the same under a mask and weights,
/// whose terms are elements.
macro_rules! distributions {
    (|$a:ident, $b:ident, $z:ident, $x:ident, $y:ident| $($name:ident($data:ty: $make:expr): $dist:expr;)*) => {
        laws! { |$a, $b, $z, $x, $y| $($name($data: $make) {
            observe("fused", $y, $dist);
            observe("elements", $y, $dist.mask($x.gt(-0.5)).scale($b + $x.square()));
        })* }
    };
}

fn reals() -> Array1<f64> {
    Array1::from(normals(12, N_ROWS))
}

fn positive() -> Array1<f64> {
    reals().mapv(f64::exp)
}

fn shares() -> Array1<f64> {
    reals().mapv(|x| 1.0 / (1.0 + x.exp()))
}

fn counts(n: usize) -> Array1<usize> {
    labels(13, N_ROWS, n)
}

/// Vectors of three numbers.
fn vectors() -> Array2<f64> {
    Array2::from_shape_fn((N_ROWS, 3), |(i, k)| normals(20 + k as u64, N_ROWS)[i])
}

/// Vectors of three numbers above zero that sum to one.
fn simplices() -> Array2<f64> {
    let mut rows = vectors().mapv(f64::exp);
    rows.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
    rows
}

/// Vectors of three ascending numbers.
fn ascending() -> Array2<f64> {
    let steps = vectors().mapv(f64::exp);
    Array2::from_shape_fn((N_ROWS, 3), |(i, k)| steps.row(i).iter().take(k + 1).sum::<f64>() - 2.0)
}

/// One of three categories as zeros and a one.
fn indicators() -> Array2<usize> {
    let labels = counts(3);
    Array2::from_shape_fn((N_ROWS, 3), |(i, k)| (labels[i] == k) as usize)
}

distributions! { |a, b, z, x, y|
    normal(Array1<f64>: reals()): Normal(a + z * x, b);
    normal_of_a_number(Array1<f64>: reals()): Normal(z.detach(), 1);
    normal_of_the_outer_row(Array1<f64>: reals()): Normal(a, b);
    log_normal(Array1<f64>: positive()): LogNormal(z * x, b + a.square());
    half_normal(Array1<f64>: positive()): HalfNormal(b + (a * z + x).exp());
    cauchy(Array1<f64>: reals()): Cauchy(a * x + z, b);
    half_cauchy(Array1<f64>: positive()): HalfCauchy(b + (a * z * x).exp());
    student_t(Array1<f64>: reals()): StudentT(b + 1.5, z - a, x.square() + b);
    laplace(Array1<f64>: reals()): Laplace(z + a * x, b);
    uniform(Array1<f64>: reals()): Uniform(-(a * z).exp() - 9.0, b + x.square() + 9.0);
    exponential(Array1<f64>: positive()): Exponential((a * x + z).exp() + b);
    gamma(Array1<f64>: positive()): Gamma(b + x.square(), (a + z).softplus());
    inverse_gamma(Array1<f64>: positive()): InverseGamma(b + x.square(), (a + z).softplus());
    beta(Array1<f64>: shares()): Beta(b + x.square(), (a * z).exp());
    bernoulli_logits(Array1<usize>: counts(2)): Bernoulli::logits(a + b * z * x);
    bernoulli_probs(Array1<usize>: counts(2)): Bernoulli::probs((a + b * z * x).sigmoid());
    binomial_logits(Array1<usize>: counts(8)): Binomial::logits(7, a + b * z * x);
    binomial_probs(Array1<usize>: counts(8)): Binomial::probs(7 + x.gt(0), (a + b * z * x).sigmoid());
    poisson(Array1<usize>: counts(5)): Poisson((a + z * x).exp() + b);
    categorical_logits(Array1<usize>: counts(3)): Categorical::logits(stack([a + z, b * x, z * x]));
    categorical_probs(Array1<usize>: counts(3)): Categorical::probs(stack([a + z, b * x, z * x]).softmax());
    categorical_of_one_table(Array1<usize>: counts(2)): Categorical::probs(stack([b, b + a.square()]));
    one_hot_logits(Array2<usize>: indicators()): OneHotCategorical::logits(stack([a + z, b * x, z * x]));
    one_hot_probs(Array2<usize>: indicators()): OneHotCategorical::probs(stack([a + z, b * x, z * x]).exp());
    dirichlet(Array2<f64>: simplices()): Dirichlet(stack([(a + z).exp(), b, x.square() + 0.5]));
    dirichlet_of_one_table(Array2<f64>: simplices()): Dirichlet(stack([b, 2 * b, b + a.square()]));
    multivariate_normal(Array2<f64>: vectors()): MultivariateNormal::scale_tril(
        stack([z, a * x, b]),
        stack([stack([b, b, b]), stack([z, 1 + x.square(), b]), stack([a, x, b + z.square()])])
    );
    multivariate_normal_of_one_scale(Array2<f64>: vectors()): MultivariateNormal::scale_tril(
        stack([z, a * x, b]),
        stack([stack([b, b, b]), stack([b.ln(), 1 + b, b]), stack([b, b.ln(), b + 2])])
    );
    flat(Array1<f64>: reals()): Flat();
    half_flat(Array1<f64>: positive()): HalfFlat();
    expanded(Array2<f64>: vectors()): Normal(a + z * x, b).expand([3]);
    each_element_its_own(Array2<f64>: vectors()): StudentT(4, stack([a, z, x]), b);
    ordered(Array2<f64>: ascending()): Normal(a + z * x, b).expand([3]).ordered();
    truncated_normal(Array1<f64>: reals()): Normal(a + z * x, b).truncate(-4 - z.square(), 4 + a.square());
    truncated_normal_below(Array1<f64>: reals()): Normal(z, b).truncate(-f64::INFINITY, 4 + x.square());
    truncated_log_normal(Array1<f64>: positive()): LogNormal(z * x, b + a.square()).truncate(0.01, 99 + z.square());
    truncated_cauchy(Array1<f64>: reals()): Cauchy(z, b).truncate(-5 + a.cos(), 6 + z.square());
    truncated_laplace(Array1<f64>: reals()): Laplace(z + a * x, b).truncate(-5 + a.cos(), f64::INFINITY);
    truncated_exponential(Array1<f64>: positive()): Exponential((a * x + z).exp() + b).truncate(0, 99 + z.square());
    truncated_uniform(Array1<f64>: reals()): Uniform(-9 - z.square(), 9 + x.square()).truncate(-5 + a.cos(), 5 + b);
}

/// A point mass, whose density is finite at its own row alone.
pub mod point_masses {
    use super::*;

    laws! { |a, b, z, x, y|
        delta(Array1<f64>: reals()) {
            observe("double", 2 * z * x, Delta(z * x + z * x));
            observe("outer", a, Delta(a));
            observe(y, Normal(z, b));
        }
        masked_delta(Array1<f64>: reals()) {
            observe("where", where_(x.gt(0), z, y), Delta(z).mask(x.gt(0)));
            observe(y, Normal(z, b));
        }
    }
}
