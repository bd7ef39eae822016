//! Data and reference moments of a posterior from JSON, and the verdict on a run.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use posterior::core::diagnostics::{ess_bulk, mcse_mean, rhat};
use posterior::prelude::*;
use serde_json::{Value, json};

use crate::Run;

/// The number of reference draws behind each moment.
const REFERENCE_DRAWS: f64 = 10_000.0;

/// A JSON object whose fields are numbers, vectors and matrices.
pub struct Columns(Value);

impl Columns {
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Columns(
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?,
        ))
    }

    pub fn number(&self, name: &str) -> Result<f64, Box<dyn Error>> {
        Ok(self.0[name].as_f64().ok_or_else(|| format!("`{name}` is no number"))?)
    }

    pub fn vector(&self, name: &str) -> Result<Array1<f64>, Box<dyn Error>> {
        let values = self.0[name]
            .as_array()
            .and_then(|a| a.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
        Ok(Array1::from(
            values.ok_or_else(|| format!("`{name}` is no array of numbers"))?,
        ))
    }

    pub fn matrix(&self, name: &str) -> Result<Array2<f64>, Box<dyn Error>> {
        let rows: Option<Vec<Vec<f64>>> = serde_json::from_value(self.0[name].clone()).ok();
        let rows = rows.ok_or_else(|| format!("`{name}` is no matrix"))?;
        let n_columns = rows.first().map_or(0, Vec::len);
        Ok(Array2::from_shape_vec((rows.len(), n_columns), rows.concat())?)
    }
}

/// Returns a design matrix: ones, and these columns.
pub fn columns(columns: &[&Array1<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((columns[0].len(), columns.len() + 1), |(i, k)| match k {
        0 => 1.0,
        _ => columns[k - 1][i],
    })
}

/// How well a posterior was recovered.
pub struct Verdict {
    worst_z: f64,
    worst_z_of: String,
    worst_sd_ratio: f64,
    worst_sd_of: String,
    max_rhat: f64,
    min_ess: f64,
    divergences: f64,
    is_reported: bool,
    seconds: f64,
    gradients: f64,
}

/// Compares the moments of a run with those of the reference.
pub fn judge(run: &Run, reference: &Columns, time: Duration) -> Result<Verdict, Box<dyn Error>> {
    let parameters = reference.0["parameters"]
        .as_object()
        .ok_or("the reference has no parameters")?;
    let sum = |name: &str| run.statistics.get(name).map_or(0.0, |values| values.sum());
    let mut verdict = Verdict {
        worst_z: 0.0,
        worst_z_of: String::new(),
        worst_sd_ratio: 1.0,
        worst_sd_of: String::new(),
        max_rhat: 0.0,
        min_ess: f64::INFINITY,
        divergences: sum("diverging"),
        is_reported: run.summary.contains("diverged"),
        seconds: time.as_secs_f64(),
        gradients: sum("n_steps"),
    };
    for (name, moments) in parameters {
        let component = run.draws.all_components().find(|c| from_one(&c.label) == *name);
        let values = component.ok_or_else(|| format!("the model has no `{name}`"))?.values;
        let moment = |key: &str| moments[key].as_f64().ok_or_else(|| format!("`{name}` has no {key}"));
        let (mean, sd) = (moment("mean")?, moment("sd")?);
        let error = mcse_mean(values).hypot(sd / REFERENCE_DRAWS.sqrt());
        let z = (values.mean().unwrap_or(f64::NAN) - mean) / error;
        let ratio = values.std(1.0) / sd;
        if exceeds(z.abs(), verdict.worst_z.abs()) {
            (verdict.worst_z, verdict.worst_z_of) = (z, name.clone());
        }
        if exceeds((ratio - 1.0).abs(), (verdict.worst_sd_ratio - 1.0).abs()) {
            (verdict.worst_sd_ratio, verdict.worst_sd_of) = (ratio, name.clone());
        }
        verdict.max_rhat = verdict.max_rhat.max(rhat(values));
        verdict.min_ess = verdict.min_ess.min(ess_bulk(values));
    }
    Ok(verdict)
}

/// Whether a figure is worse than the worst so far; NaN is.
fn exceeds(figure: f64, worst: f64) -> bool {
    figure > worst || figure.is_nan()
}

/// Returns a label with its indices counted from one: `theta[0]` becomes `theta[1]`.
fn from_one(label: &str) -> String {
    match label.trim_end_matches(']').split_once('[') {
        Some((name, index)) => match index.parse::<usize>() {
            Ok(index) => format!("{name}[{}]", index + 1),
            Err(_) => label.to_string(),
        },
        None => label.to_string(),
    }
}

impl Verdict {
    pub fn is_recovered(&self) -> bool {
        self.worst_z.abs() <= 4.0
            && (self.worst_sd_ratio - 1.0).abs() <= 0.1
            && self.max_rhat < 1.01
            && (self.divergences == 0.0 || self.is_reported)
    }

    pub fn json(&self) -> Value {
        json!({
            "recovered": self.is_recovered(),
            "worst_z": self.worst_z,
            "worst_sd_ratio": self.worst_sd_ratio,
            "max_rhat": self.max_rhat,
            "min_ess": self.min_ess,
            "divergences": self.divergences,
            "seconds": self.seconds,
            "gradients": self.gradients,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; worst z {:.2} ({}), sd ratio {:.3} ({}), r-hat {:.4}, ess {:.0}, divergences {}, {:.2} s, {:.0} gradients",
            if self.is_recovered() {
                "recovered"
            } else {
                "NOT recovered"
            },
            self.worst_z,
            self.worst_z_of,
            self.worst_sd_ratio,
            self.worst_sd_of,
            self.max_rhat,
            self.min_ess,
            self.divergences,
            self.seconds,
            self.gradients
        )
    }
}
