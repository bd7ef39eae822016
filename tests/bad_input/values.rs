//! Values that a distribution or a set does not allow: NaN and infinite data, labels, counts, parameters.

use posterior::core::error::number;
use posterior::prelude::*;

use crate::table::{ALL, DOUBLE, DRAWN, SCORED, Table};

#[model]
fn normal(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model]
fn positive(y: Obs<Array1<f64>>) {
    let a = sample(HalfNormal(1));
    for i in plate(y) {
        observe(y[i], Gamma(a + 1, 2));
    }
}

#[model]
fn shares(y: Obs<Array1<f64>>) {
    let a = sample(HalfNormal(1));
    for i in plate(y) {
        observe(y[i], Beta(a + 1, 2));
    }
}

#[model]
fn bounded(low: f64, high: f64, y: Obs<Array1<f64>>) {
    let a = sample(HalfNormal(1));
    for i in plate(y) {
        observe(y[i], Uniform(low - a * 0.0, high));
    }
}

#[model]
fn counts(y: Obs<Array1<f64>>) {
    let rate = sample(HalfNormal(1));
    for i in plate(y) {
        let y = y[i] + 0;
        observe(y, Poisson(rate + 1));
    }
}

#[model]
fn successes(n: f64, y: Obs<Array1<f64>>) {
    let p = sample(Beta(1, 1));
    for i in plate(y) {
        let y = y[i] + 0;
        observe(y, Binomial::probs(n, p));
    }
}

#[model]
fn labels(y: Obs<Array1<usize>>) {
    let w = sample(Normal(0, 1).expand([3]));
    for i in plate(y) {
        observe(y[i], Categorical::logits(w));
    }
}

#[model]
fn truths(y: Obs<Array1<f64>>) {
    let p = sample(Beta(1, 1));
    for i in plate(y) {
        let y = y[i] + 0;
        observe(y, Bernoulli::probs(p));
    }
}

#[model]
fn simplices(y: Obs<Array2<f64>>) {
    let a = sample(HalfNormal(1));
    for i in plate(y) {
        observe(y[i], Dirichlet(ones(3) * 2).scale(a + 1));
    }
}

#[model]
fn covariances(k: &Array2<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1).expand([2]));
    observe(y, MultivariateNormal::scale_tril(mu, k.cholesky()));
}

#[model]
fn triangles(l: &Array2<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1).expand([2]));
    observe(y, MultivariateNormal::scale_tril(mu, l));
}

#[model]
fn regression(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        observe(y[i], Normal(mu * x[i], 1));
    }
}

const HERE: &str = "site y (tests/bad_input/values.rs:";

#[test]
fn data_that_are_no_numbers_are_named_with_value_and_row() {
    let mut t = Table::default();
    let one = |bad: f64| array![0.5, bad, 0.7];
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let is = format!("[1] = {}", number(bad));
        t.model(
            "data that are not finite",
            SCORED,
            &[HERE, "Normal value", &is],
            &normal(&one(bad)),
        );
        t.model(
            "covariates that are not finite",
            SCORED,
            &[HERE, "Normal loc[1]"],
            &regression(&one(bad), &one(0.1)),
        );
        t.model(
            "positive data that are not finite",
            SCORED,
            &[HERE, "value", &is],
            &positive(&one(bad)),
        );
        t.model(
            "shares that are not finite",
            SCORED,
            &[HERE, "value", &is],
            &shares(&one(bad)),
        );
        t.model(
            "counts that are not finite",
            SCORED,
            &[HERE, "value", &is],
            &counts(&one(bad)),
        );
        t.model(
            "truths that are not finite",
            SCORED,
            &[HERE, "value", &is],
            &truths(&one(bad)),
        );
        t.model(
            "bounded data that are not finite",
            SCORED,
            &[HERE, "value", &is],
            &bounded(0.0, 1.0, &one(bad)),
        );
    }
    t.model(
        "data that overflow",
        DOUBLE,
        &[HERE, "value[1] = 1e300"],
        &normal(&one(1e300)),
    );
    t.finish();
}

#[rustfmt::skip]
#[test]
fn data_outside_of_the_support_are_named_with_the_support() {
    let mut t = Table::default();
    let one = |bad: f64| array![0.5, bad, 0.7];
    t.model("a negative size", SCORED, &[HERE, "Gamma value[1] = -1", "outside of Positive"], &positive(&one(-1.0)));
    t.model("a tiny negative size", DOUBLE, &[HERE, "value[1] = -5e-324"], &positive(&one(-5e-324)));
    t.model("a size of zero", SCORED, &[HERE, "value[1] = 0", "edge of Positive"], &positive(&one(0.0)));
    t.model("a share of one", SCORED, &[HERE, "Beta value[1] = 1", "edge of UnitInterval"], &shares(&one(1.0)));
    t.model("a share above one", SCORED, &[HERE, "value[1] = 1.5", "outside of UnitInterval"], &shares(&one(1.5)));
    t.model("a number outside of an interval", SCORED, &[HERE, "value[1] = 7", "Interval(0.0, 1.0)"], &bounded(0.0, 1.0, &one(7.0)));
    t.model("a count of a half", SCORED, &[HERE, "Poisson value[1] = 1.5"], &counts(&array![1.0, 1.5, 2.0]));
    t.model("a negative count", SCORED, &[HERE, "Poisson value[1] = -1"], &counts(&array![1.0, -1.0, 2.0]));
    t.model("more successes than trials", SCORED, &[HERE, "Binomial value[1] = 11"], &successes(10.0, &array![1.0, 11.0]));
    t.model("successes of half a trial", SCORED, &[HERE, "total_count = 2.5"], &successes(2.5, &array![1.0, 2.0]));
    t.model("successes of fewer than no trials", SCORED, &[HERE, "total_count = -1"], &successes(-1.0, &array![0.0, 0.0]));
    t.model("a label beyond the categories", SCORED, &[HERE, "Categorical value[1] = 3", "Category(3)"], &labels(&array![0, 3, 1]));
    t.model("a label far beyond", SCORED, &[HERE, "Categorical value[0] = "], &labels(&array![usize::MAX, 0]));
    t.model("a truth of a half", SCORED, &[HERE, "Bernoulli value[1] = 0.5"], &truths(&array![1.0, 0.5]));
    t.model("a truth of minus one", SCORED, &[HERE, "Bernoulli value[0] = -1"], &truths(&array![-1.0, 1.0]));
    let rows = array![[0.2, 0.3, 0.5], [0.2, 0.3, 0.6]];
    t.model("a simplex off by its sum", SCORED, &[HERE, "value in row 1 sums to 1.1", "in place of 1"], &simplices(&rows));
    let rows = array![[0.2, 0.3, 0.5], [-0.2, 0.7, 0.5]];
    t.model("a simplex with a negative part", SCORED, &[HERE, "value[1, 0] = -0.2", "Simplex"], &simplices(&rows));
    let rows = array![[0.0, 0.5, 0.5]];
    t.model("a simplex on its edge", SCORED, &[HERE, "value[0, 0] = 0", "edge of Simplex"], &simplices(&rows));
    t.finish();
}

#[test]
fn matrices_tell_the_pivot_and_the_diagonal() {
    let mut t = Table::default();
    let y = array![0.1, 0.2];
    let words = [HERE, "`cholesky`", "not positive definite", "pivot 1 is -3"];
    t.model(
        "an indefinite covariance",
        SCORED,
        &words,
        &covariances(&array![[1.0, 2.0], [2.0, 1.0]], &y),
    );
    let words = [HERE, "`cholesky`", "pivot 1 is 0 in place"];
    t.model(
        "a singular covariance",
        SCORED,
        &words,
        &covariances(&array![[1.0, 1.0], [1.0, 1.0]], &y),
    );
    let words = [HERE, "`cholesky`", "pivot 0 is -1"];
    t.model(
        "a negative variance",
        SCORED,
        &words,
        &covariances(&array![[-1.0, 0.0], [0.0, 1.0]], &y),
    );
    let words = [HERE, "scale_tril[0, 0] = NaN"];
    t.model(
        "a covariance with NaN",
        SCORED,
        &words,
        &covariances(&array![[f64::NAN, 0.0], [0.0, 1.0]], &y),
    );
    let words = [HERE, "scale_tril[1, 1] = -0.5"];
    t.model(
        "a negative diagonal",
        SCORED,
        &words,
        &triangles(&array![[1.0, 0.0], [0.3, -0.5]], &y),
    );
    let words = [HERE, "scale_tril[0, 0] = 0"];
    t.model(
        "a diagonal of zero",
        SCORED,
        &words,
        &triangles(&array![[0.0, 0.0], [0.3, 0.5]], &y),
    );
    let words = [HERE, "scale_tril[1, 0] = +∞"];
    t.model(
        "an infinite triangle",
        SCORED,
        &words,
        &triangles(&array![[1.0, 0.0], [f64::INFINITY, 0.5]], &y),
    );
    t.finish();
}

macro_rules! latents {
    ($($name:ident($($arg:ident),*) => $dist:expr;)*) => {$(
        #[model]
        fn $name($($arg: f64),*) {
            let x = sample($dist);
        }
    )*};
}

latents! {
    latent_normal(a, b) => Normal(a, b);
    latent_log_normal(a, b) => LogNormal(a, b);
    latent_cauchy(a, b) => Cauchy(a, b);
    latent_laplace(a, b) => Laplace(a, b);
    latent_student(a, b) => StudentT(a, 0, b);
    latent_half_normal(a) => HalfNormal(a);
    latent_half_cauchy(a) => HalfCauchy(a);
    latent_exponential(a) => Exponential(a);
    latent_gamma(a, b) => Gamma(a, b);
    latent_inverse_gamma(a, b) => InverseGamma(a, b);
    latent_beta(a, b) => Beta(a, b);
    latent_uniform(a, b) => Uniform(a, b);
    latent_poisson(a) => Poisson(a);
    latent_bernoulli(a) => Bernoulli::probs(a);
    latent_truncated(a, b) => Normal(0, 1).truncate(a, b);
}

#[model]
fn latent_simplex(a: Vec<f64>) {
    let x = sample(Dirichlet(a));
}

#[rustfmt::skip]
#[test]
fn parameters_outside_of_their_domain_name_the_site_and_the_value() {
    const AT: &str = "site x (tests/bad_input/values.rs:";
    let mut t = Table::default();
    for bad in [-1.0, 0.0, f64::NAN] {
        let is = |name: &str| format!("{name} = {}", number(bad));
        t.model("the scale of a normal", ALL, &[AT, &is("scale")], &latent_normal(0.0, bad));
        t.model("the scale of a log-normal", ALL, &[AT, &is("scale")], &latent_log_normal(0.0, bad));
        t.model("the scale of a Cauchy", ALL, &[AT, &is("scale")], &latent_cauchy(0.0, bad));
        t.model("the scale of a Laplace", ALL, &[AT, &is("scale")], &latent_laplace(0.0, bad));
        t.model("the degrees of freedom", ALL, &[AT, &is("df")], &latent_student(bad, 1.0));
        t.model("the scale of a Student t", ALL, &[AT, &is("scale")], &latent_student(3.0, bad));
        t.model("the scale of a half-normal", ALL, &[AT, &is("scale")], &latent_half_normal(bad));
        t.model("the scale of a half-Cauchy", ALL, &[AT, &is("scale")], &latent_half_cauchy(bad));
        t.model("the rate of an exponential", ALL, &[AT, &is("rate")], &latent_exponential(bad));
        t.model("the concentration of a gamma", ALL, &[AT, &is("concentration")], &latent_gamma(bad, 1.0));
        t.model("the rate of a gamma", ALL, &[AT, &is("rate")], &latent_gamma(1.0, bad));
        t.model("the concentration of an inverse gamma", ALL, &[AT, &is("concentration")], &latent_inverse_gamma(bad, 1.0));
        t.model("the rate of an inverse gamma", ALL, &[AT, &is("rate")], &latent_inverse_gamma(1.0, bad));
        t.model("the first concentration of a beta", ALL, &[AT, &is("concentration1")], &latent_beta(bad, 1.0));
        t.model("the second concentration of a beta", ALL, &[AT, &is("concentration0")], &latent_beta(1.0, bad));
    }
    for bad in [-0.5, 1.5, f64::NAN] {
        t.model("a probability", DRAWN, &[AT, &format!("probs = {}", number(bad))], &latent_bernoulli(bad));
    }
    for bad in [-1.0, f64::NAN] {
        t.model("the rate of a Poisson", DRAWN, &[AT, &format!("rate = {}", number(bad))], &latent_poisson(bad));
    }
    t.model("a mean that is NaN", ALL, &[AT, "loc = NaN"], &latent_normal(f64::NAN, 1.0));
    t.model("an infinite mean", ALL, &[AT, "loc = +∞"], &latent_normal(f64::INFINITY, 1.0));
    t.model("an interval from behind", ALL, &[AT, "Uniform"], &latent_uniform(2.0, 1.0));
    t.model("an empty interval", ALL, &[AT, "Uniform"], &latent_uniform(1.0, 1.0));
    t.model("an infinite interval", ALL, &[AT, "Uniform"], &latent_uniform(0.0, f64::INFINITY));
    t.model("a truncation from behind", ALL, &[AT, "Truncated", "Interval(2.0, 1.0)"], &latent_truncated(2.0, 1.0));
    t.model("a truncation to a point", ALL, &[AT, "Truncated", "Interval(1.0, 1.0)"], &latent_truncated(1.0, 1.0));
    t.model("a gamma of no size", ALL, &[AT, "rate = +∞"], &latent_gamma(1.0, f64::INFINITY));
    t.model("an inverse gamma of infinite size", ALL, &[AT, "rate = +∞"], &latent_inverse_gamma(1.0, f64::INFINITY));
    t.model("a gamma of infinite concentration", ALL, &[AT, "concentration = +∞"], &latent_gamma(f64::INFINITY, 1.0));
    t.model("a simplex of no parts", ALL, &[AT, "Dirichlet"], &latent_simplex(Vec::new()));
    t.model("a truncation to NaN", ALL, &[AT, "NaN"], &latent_truncated(f64::NAN, 1.0));
    t.finish();
}
