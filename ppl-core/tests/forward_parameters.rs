//! A forward run that draws with parameters that are not allowed is an error with the site, its place and the values.

use ppl_core::distributions::*;
use ppl_core::error::Result;
use ppl_core::inference::predictive::Prior;
use ppl_core::rng::Key;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::recording::Recorder;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::source::Forward;
use ppl_core::tape::store::Precision;
use ppl_macros::model;
use std::rc::Rc;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// What a parameter may not be.
const NOT_A_NUMBER: &[f64] = &[NAN];
const NOT_FINITE: &[f64] = &[NAN, INF, -INF];
const NOT_POSITIVE: &[f64] = &[NAN, INF, -INF, 0.0, -1.0];
const NOT_A_RATE: &[f64] = &[NAN, INF, -INF, -1.0];
const NOT_A_COUNT: &[f64] = &[NAN, INF, -INF, -1.0, 2.5];
const NOT_A_PROBABILITY: &[f64] = &[NAN, INF, -INF, -1.0, 1.5];

/// A distribution: its name, parameters that are allowed with their names and what each may not be, and a forward run with
/// other parameters.
struct Row {
    name: &'static str,
    params: Vec<(&'static str, f64, &'static [f64])>,
    run: fn(&[f64]) -> Result<()>,
}

macro_rules! rows {
    ($($name:literal |$p:ident| $dist:expr; [$($param:literal = $good:expr, $bad:expr);+])*) => {
        vec![$(Row {
            name: $name,
            params: vec![$(($param, $good, $bad)),+],
            run: |$p| {
                let recorder = Recorder {
                    source: Rc::new(Forward),
                    ..Recorder::prior(Precision::F64, Key::new(5))
                };
                let site = Site { name: "x", file: "model.rs", line: 7 };
                let recording = recorder.record_with(|ctx| ctx.sample_from(site, $dist).map(drop))?;
                recording.check_draws()
            },
        }),*]
    };
}

fn rows() -> Vec<Row> {
    rows! {
        "Normal" |p| Normal(p[0], p[1]); ["loc" = 0.5, NOT_FINITE; "scale" = 2.0, NOT_POSITIVE]
        "LogNormal" |p| LogNormal(p[0], p[1]); ["loc" = 0.5, NOT_FINITE; "scale" = 2.0, NOT_POSITIVE]
        "Cauchy" |p| Cauchy(p[0], p[1]); ["loc" = 0.5, NOT_FINITE; "scale" = 2.0, NOT_POSITIVE]
        "Laplace" |p| Laplace(p[0], p[1]); ["loc" = 0.5, NOT_FINITE; "scale" = 2.0, NOT_POSITIVE]
        "HalfNormal" |p| HalfNormal(p[0]); ["scale" = 2.0, NOT_POSITIVE]
        "HalfCauchy" |p| HalfCauchy(p[0]); ["scale" = 2.0, NOT_POSITIVE]
        "Exponential" |p| Exponential(p[0]); ["rate" = 2.0, NOT_POSITIVE]
        "Gamma" |p| Gamma(p[0], p[1]); ["concentration" = 0.5, NOT_POSITIVE; "rate" = 2.0, NOT_POSITIVE]
        "InverseGamma" |p| InverseGamma(p[0], p[1]); ["concentration" = 0.5, NOT_POSITIVE; "rate" = 2.0, NOT_POSITIVE]
        "Beta" |p| Beta(p[0], p[1]); ["concentration1" = 0.5, NOT_POSITIVE; "concentration0" = 2.0, NOT_POSITIVE]
        "Dirichlet" |p| Dirichlet([p[0], p[1]]); [
            "concentration[0]" = 0.5, NOT_POSITIVE;
            "concentration[1]" = 2.0, NOT_POSITIVE
        ]
        "StudentT" |p| StudentT(p[0], p[1], p[2]); [
            "df" = 3.0, NOT_POSITIVE;
            "loc" = 0.5, NOT_FINITE;
            "scale" = 2.0, NOT_POSITIVE
        ]
        "Uniform" |p| Uniform(p[0], p[1]); [
            "low" = 0.0, &[NAN, INF, -INF, 2.0, 3.0];
            "high" = 2.0, &[NAN, INF, -INF, 0.0, -1.0]
        ]
        "Poisson" |p| Poisson(p[0]); ["rate" = 3.0, NOT_A_RATE]
        "Bernoulli" |p| Bernoulli::probs(p[0]); ["probs" = 0.3, NOT_A_PROBABILITY]
        "Bernoulli" |p| Bernoulli::logits(p[0]); ["logits" = 0.3, NOT_A_NUMBER]
        "Binomial" |p| Binomial::probs(p[0], p[1]); ["total_count" = 4.0, NOT_A_COUNT; "probs" = 0.3, NOT_A_PROBABILITY]
        "Binomial" |p| Binomial::logits(p[0], p[1]); ["total_count" = 4.0, NOT_A_COUNT; "logits" = 0.3, NOT_A_NUMBER]
        "Categorical" |p| Categorical::probs([p[0], 2.0]); ["probs[0]" = 0.3, NOT_A_RATE]
        "Categorical" |p| Categorical::logits([p[0], 2.0]); ["logits[0]" = 0.3, &[NAN, INF]]
        "OneHotCategorical" |p| OneHotCategorical::probs([p[0], 2.0]); ["probs[0]" = 0.3, NOT_A_RATE]
        "OneHotCategorical" |p| OneHotCategorical::logits([p[0], 2.0]); ["logits[0]" = 0.3, &[NAN, INF]]
        "MultivariateNormal" |p|
            MultivariateNormal::scale_tril([p[0], 1.0], ndarray::arr2(&[[p[1], 0.0], [p[2], 2.0]])); [
            "loc[0]" = 0.5, NOT_FINITE;
            "scale_tril[0, 0]" = 1.0, NOT_POSITIVE;
            "scale_tril[1, 0]" = 0.5, NOT_FINITE
        ]
        "Delta" |p| Delta(p[0]); ["value" = 0.5, NOT_A_NUMBER]
        "Truncated" |p| Normal(p[0], p[1]).truncate(p[2], p[3]); [
            "loc" = 0.5, NOT_FINITE;
            "scale" = 2.0, NOT_POSITIVE;
            "lower bound" = -1.0, &[NAN, 2.0, 3.0, INF];
            "upper bound" = 2.0, &[NAN, -1.0, -3.0, -INF]
        ]
        "Truncated" |p| Exponential(p[0]).truncate(p[1], p[2]); [
            "rate" = 2.0, NOT_POSITIVE;
            "lower bound" = 1.0, &[NAN, 2.0, 3.0, INF];
            "upper bound" = 2.0, &[NAN, 1.0, 0.5, -INF]
        ]
        "Ordered" |p| Normal(p[0], p[1]).expand([3]).ordered(); ["loc" = 0.5, NOT_FINITE; "scale" = 2.0, NOT_POSITIVE]
    }
}

/// Returns a number as errors print it.
fn printed(x: f64) -> String {
    match x {
        x if x.is_nan() => "NaN".to_string(),
        INF => "+∞".to_string(),
        x if x == -INF => "−∞".to_string(),
        x => x.to_string(),
    }
}

#[test]
fn each_parameter_that_is_not_allowed_is_an_error_with_site_place_and_value() {
    let mut wrong = Vec::new();
    for row in rows() {
        let good: Vec<f64> = row.params.iter().map(|p| p.1).collect();
        if let Err(error) = (row.run)(&good) {
            wrong.push(format!("{} {good:?} is allowed: {error}", row.name));
        }
        for (k, (param, _, bad)) in row.params.iter().enumerate() {
            for &value in *bad {
                let mut params = good.clone();
                params[k] = value;
                let told = match (row.run)(&params) {
                    Ok(()) => "is silent".to_string(),
                    Err(error) => error.to_string(),
                };
                let named = format!("{param} = {}", printed(value));
                if !(told.starts_with("site x (model.rs:7): ") && told.contains(row.name) && told.contains(&named)) {
                    wrong.push(format!("{} with {named}: {told}", row.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[model(crate = ppl_core)]
fn one_point() {
    let x = sample(Normal(0, 1).truncate(1, 1));
}

#[model(crate = ppl_core)]
fn no_categories(by_logits: bool) {
    if by_logits {
        let y = sample(Categorical::logits(Vec::<f64>::new()));
    } else {
        let y = sample(Categorical::probs(Vec::<f64>::new()));
    }
}

#[model(crate = ppl_core)]
fn no_shares() {
    let shares = sample(Dirichlet(Vec::<f64>::new()));
}

#[model(crate = ppl_core)]
fn hidden_rate() {
    let x = sample(Gamma(-1, 1));
    let y = sample(Normal(0, 1));
}

fn prior_error<M: ppl_core::runtime::model::Model + Sync>(model: &M) -> String {
    Prior::default()
        .draws(2)
        .run(model)
        .err()
        .expect("an error")
        .to_string()
}

#[test]
fn what_has_no_draws_is_an_error() {
    let told = prior_error(&one_point());
    assert!(
        told.contains("log_prob is +∞ at its own draw: Truncated value = 1"),
        "{told}"
    );
    assert!(told.contains("lower bound = 1, upper bound = 1"), "{told}");
    let told = prior_error(&no_shares());
    assert!(
        told.contains("site shares") && told.contains("Dirichlet has no elements"),
        "{told}"
    );
    for by_logits in [true, false] {
        let told = prior_error(&no_categories(by_logits));
        assert!(
            told.contains("site y") && told.contains("Categorical value = NaN"),
            "{told}"
        );
    }
}

#[test]
fn a_blocked_site_that_cannot_be_drawn_is_an_error() {
    let told = prior_error(&hidden_rate().block(|s| s.x()));
    assert!(
        told.contains("site x") && told.contains("Gamma concentration = -1, rate = 1"),
        "{told}"
    );
}
