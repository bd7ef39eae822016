//! Several sets of draws side by side, with their differences in units of what matters.

use std::collections::HashMap;
use std::fmt;

use crate::diagnostics::mcse::mcse_mean;
use crate::diagnostics::moments::mean_and_sd;
use crate::diagnostics::number::significant;
use crate::diagnostics::summary::table;
use crate::draws::{Component, Draws};

/// The means and standard deviations of the same scalars by several algorithms; printed as a table in Markdown.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The names of the sets of draws; the first is what the others are compared with.
    pub names: Vec<String>,
    /// A row for each scalar of the first set.
    pub rows: Vec<ComparisonRow>,
}

/// One scalar in each set of draws.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonRow {
    /// The name with the index into the event, such as `theta[3]`.
    pub label: String,
    /// The estimates of each set, `None` where it lacks the scalar.
    pub estimates: Vec<Option<Estimate>>,
    /// How each set but the first differs from the first, `None` where it lacks the scalar.
    pub differences: Vec<Option<Difference>>,
}

/// What one set of draws says about a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The Monte Carlo standard error of the mean.
    pub mcse_mean: f64,
}

/// How far a mean is from the first set's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// In units of the combined standard error √(mcse₀² + mcse²): beyond 3 or 4 it is not chance.
    pub in_mcse: f64,
    /// In units of the first set's standard deviation: below a tenth it hardly matters.
    pub in_sd: f64,
}

/// Returns the scalars of the first set of draws beside those of the others.
///
/// ```
/// use ppl_core::diagnostics::compare;
/// use ppl_core::draws::Draws;
///
/// let mut mh = Draws::new(1, 6);
/// mh.insert("mu", &[], vec![1.0, 2.0, 1.0, 3.0, 2.0, 3.0])?;
/// let mut svi = Draws::new(1, 6);
/// svi.insert("mu", &[], vec![2.0, 3.0, 2.0, 4.0, 3.0, 4.0])?;
/// let comparison = compare(&[("mh", &mh), ("svi", &svi)]);
/// assert_eq!(comparison.rows[0].estimates[1].unwrap().mean, 3.0);
/// println!("{comparison}");
/// # Ok::<(), ppl_core::draws::DrawsError>(())
/// ```
pub fn compare(sets: &[(&str, &Draws)]) -> Comparison {
    let tables: Vec<HashMap<(&str, usize), Estimate>> = sets.iter().map(|(_, draws)| estimates(draws)).collect();
    let components = sets.first().into_iter().flat_map(|(_, draws)| draws.all_components());
    let rows = components.map(
        |Component {
             label,
             variable,
             element,
             ..
         }| {
            let of_table = |table: &HashMap<_, Estimate>| table.get(&(variable, element)).copied();
            let estimates: Vec<Option<Estimate>> = tables.iter().map(of_table).collect();
            let first = estimates[0].expect("the components are those of the first set");
            let differences = estimates[1..]
                .iter()
                .map(|other| other.map(|other| first.difference_to(&other)))
                .collect();
            ComparisonRow {
                label,
                estimates,
                differences,
            }
        },
    );
    Comparison {
        rows: rows.collect(),
        names: sets.iter().map(|(name, _)| name.to_string()).collect(),
    }
}

fn estimates(draws: &Draws) -> HashMap<(&str, usize), Estimate> {
    let estimate = |values| {
        let (mean, sd) = mean_and_sd(values);
        Estimate {
            mean,
            sd,
            mcse_mean: mcse_mean(values),
        }
    };
    let components = draws.all_components();
    components
        .map(|c| ((c.variable, c.element), estimate(c.values)))
        .collect()
}

impl Estimate {
    fn difference_to(&self, other: &Estimate) -> Difference {
        let by = other.mean - self.mean;
        Difference {
            in_mcse: by / self.mcse_mean.hypot(other.mcse_mean),
            in_sd: by / self.sd,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut header = vec![String::new()];
        header.extend(
            self.names
                .iter()
                .flat_map(|name| [format!("{name} mean"), format!("{name} sd")]),
        );
        let others = self.names.iter().skip(1);
        header.extend(others.flat_map(|name| [format!("{name} off by mcse"), format!("{name} off by sd")]));
        let rows = self.rows.iter().map(|row| {
            let absent = || ["-".to_string(), "-".to_string()];
            let means = row
                .estimates
                .iter()
                .map(|e| e.map_or_else(absent, |e| [e.mean, e.sd].map(significant)));
            let signed = |d: Difference| [d.in_mcse, d.in_sd].map(|x| format!("{x:+.2}"));
            let differences = row.differences.iter().map(|d| d.map_or_else(absent, signed));
            [row.label.clone()]
                .into_iter()
                .chain(means.chain(differences).flatten())
                .collect()
        });
        write!(f, "{}", table(header, rows))
    }
}
