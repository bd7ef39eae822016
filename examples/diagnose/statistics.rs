//! The figures of all scalars, of log likelihoods and energies, as JSON.

use std::error::Error;

use clap::Args;
use ndarray::{ArrayViewD, Ix2};
use posterior::core::diagnostics::{
    Loo, Summary, Waic, e_bfmi, ess_local, ess_mean, ess_quantile, ess_sd, loo, mcse_quantile, mcse_sd, pareto_khat,
    psense, relative_efficiency, rhat_nested, summary, waic,
};
use posterior::core::draws::{Component, Draws};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::chains::Variable;

/// The quantiles that are given, in percent.
const PERCENTS: [u8; 5] = [5, 25, 50, 75, 95];

/// What is computed beside the figures of each scalar.
#[derive(Args, Default)]
pub struct Wanted {
    /// The number of its superchain for each chain, as 0,0,1,1: adds the nested R-hat.
    #[arg(long, value_delimiter = ',')]
    pub superchains: Vec<usize>,
    /// The probabilities of the interval whose effective sample size is `ess_local`.
    #[arg(long, num_args = 2, default_values_t = [0.25, 0.75])]
    pub interval: Vec<f64>,
    /// The variable with the log likelihood of each observation: gives LOO and WAIC in place of figures of scalars.
    #[arg(long)]
    pub log_likelihood: Option<String>,
    /// The variable with the log density of the prior: adds, with the likelihood, the sensitivity to their powers.
    #[arg(long, requires = "log_likelihood")]
    pub log_prior: Option<String>,
    /// The variable with the energy of a Hamiltonian sampler: gives the fraction of missing information of each chain.
    #[arg(long)]
    pub energy: Option<String>,
}

/// Returns an object with an entry for each scalar, and for each variable that an option names.
pub fn all(variables: &[Variable], wanted: &Wanted) -> Result<Value, Box<dyn Error>> {
    let special = |name: &str| {
        [&wanted.log_likelihood, &wanted.log_prior, &wanted.energy]
            .iter()
            .any(|x| x.as_deref() == Some(name))
    };
    let find = |name: &String| match variables.iter().find(|variable| variable.name == *name) {
        Some(variable) => Ok(values(variable)),
        None => Err(format!("no variable named `{name}`; there are {}", names(variables))),
    };
    let latents: Vec<&Variable> = variables.iter().filter(|variable| !special(&variable.name)).collect();
    let mut found = Map::new();
    for variable in &latents {
        check(variable, wanted)?;
        scalars(&variable.draws, wanted, &mut found)?;
    }
    if let Some(name) = &wanted.log_likelihood {
        let log_likelihood = find(name)?;
        let together = together(&latents, log_likelihood.shape())?;
        let r_eff = relative_efficiency(&together);
        found.insert(
            name.clone(),
            predictive(
                &loo(log_likelihood.view(), r_eff)?,
                r_eff,
                &waic(log_likelihood.view())?,
            ),
        );
        if let Some(prior) = &wanted.log_prior {
            for row in psense(&together, find(prior)?, log_likelihood)?.rows {
                found[&row.label]["psense_prior"] = figure(row.prior);
                found[&row.label]["psense_likelihood"] = figure(row.likelihood);
            }
        }
    }
    if let Some(name) = &wanted.energy {
        let energy = find(name)?;
        let energy = energy
            .into_dimensionality::<Ix2>()
            .map_err(|_| format!("`{name}` has more than one energy for a draw"))?;
        found.insert(name.clone(), json!({ "e_bfmi": figures(e_bfmi(energy)) }));
    }
    Ok(Value::Object(found))
}

fn names(variables: &[Variable]) -> String {
    variables
        .iter()
        .map(|variable| format!("`{}`", variable.name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn values(variable: &Variable) -> ArrayViewD<'_, f64> {
    variable.draws.get(&variable.name).expect("the variable is there")
}

/// Checks options against a variable.
fn check(variable: &Variable, wanted: &Wanted) -> Result<(), String> {
    let (given, n) = (&wanted.superchains, variable.draws.n_chains());
    if !given.is_empty() && given.len() != n {
        return Err(format!(
            "`{}` has {n} chains, and --superchains {} numbers",
            variable.name,
            given.len()
        ));
    }
    let size = |superchain: &usize| given.iter().filter(|other| *other == superchain).count();
    if given.iter().any(|superchain| size(superchain) != size(&given[0])) {
        return Err(format!("--superchains are of one size, got {given:?}"));
    }
    match wanted.interval[..] {
        [low, high] if 0.0 <= low && low < high && high <= 1.0 => Ok(()),
        _ => Err(format!(
            "--interval takes two probabilities in ascending order, got {:?}",
            wanted.interval
        )),
    }
}

/// Adds an entry for each scalar of a variable.
fn scalars(draws: &Draws, wanted: &Wanted, found: &mut Map<String, Value>) -> Result<(), String> {
    let components: Vec<Component> = draws.all_components().collect();
    let entries: Vec<(String, Value)> = components
        .into_par_iter()
        .map(|component| {
            let entry = entry(&component, wanted);
            (component.label, entry)
        })
        .collect();
    for (label, entry) in entries {
        if found.contains_key(&label) {
            return Err(format!("two variables have a scalar `{label}`"));
        }
        found.insert(label, entry);
    }
    Ok(())
}

/// Returns the figures of one scalar.
fn entry(Component { label, values, .. }: &Component, wanted: &Wanted) -> Value {
    let mut alone = Draws::new(values.nrows(), values.ncols());
    let numbers = values.iter().copied().collect();
    alone.insert(label, &[], numbers).expect("a number for each draw");
    let Summary { rows, warnings } = summary(&alone);
    let (row, x) = (&rows[0], *values);
    let mut entry = json!({
        "mean": figure(row.mean),
        "sd": figure(row.sd),
        "ess_bulk": figure(row.ess_bulk),
        "ess_tail": figure(row.ess_tail),
        "ess_mean": figure(ess_mean(x)),
        "ess_sd": figure(ess_sd(x)),
        "ess_median": figure(ess_quantile(x, 0.5)),
        "ess_local": figure(ess_local(x, [wanted.interval[0], wanted.interval[1]])),
        "mcse_mean": figure(row.mcse_mean),
        "mcse_sd": figure(mcse_sd(x)),
        "mcse_median": figure(mcse_quantile(x, 0.5)),
        "rhat": figure(row.rhat),
        "pareto_khat": figure(pareto_khat(x)),
        "warnings": warnings.iter().map(|warning| warning.to_string()).collect::<Vec<_>>(),
    });
    for percent in PERCENTS {
        let q = f64::from(percent) / 100.0;
        let quantile = alone.quantile(label, q).expect("the scalar is there");
        entry[format!("q{percent}")] = figure(quantile[[]]);
        entry[format!("ess_q{percent}")] = figure(ess_quantile(x, q));
        entry[format!("mcse_q{percent}")] = figure(mcse_quantile(x, q));
    }
    if !wanted.superchains.is_empty() {
        entry["rhat_nested"] = figure(rhat_nested(x, &wanted.superchains));
    }
    entry
}

/// Returns all latents in one set of draws, which have to have as many chains and draws as the log likelihood.
fn together(latents: &[&Variable], shape: &[usize]) -> Result<Draws, String> {
    let mut all = Draws::new(shape[0], shape[1]);
    for Variable { name, draws } in latents.iter().copied() {
        let own = [draws.n_chains(), draws.n_draws()];
        if own != shape[..2] {
            return Err(format!(
                "`{name}` has chains × draws {own:?}, the log likelihood {:?}",
                &shape[..2]
            ));
        }
        let event = draws.shape(name).map_err(|e| e.to_string())?;
        let values = draws.get(name).into_iter().flatten().copied().collect();
        all.insert(name, event, values).map_err(|e| e.to_string())?;
    }
    Ok(all)
}

fn predictive(loo: &Loo, r_eff: f64, waic: &Waic) -> Value {
    let warnings = loo.warnings().into_iter().chain(waic.warnings());
    json!({
        "r_eff": figure(r_eff),
        "elpd_loo": figure(loo.elpd),
        "se_elpd_loo": figure(loo.se),
        "p_loo": figure(loo.p),
        "elpd_loo_i": figures(loo.elpd_i.iter().copied()),
        "pareto_k": figures(loo.pareto_k.iter().copied()),
        "good_k": figure(loo.good_k()),
        "pareto_k_counts": loo.pareto_k_counts(),
        "elpd_waic": figure(waic.elpd),
        "se_elpd_waic": figure(waic.se),
        "p_waic": figure(waic.p),
        "warnings": warnings.map(|warning| warning.to_string()).collect::<Vec<_>>(),
    })
}

/// Returns a number as JSON: `null` for NaN, a text if it is infinite.
fn figure(x: f64) -> Value {
    match x {
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(x),
    }
}

fn figures(x: impl IntoIterator<Item = f64>) -> Vec<Value> {
    x.into_iter().map(figure).collect()
}
