//! Checks distributions against 25-digit tables made by `tools/reference/distributions.py`, in error units.
//!
//! An error unit is |got − exact| / (2⁻⁵³ (|exact| + Σ|inputᵢ ∂exact/∂inputᵢ|)). The bar for each column of each table: at
//! least 99 % of its points within 16 units, and no wrong infinity or NaN.
//! `cargo test -p ppl-core --test distributions -- --nocapture` prints the share and the worst point of every column.

use std::collections::BTreeMap;

use ppl_core::distributions::*;
use ppl_core::ops::sum::SumTerm;
use ppl_core::rng::Key;
use ppl_core::tape::gradient::gradient;
use ppl_core::tape::op::Op;
use ppl_core::tape::record::Tape;
use ppl_core::tape::store::Precision;
use ppl_core::tape::var::Var;
use serde_json::Value;

/// How many error units a point may be off.
const BAR: f64 = 16.0;

/// The share of points that must be within the bar.
const SHARE: f64 = 0.99;

/// Parameters on a tape, by name.
struct Inputs<'t>(Vec<(String, Var<'t>)>);

impl<'t> Inputs<'t> {
    fn get(&self, name: &str) -> Var<'t> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.unwrap_or_else(|| panic!("the table has no parameter {name}")).1
    }
}

/// Adds the log density at a value to the density of a tape.
type Density = for<'t> fn(&'t Tape, &Inputs<'t>, Var<'t>);

/// Returns mean and variance.
type Moments = for<'t> fn(&'t Tape, &Inputs<'t>) -> [Var<'t>; 2];

/// Returns the numbers in a number, a text or an array of them, row by row, and the shape.
fn numbers(json: &Value) -> (Vec<usize>, Vec<f64>) {
    match json {
        Value::Array(rows) => {
            let parts: Vec<_> = rows.iter().map(numbers).collect();
            let mut shape = vec![rows.len()];
            shape.extend(parts.first().map_or(&[] as &[usize], |(s, _)| s));
            (shape, parts.into_iter().flat_map(|(_, v)| v).collect())
        }
        Value::String(text) => (vec![], vec![text.parse().expect("a number")]),
        number => (vec![], vec![number.as_f64().expect("a number")]),
    }
}

/// The points of one column of a table.
#[derive(Default)]
struct Column {
    n: usize,
    within: usize,
    wrong: Vec<String>,
    worst: (f64, String),
}

impl Column {
    fn add(&mut self, got: f64, exact: f64, scale: f64, place: impl Fn() -> String) {
        let text = || format!("{}: got {got:e}, exact {exact:e}", place());
        self.n += 1;
        let same = got == exact || (got.is_nan() && exact.is_nan());
        if !(same || got.is_finite() && exact.is_finite()) {
            self.wrong.push(text());
            return;
        }
        // A subnormal answer cannot be closer than its spacing.
        let unit = (f64::EPSILON / 2.0 * scale).max(f64::from_bits(1));
        let error = if same { 0.0 } else { (got - exact).abs() / unit };
        self.within += usize::from(error <= BAR);
        if error >= self.worst.0 {
            self.worst = (error, text());
        }
    }
}

/// Compares with a table, column by column.
fn check(name: &str, table: &str, density: Density, moments: Moments) {
    let table: Value = serde_json::from_str(table).expect("a table");
    let is_discrete = table["kind"] == "discrete";
    let mut columns = BTreeMap::<String, Column>::new();
    for set in table["sets"].as_array().expect("sets") {
        for point in set["points"].as_array().expect("points") {
            check_point(&mut columns, &set["params"], point, is_discrete, density);
        }
        check_moments(&mut columns, set, moments);
    }
    let mut failures = Vec::new();
    for (column, c) in &columns {
        let share = c.within as f64 / c.n as f64;
        println!(
            "{name}.{column}: {} points, {:.2} % within {BAR}, {} wrong, worst {:.1} {}",
            c.n,
            100.0 * share,
            c.wrong.len(),
            c.worst.0,
            c.worst.1
        );
        if share < SHARE || !c.wrong.is_empty() {
            let wrong = c.wrong.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
            failures.push(format!(
                "{column}: {} of {} within {BAR} units, worst {:.1} {}; {} wrong infinities or NaNs: {wrong}",
                c.within,
                c.n,
                c.worst.0,
                c.worst.1,
                c.wrong.len()
            ));
        }
    }
    assert!(columns["log_prob"].n >= 20, "{name}: the table is empty");
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
}

/// Puts the parameters of a set onto a tape and returns their places in the vector of inputs.
fn inputs<'t>(tape: &'t Tape, params: &Value) -> (Inputs<'t>, BTreeMap<String, std::ops::Range<usize>>, usize) {
    let (mut vars, mut places, mut at) = (Vec::new(), BTreeMap::new(), 0);
    for (name, value) in params.as_object().expect("parameters") {
        let (shape, values) = numbers(value);
        vars.push((name.clone(), tape.input(at, &[], &shape, &values, false)));
        places.insert(name.clone(), at..at + values.len());
        at += values.len();
    }
    (Inputs(vars), places, at)
}

fn check_point(
    columns: &mut BTreeMap<String, Column>,
    params: &Value,
    point: &Value,
    is_discrete: bool,
    density: Density,
) {
    let tape = Tape::new(Precision::F64, Key::new(1));
    let (vars, mut places, at) = inputs(&tape, params);
    let (shape, x) = numbers(&point["value"]);
    let value = tape.input(at, &[], &shape, &x, is_discrete);
    if !is_discrete {
        places.insert(String::new(), at..at + x.len());
    }
    density(&tape, &vars, value);
    let scale = &point["scale"];
    let place = || format!("{params} at {}", point["value"]);
    let mut add = |column: &str, got: &[f64], exact: &Value, scale: &Value| {
        if exact.is_null() {
            return;
        }
        // At the border of the support there are no derivatives: the scale is the answer itself.
        let scale = if scale.is_null() {
            numbers(exact).1
        } else {
            numbers(scale).1
        };
        for (i, (got, exact)) in got.iter().zip(numbers(exact).1).enumerate() {
            let column = columns.entry(column.to_string()).or_default();
            column.add(*got, exact, scale[i % scale.len()].abs(), place);
        }
    };
    add(
        "log_prob",
        &[tape.log_density()],
        &point["log_prob"],
        &scale["log_prob"],
    );
    let gradient = gradient(&tape);
    for (name, place) in places {
        let got = &gradient[place];
        if name.is_empty() {
            add("d_value", got, &point["d_value"], &scale["d_value"]);
        } else {
            let (exact, scale) = (&point["d_params"][&name], &scale["d_params"][&name]);
            add(&format!("d_{name}"), got, exact, scale);
        }
    }
}

fn check_moments(columns: &mut BTreeMap<String, Column>, set: &Value, moments: Moments) {
    let tape = Tape::new(Precision::F64, Key::new(1));
    let (vars, _, _) = inputs(&tape, &set["params"]);
    for (column, got) in ["mean", "variance"].into_iter().zip(moments(&tape, &vars)) {
        if set[column].is_null() || set[column].is_array() || !got.event_shape().is_empty() {
            continue;
        }
        let ((_, exact), (_, scale)) = (numbers(&set[column]), numbers(&set["scale"][column]));
        let place = || set["params"].to_string();
        columns
            .entry(column.to_string())
            .or_default()
            .add(got.value(), exact[0], scale[0], place);
    }
}

/// One test a table: its name, and the distribution from the parameters in it.
macro_rules! tables {
    ($($test:ident, $table:literal => |$p:ident| $dist:expr;)*) => {
        $(
            #[test]
            fn $test() {
                fn density<'t>(tape: &'t Tape, $p: &Inputs<'t>, x: Var<'t>) {
                    $dist.log_prob_term(tape, x, 1.0, 0);
                }
                fn moments<'t>(tape: &'t Tape, $p: &Inputs<'t>) -> [Var<'t>; 2] {
                    let dist = $dist;
                    [dist.mean(tape), dist.variance(tape)]
                }
                let table = include_str!(concat!("data/distributions/", $table, ".json"));
                check($table, table, density, moments);
            }
        )*
    };
}

/// One test a table of divergences: its name, and the two distributions from the parameters in it, those of the second with
/// the prefix `q_`.
macro_rules! divergences {
    ($($test:ident, $table:literal => |$p:ident| $first:expr, $second:expr;)*) => {
        $(
            #[test]
            fn $test() {
                fn divergence<'t, P: Dist<'t>, Q: Dist<'t>>(tape: &'t Tape, p: P, q: Q) {
                    let kl = P::KL.expect("a closed form");
                    let kl = kl(tape, &p.params(tape), Q::NAME, &q.params(tape)).expect("a closed form for this pair");
                    tape.term(SumTerm::DEF, &[kl], &[], 0, 1.0, 0);
                }
                fn density<'t>(tape: &'t Tape, $p: &Inputs<'t>, _: Var<'t>) {
                    divergence(tape, $first, $second);
                }
                fn moments<'t>(_: &'t Tape, _: &Inputs<'t>) -> [Var<'t>; 2] {
                    [Var::from(f64::NAN); 2]
                }
                let table = include_str!(concat!("data/distributions/", $table, ".json"));
                check($table, table, density, moments);
            }
        )*
    };
}

divergences! {
    kl_normal, "KlNormal" => |p| Normal(p.get("loc"), p.get("scale")), Normal(p.get("q_loc"), p.get("q_scale"));
    kl_exponential, "KlExponential" => |p| Exponential(p.get("rate")), Exponential(p.get("q_rate"));
    kl_poisson, "KlPoisson" => |p| Poisson(p.get("rate")), Poisson(p.get("q_rate"));
    kl_gamma, "KlGamma" => |p|
        Gamma(p.get("concentration"), p.get("rate")), Gamma(p.get("q_concentration"), p.get("q_rate"));
    kl_beta, "KlBeta" => |p|
        Beta(p.get("concentration1"), p.get("concentration0")),
        Beta(p.get("q_concentration1"), p.get("q_concentration0"));
    kl_dirichlet, "KlDirichlet" => |p| Dirichlet(p.get("concentration")), Dirichlet(p.get("q_concentration"));
    kl_laplace, "KlLaplace" => |p| Laplace(p.get("loc"), p.get("scale")), Laplace(p.get("q_loc"), p.get("q_scale"));
    kl_categorical_logits, "KlCategoricalLogits" => |p|
        Categorical::logits(p.get("logits")), Categorical::logits(p.get("q_logits"));
}

tables! {
    truncated_normal, "TruncatedNormal" => |p|
        Normal(p.get("loc"), p.get("scale")).truncate(p.get("low"), p.get("high"));
    truncated_cauchy, "TruncatedCauchy" => |p|
        Cauchy(p.get("loc"), p.get("scale")).truncate(p.get("low"), p.get("high"));
    truncated_laplace, "TruncatedLaplace" => |p|
        Laplace(p.get("loc"), p.get("scale")).truncate(p.get("low"), p.get("high"));
    truncated_exponential, "TruncatedExponential" => |p| Exponential(p.get("rate")).truncate(p.get("low"), p.get("high"));
    normal, "Normal" => |p| Normal(p.get("loc"), p.get("scale"));
    log_normal, "LogNormal" => |p| LogNormal(p.get("loc"), p.get("scale"));
    half_normal, "HalfNormal" => |p| HalfNormal(p.get("scale"));
    cauchy, "Cauchy" => |p| Cauchy(p.get("loc"), p.get("scale"));
    half_cauchy, "HalfCauchy" => |p| HalfCauchy(p.get("scale"));
    student_t, "StudentT" => |p| StudentT(p.get("df"), p.get("loc"), p.get("scale"));
    laplace, "Laplace" => |p| Laplace(p.get("loc"), p.get("scale"));
    uniform, "Uniform" => |p| Uniform(p.get("low"), p.get("high"));
    exponential, "Exponential" => |p| Exponential(p.get("rate"));
    gamma, "Gamma" => |p| Gamma(p.get("concentration"), p.get("rate"));
    inverse_gamma, "InverseGamma" => |p| InverseGamma(p.get("concentration"), p.get("rate"));
    beta, "Beta" => |p| Beta(p.get("concentration1"), p.get("concentration0"));
    dirichlet, "Dirichlet" => |p| Dirichlet(p.get("concentration"));
    multivariate_normal, "MultivariateNormalTril" => |p| MultivariateNormal::scale_tril(p.get("loc"), p.get("scale_tril"));
    bernoulli_probs, "BernoulliProbs" => |p| Bernoulli::probs(p.get("probs"));
    bernoulli_logits, "BernoulliLogits" => |p| Bernoulli::logits(p.get("logits"));
    categorical_probs, "CategoricalProbs" => |p| Categorical::probs(p.get("probs"));
    categorical_logits, "CategoricalLogits" => |p| Categorical::logits(p.get("logits"));
    one_hot_categorical_logits, "OneHotCategoricalLogits" => |p| OneHotCategorical::logits(p.get("logits"));
    binomial_probs, "BinomialProbs" => |p| Binomial::probs(p.get("total_count"), p.get("probs"));
    binomial_logits, "BinomialLogits" => |p| Binomial::logits(p.get("total_count"), p.get("logits"));
    poisson, "Poisson" => |p| Poisson(p.get("rate"));
}
