//! Latents and parameters in plates: every distribution, support and method on a distribution.

use posterior::prelude::*;

use crate::data::normals;
use crate::laws::{self, N_ROWS, Names, laws};

/// Writes the law for a latent of a distribution, on which the mean of the data depends.
macro_rules! latents {
    (|$a:ident, $b:ident, $z:ident, $x:ident, $v:ident| $($name:ident: $dist:expr => $mean:expr;)*) => {
        laws! { |$a, $b, $z, $x, y| $($name(Array1<f64>: reals()) {
            let $v = sample("v", $dist);
            observe(y, Normal($mean, $b));
        })* }
    };
}

fn reals() -> Array1<f64> {
    Array1::from(normals(12, N_ROWS))
}

/// Numbers.
pub mod numbers {
    use super::*;

    latents! { |a, b, z, x, v|
        normal: Normal(a + z * x, b) => v * z;
        noncentered_normal: Normal(a + z * x, b).noncentered() => v * z;
        log_normal: LogNormal(z * x, b + a.square()) => v * x;
        noncentered_log_normal: LogNormal(0.3 * z * x, b).noncentered() => v * x;
        cauchy: Cauchy(a * x + z, b) => v + z;
        noncentered_cauchy: Cauchy(a * x + z, b).noncentered() => v + z;
        laplace: Laplace(z + a * x, b) => v * a;
        noncentered_laplace: Laplace(z + a * x, b).noncentered() => v * a;
        student_t: StudentT(b + 1.5, z - a, x.square() + b) => v - x;
        noncentered_student_t: StudentT(b + 1.5, z - a, x.square() + b).noncentered() => v - x;
        half_normal: HalfNormal(b + z.square()) => v * x;
        half_cauchy: HalfCauchy(b + z.square()) => v.ln() * x;
        uniform: Uniform(a - z.square(), a + b + x.square()) => v.sin();
        exponential: Exponential((a * x + z).exp() + b) => v * x;
        gamma: Gamma(b + x.square(), (a + z).softplus()) => v.ln() * z;
        inverse_gamma: InverseGamma(b + x.square(), (a + z).softplus()) => v.ln() * z;
        beta: Beta(b + x.square(), (a * z).exp()) => v * z;
        flat: Flat() => v * z;
        half_flat: HalfFlat() => v.ln() * x;
        of_the_outer_row: Gamma(b + 1, a.exp()) => v * z;
        truncated_normal: Normal(a + z * x, b).truncate(-1 - z.square(), 1 + a.square()) => v * x;
        truncated_exponential: Exponential(b).truncate(0, 1 + z.square()) => v * x;
        masked: Gamma(b + 1, z.exp()).mask(x.gt(0)) => v * z;
        scaled: Beta(b + 1, z.exp()).scale(0.3) => v * z;
        weighted: Beta(b + 1, z.exp()).scale(x.square() + b) => v * z;
    }
}

/// Vectors and matrices.
pub mod vectors {
    use super::*;

    latents! { |a, b, z, x, v|
        dirichlet: Dirichlet(stack([(a + z).exp(), b, x.square() + 0.5])) => v.dot(stack([z, x, a]));
        dirichlets: Dirichlet(stack([z.exp(), b, x.square() + 0.5])).expand([2]) => v[1].dot(stack([z, x, a])) * v[0][2];
        multivariate_normal: MultivariateNormal::scale_tril(
            stack([z, x]),
            stack([stack([b, b]), stack([a, 1 + z.square()])])
        ) => v[0] * x + v[1] * z;
        noncentered_multivariate_normal: MultivariateNormal::scale_tril(
            stack([z, x]),
            stack([stack([b, b]), stack([a, 1 + z.square()])])
        ).noncentered() => v[0] * x + v[1] * z;
        noncentered_multivariate_normals: MultivariateNormal::scale_tril(
            stack([z, x]),
            stack([stack([b, b]), stack([a, 1 + z.square()])])
        ).expand([3]).noncentered() => (v[0].dot(stack([x, a])) + v[1][0] * v[2][1] * z).tanh();
        ordered: Normal(z, b).expand([3]).ordered() => v[2] * x - v.log_sum_exp();
        expanded: Normal(z, b).expand([2, 3]) => v.t().dot(stack([x, a])).tanh().max();
        noncentered: Normal(stack([z, a]), b).expand([3]).noncentered() => v.dot(stack([x, z])).max();
        gammas: Gamma(stack([b, 2 * b]), z.exp()) => v.ln().sum() * x;
        truncated: Normal(z, b).truncate(0, 1 + x.square()).expand([2]) => v.sum() * a;
    }
}

/// Isolated points: they pick, and have no derivative.
pub mod points {
    use super::*;

    latents! { |a, b, z, x, v|
        bernoulli_logits: Bernoulli::logits(z * x + a) => stack([a, z * b])[v];
        bernoulli_probs: Bernoulli::probs((z * x).sigmoid()) => stack([b, 2 * b])[v] + z;
        binomial: Binomial::logits(3, z * x) => v * z;
        binomial_probs: Binomial::probs(3, (z * x).sigmoid()) => v * z;
        poisson: Poisson((z * x).exp()) => v * z;
        categorical: Categorical::logits(stack([z, x, a])) => stack([b, 2 * b, b.ln()])[v] * z;
        categorical_probs: Categorical::probs(stack([z.exp(), b])) => stack([stack([a, z]), stack([x, b])])[v][1];
        one_hot: OneHotCategorical::logits(stack([z, x, a])) => v.dot(stack([z, b, x]));
        one_hot_probs: OneHotCategorical::probs(stack([z.exp(), b])) => v.dot(stack([z, b]));
    }
}

/// Parameters: one for each row.
pub mod parameters {
    use super::*;

    laws! { |a, b, z, x, y|
        numbers(Array1<f64>: reals()) {
            let free = param(0.5);
            let rate = param(2.0, Positive);
            let share = param(0.3, UnitInterval);
            let angle = param(0.5, Interval(-1.0, 2.0));
            observe(y, Normal(free * z + rate.ln() * x + share * angle, b + a.square()));
        }
        arrays(Array1<f64>: reals()) {
            let shares = param([0.2, 0.3, 0.5], Simplex);
            let steps = param([-1.0, 0.5], Ordered);
            let tril = param(array![[1.0, 0.0], [0.5, 2.0]], LowerCholesky);
            observe(y, Normal(shares.dot(stack([z, x, a])) + tril.dot(steps).tanh().sum(), b));
        }
    }
}

/// Terms that the model adds itself.
pub mod factors {
    use super::*;

    laws! { |a, b, z, x, y|
        of_rows(Array1<f64>: reals()) { factor(-(z * x - y).square() * b); }
        of_the_outer_row(Array1<f64>: reals()) { factor(-a.square() * b); factor(-z.square()); }
        of_vectors(Array1<f64>: reals()) { factor(-(stack([a, z]) - x).square() * stack([b, b + y.square()])); }
    }
}

/// The operations on values of plates that occur here.
pub fn operations() -> Names {
    [
        numbers::operations,
        vectors::operations,
        points::operations,
        parameters::operations,
        factors::operations,
    ]
    .iter()
    .flat_map(|group| group())
    .collect()
}
