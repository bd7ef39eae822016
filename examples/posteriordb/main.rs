//! Fourteen real posteriors against published reference draws: `cargo run --release --example posteriordb -- DIR`.
//!
//! DIR holds a folder for each posterior with its `data.json` and the moments of its reference draws in `reference.json`,
//! as in github.com/stan-dev/posteriordb. A posterior is recovered if every mean lies within four Monte Carlo errors of the
//! reference's, every standard deviation within a tenth, R-hat is below 1.01, and divergences are reported where there are any.

mod models;
mod reference;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use ndarray::s;
use posterior::core::draws::Draws;
use posterior::prelude::*;
use reference::{Columns, Verdict, columns, judge};
use serde_json::{Value, json};

/// Samples the reference posteriors and compares moments.
#[derive(Parser)]
struct Options {
    /// The folder with a folder for each posterior.
    dir: PathBuf,
    /// Writes the verdicts here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Samples only posteriors whose names contain this.
    #[arg(long)]
    only: Option<String>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 4)]
    chains: usize,
    #[arg(long, default_value_t = 1000)]
    draws: usize,
    #[arg(long, default_value_t = 1000)]
    warmup: usize,
    /// The metric to learn: fisher, fisher-diagonal, diagonal or dense.
    #[arg(long, default_value = "fisher")]
    metric: String,
}

/// Samples one posterior, given its data.
type Sampler = fn(&Columns, Nuts) -> Result<Run, Box<dyn Error>>;

/// What is compared.
struct Run {
    draws: Draws,
    statistics: Draws,
    summary: String,
}

impl Run {
    fn of<M: Model + Sync>(nuts: Nuts, model: &M) -> Result<Self, Box<dyn Error>> {
        let fit = nuts.run(model)?;
        Ok(Run {
            draws: fit.draws().clone(),
            statistics: fit.statistics().clone(),
            summary: fit.summary().to_string(),
        })
    }
}

const POSTERIORS: [(&str, Sampler); 14] = [
    ("eight_schools-eight_schools_centered", |d, nuts| {
        // The funnel asks for shorter steps, and few of its draws are independent.
        let draws = 10 * nuts.draws;
        let nuts = nuts.target_acceptance(0.99).draws(draws);
        Run::of(
            nuts,
            &models::eight_schools_centered(&d.vector("sigma")?, &d.vector("y")?),
        )
    }),
    ("eight_schools-eight_schools_noncentered", |d, nuts| {
        Run::of(
            nuts,
            &models::eight_schools_noncentered(&d.vector("sigma")?, &d.vector("y")?),
        )
    }),
    ("earnings-logearn_interaction", |d, nuts| {
        let (height, male) = (d.vector("height")?, d.vector("male")?);
        let x = columns(&[&height, &male, &(&height * &male)]);
        Run::of(nuts, &models::flat_regression(&x, &d.vector("earn")?.ln()))
    }),
    ("kidiq-kidscore_momhsiq", |d, nuts| {
        let x = columns(&[&d.vector("mom_hs")?, &d.vector("mom_iq")?]);
        Run::of(nuts, &models::cauchy_regression(&x, &d.vector("kid_score")?))
    }),
    ("mesquite-logmesquite_logvas", |d, nuts| {
        let [diam1, diam2, height] = [d.vector("diam1")?, d.vector("diam2")?, d.vector("canopy_height")?];
        let x = columns(&[
            &(&diam1 * &diam2 * &height).ln(),
            &(&diam1 * &diam2).ln(),
            &(&diam1 / &diam2).ln(),
            &d.vector("total_height")?.ln(),
            &d.vector("density")?.ln(),
            &d.vector("group")?,
        ]);
        Run::of(nuts, &models::flat_regression(&x, &d.vector("weight")?.ln()))
    }),
    ("nes1972-nes", |d, nuts| {
        let age = d.vector("age_discrete")?;
        let is = |k: f64| age.mapv(|a| f64::from(a == k));
        let x = columns(&[
            &d.vector("real_ideo")?,
            &d.vector("race_adj")?,
            &is(2.0),
            &is(3.0),
            &is(4.0),
            &d.vector("educ1")?,
            &d.vector("gender")?,
            &d.vector("income")?,
        ]);
        Run::of(nuts, &models::flat_regression(&x, &d.vector("partyid7")?))
    }),
    ("arK-arK", |d, nuts| {
        let (y, k) = (d.vector("y")?, d.number("K")? as usize);
        let lags = Array2::from_shape_fn((y.len() - k, k), |(t, lag)| y[t + k - 1 - lag]);
        Run::of(nuts, &models::autoregression(&lags, &y.slice(s![k..]).to_owned()))
    }),
    ("garch-garch11", |d, nuts| {
        Run::of(nuts, &models::garch(&d.vector("y")?, d.number("sigma1")?))
    }),
    ("gp_pois_regr-gp_regr", |d, nuts| {
        let x = d.vector("x")?;
        let squares = Array2::from_shape_fn((x.len(), x.len()), |(i, j)| (x[i] - x[j]).powi(2));
        Run::of(nuts, &models::gaussian_process(&squares, &d.vector("y")?))
    }),
    ("hmm_example-hmm_example", |d, nuts| {
        Run::of(nuts, &models::hidden_markov(&d.vector("y")?))
    }),
    ("bball_drive_event_0-hmm_drive_0", |d, nuts| {
        let alpha = d.matrix("alpha")?;
        let row = |k: usize| [alpha[[k, 0]], alpha[[k, 1]]];
        let (u, v) = (d.vector("u")?, d.vector("v")?);
        Run::of(nuts, &models::hidden_markov_of_drives(&u, &v, row(0), row(1)))
    }),
    ("low_dim_gauss_mix-low_dim_gauss_mix", |d, nuts| {
        Run::of(nuts, &models::gaussian_mixture(&d.vector("y")?))
    }),
    ("hudson_lynx_hare-lotka_volterra", |d, nuts| {
        let (first, y) = (d.vector("y_init")?, d.matrix("y")?);
        Run::of(nuts, &models::lotka_volterra(&first, &y, 10))
    }),
    ("kilpisjarvi_mod-kilpisjarvi", |d, nuts| {
        let alpha = (d.number("pmualpha")?, d.number("psalpha")?);
        let beta = (d.number("pmubeta")?, d.number("psbeta")?);
        Run::of(
            nuts,
            &models::kilpisjarvi(&d.vector("x")?, &d.vector("y")?, alpha, beta),
        )
    }),
];

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let nuts = Nuts {
        chains: options.chains,
        draws: options.draws,
        warmup: options.warmup,
        seed: options.seed,
        metric: match options.metric.as_str() {
            "fisher" => MetricKind::Fisher,
            "fisher-diagonal" => MetricKind::FisherDiagonal,
            "diagonal" => MetricKind::Diagonal,
            "dense" => MetricKind::Dense,
            other => return Err(format!("--metric {other}: it is fisher, fisher-diagonal, diagonal or dense").into()),
        },
        ..Nuts::default()
    };
    let mut verdicts = BTreeMap::new();
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only));
    for (name, sample) in POSTERIORS.into_iter().filter(|(name, _)| wanted(name)) {
        let verdict = run(&options.dir.join(name), sample, nuts.clone())?;
        println!("{name}: {verdict}");
        verdicts.insert(name, verdict);
    }
    let recovered = verdicts.values().filter(|v| v.is_recovered()).count();
    println!("recovered {recovered} of {}", verdicts.len());
    if let Some(path) = &options.json {
        let posteriors: BTreeMap<_, Value> = verdicts.iter().map(|(name, v)| (*name, v.json())).collect();
        let all = json!({"recovered": recovered, "of": verdicts.len(), "posteriors": posteriors});
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

fn run(folder: &Path, sample: Sampler, nuts: Nuts) -> Result<Verdict, Box<dyn Error>> {
    let data = Columns::read(&folder.join("data.json"))?;
    let reference = Columns::read(&folder.join("reference.json"))?;
    let start = Instant::now();
    let run = sample(&data, nuts)?;
    judge(&run, &reference, start.elapsed())
}
