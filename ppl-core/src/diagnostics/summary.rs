//! The table to look at first: mean, spread, quantiles, errors and diagnostics of every scalar.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::diagnostics::ess::{ess_bulk, ess_tail};
use crate::diagnostics::mcse::mcse_mean;
use crate::diagnostics::moments::mean_and_sd;
use crate::diagnostics::number::significant;
use crate::diagnostics::rhat::rhat;
use crate::diagnostics::warning::{Warning, warnings};
use crate::draws::{Component, Draws, quantile_of_sorted, sorted};

/// How many warnings are printed; the rest are counted.
const MAX_PRINTED_WARNINGS: usize = 20;

/// A row for each scalar, and what may be wrong; printed as a table in Markdown with the warnings below.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The scalars in the order of the draws.
    pub rows: Vec<SummaryRow>,
    /// What may be wrong, in the order of the rows.
    pub warnings: Vec<Warning>,
}

/// The figures of one scalar over all chains and draws.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The name with the index into the event, such as `theta[3]`.
    pub label: String,
    /// The posterior mean.
    pub mean: f64,
    /// The posterior standard deviation.
    pub sd: f64,
    /// The 5 % quantile.
    pub q5: f64,
    /// The 95 % quantile.
    pub q95: f64,
    /// The Monte Carlo standard error of the mean.
    pub mcse_mean: f64,
    /// The effective sample size in the bulk.
    pub ess_bulk: f64,
    /// The effective sample size in the tails.
    pub ess_tail: f64,
    /// The rank-normalised split R-hat.
    pub rhat: f64,
}

/// Returns the figures of all scalars, with warnings in words about those that should not be trusted.
///
/// ```
/// use ppl_core::diagnostics::summary;
/// use ppl_core::draws::Draws;
///
/// let mut draws = Draws::new(1, 4);
/// draws.insert("x", &[2], vec![1.0, 0.0, 1.0, f64::INFINITY, 1.0, 0.0, 1.0, 1.0])?;
/// let text = summary(&draws).to_string();
/// assert!(text.contains("`x[0]` is 1 in every draw"));
/// assert!(text.contains("`x[1]` is inf in chain 0 at draw 1"));
/// # Ok::<(), ppl_core::draws::DrawsError>(())
/// ```
pub fn summary(draws: &Draws) -> Summary {
    let components: Vec<Component> = draws.all_components().collect();
    let (rows, warnings): (Vec<SummaryRow>, Vec<Vec<Warning>>) = components
        .into_par_iter()
        .map(|component| {
            // The draws of a component lie far apart if its event is large.
            let draws = component.values.as_standard_layout();
            let row = SummaryRow::new(component.label, draws.view());
            let warnings = warnings(&row, draws.view());
            (row, warnings)
        })
        .unzip();
    Summary {
        rows,
        warnings: warnings.concat(),
    }
}

impl SummaryRow {
    fn new(label: String, draws: ArrayView2<f64>) -> Self {
        let (mean, sd) = mean_and_sd(draws);
        let sorted = sorted(draws.iter().copied());
        SummaryRow {
            label,
            mean,
            sd,
            q5: quantile_of_sorted(&sorted, 0.05),
            q95: quantile_of_sorted(&sorted, 0.95),
            mcse_mean: mcse_mean(draws),
            ess_bulk: ess_bulk(draws),
            ess_tail: ess_tail(draws),
            rhat: rhat(draws),
        }
    }

    fn cells(&self) -> Vec<String> {
        let figures = [self.mean, self.sd, self.q5, self.q95, self.mcse_mean].map(significant);
        let sizes = [self.ess_bulk, self.ess_tail].map(|ess| format!("{ess:.0}"));
        let rhat = format!("{:.3}", self.rhat);
        [self.label.clone()]
            .into_iter()
            .chain(figures)
            .chain(sizes)
            .chain([rhat])
            .collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            "",
            "mean",
            "sd",
            "5%",
            "95%",
            "mcse mean",
            "ess bulk",
            "ess tail",
            "r-hat",
        ];
        write!(
            f,
            "{}",
            table(
                header.map(String::from).to_vec(),
                self.rows.iter().map(SummaryRow::cells)
            )
        )?;
        if !self.warnings.is_empty() {
            writeln!(f)?;
        }
        warnings_of(f, &self.warnings)
    }
}

/// Writes what may be wrong, a line each, without a line's end at the last; those beyond the first are counted.
pub(crate) fn warnings_of(f: &mut fmt::Formatter<'_>, warnings: &[Warning]) -> fmt::Result {
    let (printed, rest) = warnings.split_at(warnings.len().min(MAX_PRINTED_WARNINGS));
    for warning in printed {
        write!(f, "\nwarning: {warning}")?;
    }
    match rest.len() {
        0 => Ok(()),
        n => write!(f, "\nand {n} more warnings"),
    }
}

/// Returns a table in Markdown whose first column is on the left and whose others are on the right.
pub(super) fn table(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(header)
        .add_rows(rows);
    table
        .column_iter_mut()
        .skip(1)
        .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
