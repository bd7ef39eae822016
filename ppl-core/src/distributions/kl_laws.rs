//! Divergences in closed form against their definition, Σ p (ln p − ln q) or its integral.

use crate::distributions::{
    Bernoulli, Beta, Binomial, Categorical, Cauchy, Dirichlet, Dist, Exponential, Gamma, HalfNormal, InverseGamma,
    Laplace, LogNormal, MultivariateNormal, Normal, OneHotCategorical, Poisson, Uniform,
};
use crate::ops::param::IntoVar;
use crate::rng::Key;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::quadrature::Grid;
#[cfg(test)]
use crate::testing::rows_check::draws_of;

fn tape() -> Tape {
    Tape::new(Precision::F64, Key::new(1))
}

/// Returns the closed form.
fn closed<'t, P: Dist<'t>, Q: Dist<'t>>(tape: &'t Tape, p: &P, q: &Q) -> Vec<f64> {
    let kl = P::KL.expect("a closed form");
    let kl = kl(tape, &p.params(tape), Q::NAME, &q.params(tape)).expect("a closed form for this pair");
    kl.elements()
}

/// Checks one number.
fn close(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * (1.0 + want.abs()), "{got} and {want}");
}

/// Checks against an integral over the points of a grid, or a sum over points with weight one.
fn agrees<'t, P: Dist<'t>, Q: Dist<'t>>(tape: &'t Tape, p: P, q: Q, points: &[f64], weights: &[f64], tolerance: f64) {
    let x = tape.input(0, &[], &[points.len()], points, false);
    let (ln_p, ln_q) = (p.log_prob(x).elements(), q.log_prob(x).elements());
    let part = |i: usize| {
        let mass = weights[i] * ln_p[i].exp();
        if mass == 0.0 { 0.0 } else { mass * (ln_p[i] - ln_q[i]) }
    };
    let want: f64 = (0..points.len()).map(part).sum();
    close(closed(tape, &p, &q)[0], want, tolerance);
}

/// One test a pair: its name, the grid, the two distributions.
macro_rules! pairs {
    ($($name:ident, $grid:expr => $p:expr, $q:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let (tape, grid) = (tape(), $grid);
                agrees(&tape, $p, $q, &grid.points, &grid.weights, 1e-5);
            }
        )*
    };
}

pairs! {
    normal_to_normal, Grid::real_line() => Normal(0.5, 1.2), Normal(-0.3, 2.0);
    normal_to_laplace, Grid::real_line() => Normal(0.5, 1.2), Laplace(-0.3, 2.0);
    log_normal_to_log_normal, Grid::positive() => LogNormal(0.5, 0.7), LogNormal(-0.3, 1.0);
    half_normal_to_half_normal, Grid::positive() => HalfNormal(0.5), HalfNormal(2.0);
    laplace_to_laplace, Grid::real_line() => Laplace(0.5, 1.2), Laplace(-0.3, 2.0);
    cauchy_to_cauchy, Grid::real_line() => Cauchy(0.5, 1.2), Cauchy(-0.3, 2.0);
    exponential_to_exponential, Grid::positive() => Exponential(0.5), Exponential(2.0);
    exponential_to_gamma, Grid::positive() => Exponential(0.5), Gamma(1.5, 2.0);
    gamma_to_gamma, Grid::positive() => Gamma(2.5, 1.2), Gamma(1.3, 2.0);
    gamma_to_exponential, Grid::positive() => Gamma(2.5, 1.2), Exponential(2.0);
    inverse_gamma_to_inverse_gamma, Grid::positive() => InverseGamma(2.5, 1.2), InverseGamma(1.3, 2.0);
    beta_to_beta, Grid::interval(0.0, 1.0) => Beta(2.5, 1.2), Beta(1.3, 2.0);
    uniform_to_uniform, Grid::interval(0.5, 1.0) => Uniform(0.5, 1.0), Uniform(-1.0, 2.0);
    uniform_to_normal, Grid::interval(-0.5, 1.0) => Uniform(-0.5, 1.0), Normal(0.3, 2.0);
}

/// One test a pair of distributions over counts up to a bound.
macro_rules! counts {
    ($($name:ident, $n:literal => $p:expr, $q:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let (tape, points): (_, Vec<f64>) = (tape(), (0..$n).map(f64::from).collect());
                agrees(&tape, $p, $q, &points, &vec![1.0; points.len()], 1e-13);
            }
        )*
    };
}

counts! {
    bernoulli_by_probs, 2 => Bernoulli::probs(0.3), Bernoulli::probs(0.8);
    bernoulli_by_logits, 2 => Bernoulli::logits(0.3), Bernoulli::logits(-0.8);
    bernoulli_certain, 2 => Bernoulli::probs(1), Bernoulli::logits(-0.8);
    binomial_to_binomial, 6 => Binomial::probs(5, 0.3), Binomial::logits(5, 0.8);
    poisson_to_poisson, 100 => Poisson(3.5), Poisson(1.2);
    categorical_to_categorical, 3 => Categorical::probs([0.5, 0.0, 1.5]), Categorical::logits([0.5, 1.0, -1.5]);
}

#[test]
fn one_hot_vectors_diverge_as_their_categories() {
    let tape = tape();
    let (p, q) = ([0.5, 0.2, 1.5], [0.5, 1.0, 1.5]);
    let by_label = closed(&tape, &Categorical::probs(p), &Categorical::probs(q));
    assert_eq!(
        closed(&tape, &OneHotCategorical::probs(p), &OneHotCategorical::probs(q)),
        by_label
    );
}

#[test]
fn an_interval_beyond_the_other_diverges_infinitely() {
    let tape = tape();
    let at = |low: f64| closed(&tape, &Uniform(Var::constant(low), 1.0), &Uniform(0, 2))[0];
    assert_eq!((at(-0.5), at(0.0)), (f64::INFINITY, std::f64::consts::LN_2));
}

#[test]
fn dirichlet_agrees_with_draws() {
    let (a, b) = ([1.5, 2.5, 0.7], [2.0, 1.0, 1.0]);
    let x = draws_of(20_000, 3, |at| Dirichlet(a).draw(at));
    let tape = tape();
    let value = tape.input(0, &[], &[20_000, 3], &x, false);
    let ratio = difference(Dirichlet(a).log_prob(value), Dirichlet(b).log_prob(value));
    within_error(closed(&tape, &Dirichlet(a), &Dirichlet(b))[0], &ratio);
}

#[test]
fn multivariate_normal_agrees_with_draws() {
    let (l, m) = ([1.5, 0.0, 0.4, 0.7], [1.0, 0.0, -0.5, 2.0]);
    let x = draws_of(20_000, 2, |at| {
        let l = at.tape.constant_array(&[2, 2], l.into_iter());
        MultivariateNormal::scale_tril([0.5, -1.0], l).draw(at)
    });
    let tape = tape();
    let value = tape.input(0, &[], &[20_000, 2], &x, false);
    let matrix = |l: [f64; 4]| tape.constant_array(&[2, 2], l.into_iter());
    let p = MultivariateNormal::scale_tril([0.5, -1.0], matrix(l));
    let q = MultivariateNormal::scale_tril([0.0, 0.3].into_param(), matrix(m));
    let ratio = difference(p.log_prob(value), q.log_prob(value));
    within_error(closed(&tape, &p, &q)[0], &ratio);
}

#[test]
fn vectors_to_independent_elements() {
    let l = [1.5, 0.0, 0.0, 0.4, 0.7, 0.0, -0.3, 0.2, 0.9];
    let (loc, mean, scale) = ([0.5, -1.0, 2.0], [0.0, 0.3, 1.5], [1.1, 0.8, 2.0]);
    let tape = tape();
    let matrix = |l: [f64; 9]| tape.constant_array(&[3, 3], l.into_iter());
    let p = MultivariateNormal::scale_tril(loc, matrix(l));
    let diagonal = [1.1, 0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 2.0];
    let as_vector = closed(&tape, &p, &MultivariateNormal::scale_tril(mean, matrix(diagonal)));
    let got = closed(&tape, &p, &Normal(mean, scale));
    assert_eq!(got.len(), 3, "one for each element");
    close(got.iter().sum(), as_vector[0], 1e-14);
    // One mean and one deviation for all elements, and what stands above the diagonal is not read.
    let mut dirty = l;
    dirty[1] = 7.0;
    let p = MultivariateNormal::scale_tril(loc, matrix(dirty));
    let twice = [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0];
    let as_vector = closed(&tape, &p, &MultivariateNormal::scale_tril([0.3; 3], matrix(twice)));
    close(closed(&tape, &p, &Normal(0.3, 2)).iter().sum(), as_vector[0], 1e-14);
    // Nothing cancels where the two are near each other: ½ Σ of squares of 1e-9.
    let near = MultivariateNormal::scale_tril(
        [1e-9, 0.0],
        tape.constant_array(&[2, 2], [1.0, 0.0, 1e-9, 1.0].into_iter()),
    );
    let tiny: f64 = closed(&tape, &near, &Normal([0.0, 0.0], 1)).iter().sum();
    assert!((tiny / 1e-18 - 1.0).abs() < 1e-14, "{tiny}");
}

fn difference(x: Var<'_>, y: Var<'_>) -> Vec<f64> {
    x.elements().iter().zip(y.elements()).map(|(x, y)| x - y).collect()
}

/// Checks a number against the mean of draws, within five standard errors.
fn within_error(got: f64, draws: &[f64]) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let error = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / n).sqrt();
    assert!((got - mean).abs() < 5.0 * error, "{got}, draws give {mean} ± {error}");
}
