//! Power-scaling sensitivity: how much each posterior moves if the prior or the likelihood counts a little more or less.

use std::fmt;

use ndarray::{ArrayView2, ArrayViewD};
use rayon::prelude::*;

use crate::diagnostics::elpd_error::ElpdError;
use crate::diagnostics::ess::ess_tail;
use crate::diagnostics::pointwise::Pointwise;
use crate::diagnostics::psense_warning::{MAX_SENSITIVITY, PsenseWarning};
use crate::diagnostics::psis::{good_k, smooth};
use crate::diagnostics::split::says_nothing;
use crate::diagnostics::summary::table;
use crate::diagnostics::tail::{MIN_TAIL, tail_length};
use crate::draws::Draws;

/// The powers that a component is raised to.
const POWERS: [f64; 2] = [0.99, 1.01];

/// How sensitive the posterior of each scalar is to prior and likelihood; printed as a table in Markdown, with what may be wrong
/// below.
#[derive(Clone, Debug, PartialEq)]
pub struct Psense {
    /// The scalars in the order of the draws.
    pub rows: Vec<PsenseRow>,
    /// What may be wrong.
    pub warnings: Vec<PsenseWarning>,
}

/// How sensitive the posterior of one scalar is.
#[derive(Clone, Debug, PartialEq)]
pub struct PsenseRow {
    /// The name with the index into the event, such as `theta[3]`.
    pub label: String,
    /// The sensitivity to the power of the prior; above 0.05 the prior informs the posterior.
    pub prior: f64,
    /// The sensitivity to the power of the likelihood; below 0.05 the data hardly inform the posterior.
    pub likelihood: f64,
}

/// Returns how sensitive the posterior of each scalar is to the power that the prior or the likelihood is raised to, from their
/// log densities at the draws, `[chain, draw]` or `[chain, draw, term…]`, whose terms are added up.
///
/// The posterior with a component raised to the power α is that with the weights exp((α − 1) · log density), smoothed by
/// [`psis`](super::psis). The distance of the weighted draws from the plain ones is that of Jensen and Shannon between their
/// distribution functions P and Q,
/// √((Σ δ (P log₂ (2P / (P+Q)) + Q log₂ (2Q / (P+Q)))) / Σ δ (P + Q)) with δ the steps between draws in order, the larger of
/// that of x and of −x. The sensitivity is its change with log₂ α, on average over α = 0.99 and 1.01. It is NaN for a scalar
/// that is NaN at a draw, infinite, or the same at all.
///
/// ```
/// use ndarray::Array2;
/// use ppl_core::diagnostics::psense;
/// use ppl_core::draws::Draws;
///
/// let x = Array2::from_shape_fn((1, 1000), |(_, i)| (i as f64 * 0.618).fract() - 0.5);
/// let mut draws = Draws::new(1, 1000);
/// draws.insert("x", &[], x.iter().copied().collect())?;
/// let (flat, sharp) = (x.mapv(|_| 0.0), x.mapv(|x| -10.0 * x * x));
/// let sensitivity = psense(&draws, flat.view().into_dyn(), sharp.view().into_dyn())?;
/// assert!(sensitivity.rows[0].prior < 1e-5);
/// assert!(sensitivity.rows[0].likelihood > 0.05);
/// println!("{sensitivity}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a log density is infinite or NaN, or they do not belong to the draws.
///
/// # References
/// Kallioinen, Paananen, Bürkner and Vehtari (2024), *Detecting and diagnosing prior and likelihood sensitivity with
/// power-scaling*, Statistics and Computing 34. The numbers are those of arviz-stats, which takes the efficiency of the draws,
/// for the length of the tail, from all chains one after another.
pub fn psense(draws: &Draws, log_prior: ArrayViewD<f64>, log_likelihood: ArrayViewD<f64>) -> Result<Psense, ElpdError> {
    let prior = Scaled::new(draws, "the log prior", log_prior)?;
    let likelihood = Scaled::new(draws, "the log likelihood", log_likelihood)?;
    let components: Vec<_> = draws.all_components().collect();
    let rows: Vec<PsenseRow> = components
        .into_par_iter()
        .map(|component| PsenseRow {
            label: component.label,
            prior: prior.sensitivity(component.values),
            likelihood: likelihood.sensitivity(component.values),
        })
        .collect();
    let good_k = good_k(draws.n_chains() * draws.n_draws());
    let both = [("prior", prior.k), ("likelihood", likelihood.k)].into_iter();
    let uneven = both.filter(|(_, k)| *k > good_k);
    let mut warnings: Vec<PsenseWarning> = uneven
        .map(|(component, k)| PsenseWarning::UnevenWeights { component, k, good_k })
        .collect();
    warnings.extend(rows.iter().filter_map(PsenseRow::warning));
    Ok(Psense { rows, warnings })
}

/// The weights of the posterior with a component raised to each of the two powers.
struct Scaled {
    /// They add up to one.
    weights: [Vec<f64>; 2],
    /// The larger Pareto k̂.
    k: f64,
}

impl Scaled {
    fn new(draws: &Draws, what: &'static str, log_density: ArrayViewD<f64>) -> Result<Self, ElpdError> {
        let pointwise = Pointwise::log_densities(what, log_density)?;
        let (got, expected) = (pointwise.n_chains_and_draws(), [draws.n_chains(), draws.n_draws()]);
        if got != expected {
            let (expected, got) = (expected.to_vec(), got.to_vec());
            let like = "the draws";
            return Err(ElpdError::Shape {
                what,
                like,
                expected,
                got,
            });
        }
        let sums = pointwise.sums();
        let n = sums.len();
        let in_one_chain = ArrayView2::from_shape((1, n), &sums).expect("one row of all");
        let r_eff = ess_tail(in_one_chain) / n as f64;
        let n_tail = tail_length(n, r_eff).max(MIN_TAIL);
        let [low, high] = POWERS.map(|power| {
            let log_weights: Vec<f64> = sums.iter().map(|x| (power - 1.0) * x).collect();
            smooth(&log_weights, n_tail)
        });
        Ok(Scaled {
            k: low.pareto_k.max(high.pareto_k),
            weights: [low, high].map(|psis| psis.log_weights.into_iter().map(f64::exp).collect()),
        })
    }

    /// Returns the change of the distance with log₂ of the power.
    fn sensitivity(&self, draws: ArrayView2<f64>) -> f64 {
        if says_nothing(draws) {
            return f64::NAN;
        }
        let mut order: Vec<(f64, usize)> = draws.iter().copied().zip(0..).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let change = |weights: &[f64], power: f64| {
            let ascending = distance(order.iter().map(|&(x, idx)| (x, weights[idx])));
            let descending = distance(order.iter().rev().map(|&(x, idx)| (-x, weights[idx])));
            ascending.max(descending) / power.log2().abs()
        };
        let [low, high] = &self.weights;
        (change(low, POWERS[0]) + change(high, POWERS[1])) / 2.0
    }
}

/// Returns the cumulative Jensen-Shannon distance of plain draws, in order, from the same with weights.
fn distance(draws: impl ExactSizeIterator<Item = (f64, f64)> + Clone) -> f64 {
    let n = draws.len() as f64;
    let (mut divergence, mut bound, mut q) = (0.0, 0.0, 0.0);
    for (i, ((x, weight), (next, _))) in draws.clone().zip(draws.skip(1)).enumerate() {
        let p = (i as f64 + 1.0) / n;
        q += weight;
        let middle = (p + q) / 2.0;
        let term = |p: f64| if p > 0.0 { p * (p / middle).log2() } else { 0.0 };
        divergence += (next - x) * (term(p) + term(q));
        bound += (next - x) * (p + q);
    }
    (divergence.max(0.0) / bound).sqrt()
}

impl PsenseRow {
    fn warning(&self) -> Option<PsenseWarning> {
        let PsenseRow { prior, likelihood, .. } = *self;
        let label = self.label.clone();
        match (prior > MAX_SENSITIVITY, likelihood > MAX_SENSITIVITY) {
            (true, true) => Some(PsenseWarning::Conflict {
                label,
                prior,
                likelihood,
            }),
            (true, false) => Some(PsenseWarning::StrongPrior {
                label,
                prior,
                likelihood,
            }),
            (false, _) => None,
        }
    }
}

impl fmt::Display for Psense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.iter().map(|row| {
            let figures = [row.prior, row.likelihood].map(|x| format!("{x:.3}"));
            [row.label.clone()].into_iter().chain(figures).collect()
        });
        let header = ["", "prior", "likelihood"].map(String::from).to_vec();
        write!(f, "{}", table(header, rows))?;
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}
