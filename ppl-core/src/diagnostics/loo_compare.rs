//! Models side by side by how well they predict, with weights for their mixture.

use std::fmt;

use crate::diagnostics::elpd_error::ElpdError;
use crate::diagnostics::elpd_warning::{ElpdWarning, MIN_DIFFERENCE, MIN_OBSERVATIONS};
use crate::diagnostics::loo::Loo;
use crate::diagnostics::moments::sum_and_error;
use crate::diagnostics::number::significant;
use crate::diagnostics::stacking::stacking_weights;
use crate::diagnostics::summary::table;

/// Models from the best to the worst; printed as a table in Markdown with what may be wrong below.
#[derive(Clone, Debug, PartialEq)]
pub struct LooComparison {
    /// A row for each model, in descending order of elpd.
    pub rows: Vec<LooComparisonRow>,
    /// What may be wrong.
    pub warnings: Vec<ElpdWarning>,
}

/// One model beside the best.
#[derive(Clone, Debug, PartialEq)]
pub struct LooComparisonRow {
    /// The name of the model.
    pub name: String,
    /// Its expected log predictive density.
    pub elpd: f64,
    /// The standard error of `elpd`.
    pub se: f64,
    /// The effective number of parameters.
    pub p: f64,
    /// By how much the elpd of the best model is above its own: zero for the best.
    pub elpd_diff: f64,
    /// The standard error of `elpd_diff`: √n times the standard deviation of the differences of the elpdᵢ.
    pub dse: f64,
    /// Its weight in the mixture of predictive distributions that predicts best (stacking).
    pub weight: f64,
}

/// Compares models by the leave-one-out estimates of their predictive densities of the same observations.
///
/// The weights w maximise Σᵢ ln Σₖ wₖ e^elpdᵢₖ over all mixtures. A model that predicts some
/// observations better than all others gets weight though it is worse on the whole; models that are alike share theirs.
///
/// ```
/// use ndarray::Array3;
/// use ppl_core::diagnostics::{loo, loo_compare};
///
/// let model = |centre: f64| {
///     let log_likelihood = Array3::from_shape_fn((1, 500, 40), |(_, i, n)| {
///         let mean = centre + 0.2 * (i as f64 * 0.618).fract();
///         -0.5 * ((n as f64 * 0.755).fract() - mean).powi(2)
///     });
///     loo(log_likelihood.view().into_dyn(), 1.0)
/// };
/// let comparison = loo_compare(&[("far", &model(2.0)?), ("near", &model(0.4)?)])?;
/// assert_eq!(comparison.rows[0].name, "near");
/// assert!(comparison.rows[1].elpd_diff > 10.0 * comparison.rows[1].dse);
/// assert!(comparison.rows[0].weight > 0.999);
/// println!("{comparison}");
/// # Ok::<(), ppl_core::diagnostics::ElpdError>(())
/// ```
///
/// # Errors
/// If there is no model, or the models have other numbers of observations.
///
/// # References
/// Vehtari, Gelman and Gabry (2017), section 5.2, with n in the denominator of the standard error as in ArviZ; Yao, Vehtari,
/// Simpson and Gelman (2018), *Using stacking to average Bayesian predictive distributions*, Bayesian Analysis 13(3).
pub fn loo_compare(models: &[(&str, &Loo)]) -> Result<LooComparison, ElpdError> {
    let mut models = models.to_vec();
    // Models that are equally good keep their order.
    models.sort_by(|(_, a), (_, b)| b.elpd.total_cmp(&a.elpd));
    let Some(&(best, first)) = models.first() else {
        return Err(ElpdError::NoModels);
    };
    let n = first.elpd_i.len();
    if let Some((other, loo)) = models
        .iter()
        .find(|(_, loo)| loo.elpd_i.shape() != first.elpd_i.shape())
    {
        return Err(ElpdError::Observations {
            first: best.to_string(),
            expected: first.elpd_i.shape().to_vec(),
            other: other.to_string(),
            got: loo.elpd_i.shape().to_vec(),
        });
    }
    let densities: Vec<Vec<f64>> = models
        .iter()
        .map(|(_, loo)| loo.elpd_i.iter().copied().collect())
        .collect();
    let weights = stacking_weights(&densities);
    let rows: Vec<LooComparisonRow> = models
        .iter()
        .zip(densities.iter().zip(weights))
        .map(|((name, loo), (own, weight))| {
            let differences: Vec<f64> = densities[0].iter().zip(own).map(|(best, own)| best - own).collect();
            let (elpd_diff, dse) = sum_and_error(&differences);
            let name = name.to_string();
            let Loo { elpd, se, p, .. } = **loo;
            LooComparisonRow {
                name,
                elpd,
                se,
                p,
                elpd_diff,
                dse,
                weight,
            }
        })
        .collect();
    let warnings = warnings(&models, &rows, n);
    Ok(LooComparison { rows, warnings })
}

/// Returns the warnings of the models, then those of their differences over `n` observations.
fn warnings(models: &[(&str, &Loo)], rows: &[LooComparisonRow], n: usize) -> Vec<ElpdWarning> {
    let mut warnings: Vec<ElpdWarning> = models
        .iter()
        .flat_map(|(name, loo)| {
            loo.warnings()
                .into_iter()
                .map(|warning| (name.to_string(), Box::new(warning)))
        })
        .map(|(name, warning)| ElpdWarning::Model { name, warning })
        .collect();
    let small = rows.iter().skip(1).filter(|row| row.elpd_diff < MIN_DIFFERENCE);
    warnings.extend(small.map(|row| ElpdWarning::SmallDifference {
        name: row.name.clone(),
        elpd_diff: row.elpd_diff,
    }));
    if rows.len() > 1 && n < MIN_OBSERVATIONS {
        warnings.push(ElpdWarning::FewObservations { n });
    }
    warnings
}

impl fmt::Display for LooComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["", "elpd", "se", "p", "elpd diff", "dse", "weight"];
        let rows = self.rows.iter().map(|row| {
            let figures = [row.elpd, row.se, row.p, row.elpd_diff, row.dse].map(significant);
            let weight = format!("{:.3}", row.weight);
            [row.name.clone()].into_iter().chain(figures).chain([weight]).collect()
        });
        write!(f, "{}", table(header.map(String::from).to_vec(), rows))?;
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
