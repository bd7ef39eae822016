//! The numbers that a seed gives: the first draws of each sampler, in both precisions, stay as they are.
//!
//! `data/stability/draws.txt` has a line for each sampler. Lines with `=` are compared bit for bit: counts, and what is made of
//! our own elementary functions, which give the same bits everywhere. Lines with `~` are made with the logarithms, exponentials
//! and tangents of the system's library; they are compared to a relative 10⁻¹¹, in single precision 10⁻⁵. A change of these
//! numbers goes into the changelog; a failure prints the whole file as it would be.

use ppl_core::distributions::noise::Noise;
use ppl_core::distributions::*;
use ppl_core::inference::mh::Mh;
use ppl_core::inference::progress::Progress;
use ppl_core::kernels::random::{fill_normal, fill_uniform};
use ppl_core::kernels::real::Real;
use ppl_core::rng::Key;
use ppl_core::tape::record::Tape;
use ppl_core::tape::store::Precision;
use ppl_core::tape::var::Var;
use ppl_core::tensor::shape::Shape;
use ppl_macros::model;

/// A sampler: its name, whether its draws are the same bits everywhere, their event shape, and how to draw.
struct Sampler {
    name: &'static str,
    is_exact: bool,
    event: &'static [usize],
    draw: for<'t> fn(&Noise<'t>) -> Var<'t>,
}

macro_rules! samplers {
    ($($name:literal $kind:tt $event:expr, $dist:expr;)*) => {
        [$(Sampler {
            name: $name,
            is_exact: samplers!(@ $kind),
            event: &$event,
            draw: |at| $dist.draw(at),
        }),*]
    };
    (@ =) => { true };
    (@ ~) => { false };
}

fn samplers() -> impl IntoIterator<Item = Sampler> {
    samplers! {
        "Bernoulli::probs" = [6], Bernoulli::probs(0.4);
        "Bernoulli::logits" = [6], Bernoulli::logits(0.3);
        "Beta" ~ [3], Beta(2, 0.5);
        "Binomial::probs" = [3], Binomial::probs(12, 0.3);
        "Binomial::logits" = [3], Binomial::logits(1000, 0.3);
        "Categorical::probs" = [6], Categorical::probs([1.0, 2.0, 3.0]);
        "Categorical::logits" = [6], Categorical::logits([1.0, 2.0, 3.0]);
        "Cauchy" ~ [3], Cauchy(1, 2);
        "Delta" = [1], Delta(1.5);
        "Dirichlet" ~ [3], Dirichlet([0.5, 1.0, 2.0]);
        "Exponential" ~ [3], Exponential(2);
        "Gamma" ~ [3], Gamma(2.5, 2);
        "Gamma, small concentration" ~ [3], Gamma(0.1, 2);
        "HalfCauchy" ~ [3], HalfCauchy(2);
        "HalfNormal" = [3], HalfNormal(2);
        "InverseGamma" ~ [3], InverseGamma(2.5, 2);
        "Laplace" ~ [3], Laplace(1, 2);
        "LogNormal" = [3], LogNormal(1, 0.5);
        "MultivariateNormal" ~ [2], MultivariateNormal::scale_tril([1.0, -1.0], ndarray::arr2(&[[1.0, 0.0], [0.5, 2.0]]));
        "Normal" = [3], Normal(1, 2);
        "Normal, ordered" = [3], Normal(1, 2).expand([3]).ordered();
        "Normal, truncated" ~ [3], Normal(1, 2).truncate(0, 3);
        "OneHotCategorical::probs" = [3], OneHotCategorical::probs([1.0, 2.0, 3.0]);
        "OneHotCategorical::logits" = [3], OneHotCategorical::logits([1.0, 2.0, 3.0]);
        "Poisson" = [3], Poisson(4);
        "Poisson, large rate" = [3], Poisson(1e5);
        "StudentT" ~ [3], StudentT(3, 1, 2);
        "Uniform" = [3], Uniform(-1, 2);
    }
}

fn draws(sampler: &Sampler, precision: Precision) -> Vec<f64> {
    let tape = Tape::new(precision, Key::new(1));
    let at = Noise {
        tape: &tape,
        stream: 2,
        dims: Default::default(),
        event: Shape::from_slice(sampler.event),
    };
    let x = (sampler.draw)(&at);
    let flat = x.reshape(&[sampler.event.iter().product()]);
    (0..flat.event_shape()[0])
        .map(|i| flat.slice(i..i + 1).sum().value())
        .collect()
}

fn filled<F: Real>(fill: fn(Key, &mut [F])) -> Vec<f64> {
    let mut out = [F::ZERO; 3];
    fill(Key::new(1), &mut out);
    out.iter().map(|x| x.to_f64()).collect()
}

#[model(crate = ppl_core)]
fn two_kinds() {
    let mu = sample(Normal(0, 1));
    let count = sample(Poisson(3));
}

#[model(crate = ppl_core)]
fn changing() {
    let many = sample(Bernoulli::probs(0.5));
    if many.is_true() {
        let extra = sample(Normal(0, 1));
    }
}

/// Returns the first draws of a site by Metropolis–Hastings.
fn chain<M: ppl_core::runtime::model::Model + Sync>(model: &M, site: &str) -> Vec<f64> {
    let fit = Mh::default()
        .warmup(0)
        .draws(4)
        .chains(1)
        .seed(1)
        .progress(Progress::Hidden)
        .run(model);
    let fit = fit.expect("a fit");
    fit.draws().get(site).expect("the site").iter().copied().collect()
}

/// A line: the name, how it is compared, the numbers.
type Line = (String, char, Vec<f64>);

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for sampler in samplers() {
        for (name, precision) in [("f64", Precision::F64), ("f32", Precision::F32)] {
            let kind = if sampler.is_exact { '=' } else { '~' };
            lines.push((format!("{} {name}", sampler.name), kind, draws(&sampler, precision)));
        }
    }
    let mut add = |name: &str, kind, values| lines.push((name.to_string(), kind, values));
    add("fill_uniform f64", '=', filled::<f64>(fill_uniform));
    add("fill_uniform f32", '=', filled::<f32>(fill_uniform));
    add("fill_normal f64", '=', filled::<f64>(fill_normal));
    add("fill_normal f32", '=', filled::<f32>(fill_normal));
    add("Mh, continuous f64", '~', chain(&two_kinds(), "mu"));
    add("Mh, discrete f64", '=', chain(&two_kinds(), "count"));
    add("Mh on traces f64", '=', chain(&changing(), "many"));
    lines
}

fn text(lines: &[Line]) -> String {
    let line = |(name, kind, values): &Line| {
        let values: Vec<String> = values.iter().map(|x| format!("{x:?}")).collect();
        format!("{name} {kind} {}\n", values.join(" "))
    };
    lines.iter().map(line).collect()
}

/// Returns whether numbers are the pinned ones.
fn agrees((name, kind, values): &Line, pinned: &str) -> bool {
    let Some(pinned) = pinned.strip_prefix(&format!("{name} {kind} ")) else {
        return false;
    };
    let pinned: Vec<f64> = pinned.split(' ').map(|x| x.parse().expect("a number")).collect();
    let tolerance = match kind {
        '=' => 0.0,
        _ if name.ends_with("f32") => 1e-5,
        _ => 1e-11,
    };
    let is_close = |(x, y): (&f64, &f64)| (x - y).abs() <= tolerance * y.abs();
    values.len() == pinned.len() && values.iter().zip(&pinned).all(is_close)
}

#[test]
fn the_first_draws_of_each_sampler_stay_as_they_are() {
    let pinned = include_str!("data/stability/draws.txt");
    let lines = lines();
    let moved: Vec<&str> = lines
        .iter()
        .zip(pinned.lines().chain(std::iter::repeat("")))
        .filter(|(line, pinned)| !agrees(line, pinned))
        .map(|(line, _)| line.0.as_str())
        .collect();
    assert!(
        moved.is_empty() && lines.len() == pinned.lines().count(),
        "other numbers than before: {moved:?}\n{}",
        text(&lines)
    );
}
