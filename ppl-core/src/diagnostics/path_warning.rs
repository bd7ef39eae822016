//! What may be wrong with the paths of a Hamiltonian sampler, in words; and the fraction of missing information.

use std::fmt;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Ix2};

use crate::diagnostics::moments::variance;
use crate::draws::Draws;

/// Below this fraction the momentum moves the energy too little to reach the tails (Betancourt 2018; 0.3 is Stan's bound).
const MIN_E_BFMI: f64 = 0.3;

/// A reason not to trust the paths of a Hamiltonian sampler; printed as a sentence with the remedy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PathWarning {
    /// The error of the energy left all bounds after the warm-up.
    Diverging {
        /// On the way to how many draws.
        n: usize,
        /// The number of draws of all chains.
        n_draws: usize,
        /// The chain of the first.
        chain_idx: usize,
        /// The index of the first within its chain.
        draw_idx: usize,
    },
    /// Paths reached their greatest length while they still led away.
    MaxDepth {
        /// On the way to how many draws.
        n: usize,
        /// The number of draws of all chains.
        n_draws: usize,
    },
    /// The energy changes little from draw to draw for its spread.
    LowEnergy {
        /// The chain.
        chain_idx: usize,
        /// Its fraction of missing information.
        e_bfmi: f64,
    },
}

impl fmt::Display for PathWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathWarning::Diverging {
                n,
                n_draws,
                chain_idx,
                draw_idx,
            } => write!(
                f,
                "paths to {n} of {n_draws} draws diverged, the first in chain {chain_idx} at draw {draw_idx}: the posterior \
                 has places for which the steps are too long, and their surroundings are missing from the draws; \
                 reparameterise (`.noncentered()`), or raise `target_acceptance`"
            ),
            PathWarning::MaxDepth { n, n_draws } => write!(
                f,
                "paths to {n} of {n_draws} draws were cut at `max_depth` while they still led away: draws are correct, but \
                 depend on each other; rescale the latents, or raise `max_depth`"
            ),
            PathWarning::LowEnergy { chain_idx, e_bfmi } => write!(
                f,
                "e-bfmi of chain {chain_idx} is {e_bfmi:.2}, below {MIN_E_BFMI}: the tails of the posterior are hardly \
                 reached; reparameterise"
            ),
        }
    }
}

/// Returns the energy Bayesian fraction of missing information of each chain, from energies `[chain, draw]`:
/// Σ (Eₙ − Eₙ₋₁)² / Σ (Eₙ − Ē)².
///
/// About one where each momentum leads to an independent energy, near zero where the tails are hardly reached (Betancourt
/// 2016, *Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo*). NaN for fewer than two draws, or if
/// all energies are equal.
///
/// ```
/// use ndarray::array;
/// use ppl_core::diagnostics::e_bfmi;
///
/// assert_eq!(e_bfmi(array![[1.0, 3.0, 1.0, 3.0]].view()), [3.0]);
/// ```
pub fn e_bfmi(energy: ArrayView2<f64>) -> Vec<f64> {
    let of_chain = |chain: ArrayView1<f64>| {
        let steps = chain.iter().zip(chain.iter().skip(1)).map(|(a, b)| (b - a) * (b - a));
        let n_steps = chain.len() as f64 - 1.0;
        steps.sum::<f64>() / n_steps / variance(chain.iter().copied())
    };
    energy.axis_iter(Axis(0)).map(of_chain).collect()
}

/// Returns all warnings about the statistics of a sampler; one without paths has none.
pub(crate) fn path_warnings(statistics: &Draws) -> Vec<PathWarning> {
    let column = |name: &str| statistics.get(name)?.into_dimensionality::<Ix2>().ok();
    let mut found = Vec::new();
    let n_draws = statistics.n_chains() * statistics.n_draws();
    if let Some(diverging) = anywhere(statistics, "diverging") {
        let mut those = diverging.indexed_iter().filter(|(_, x)| **x != 0.0);
        if let Some(((chain_idx, draw_idx), _)) = those.next() {
            found.push(PathWarning::Diverging {
                n: 1 + those.count(),
                n_draws,
                chain_idx,
                draw_idx,
            });
        }
    }
    if let Some(reached) = anywhere(statistics, "reached_max_treedepth") {
        let n = reached.iter().filter(|x| **x != 0.0).count();
        if n > 0 {
            found.push(PathWarning::MaxDepth { n, n_draws });
        }
    }
    // The energies of one block among several move with the others, and say nothing of its momenta.
    if let Some(energy) = column("energy") {
        let fractions = e_bfmi(energy).into_iter().enumerate();
        let low = fractions.filter(|(_, e_bfmi)| *e_bfmi < MIN_E_BFMI);
        found.extend(low.map(|(chain_idx, e_bfmi)| PathWarning::LowEnergy { chain_idx, e_bfmi }));
    }
    found
}

/// Returns whether a statistic holds at a draw for the whole or for any part of a composition; `None` if none has it.
fn anywhere(statistics: &Draws, name: &str) -> Option<Array2<f64>> {
    let is_part = |label: &str| label.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    let labels = statistics.names().filter(|label| *label == name || is_part(label));
    let columns = labels.filter_map(|label| statistics.get(label)?.into_dimensionality::<Ix2>().ok());
    columns.fold(None, |found: Option<Array2<f64>>, column| {
        Some(found.map_or_else(
            || column.to_owned(),
            |mut found| {
                found.zip_mut_with(&column, |f, x| *f = f.max(*x));
                found
            },
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(columns: &[(&str, Vec<f64>)]) -> Draws {
        let mut draws = Draws::new(2, 3);
        for (name, values) in columns {
            draws.insert(name, &[], values.clone()).unwrap();
        }
        draws
    }

    #[test]
    fn what_went_wrong_in_a_block_counts_too() {
        let found = path_warnings(&statistics(&[
            ("diverging[a]", vec![0.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            ("diverging[b]", vec![0.0, 1.0, 0.0, 0.0, 1.0, 0.0]),
            ("diverging_at", vec![1.0; 6]),
            ("energy[a]", vec![0.0; 6]),
        ]));
        let (n, n_draws, chain_idx, draw_idx) = (3, 6, 0, 1);
        let expected = PathWarning::Diverging {
            n,
            n_draws,
            chain_idx,
            draw_idx,
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_went_wrong_is_counted_and_found() {
        let found = path_warnings(&statistics(&[
            ("diverging", vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0]),
            ("reached_max_treedepth", vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            ("energy", vec![0.0, 4.0, 0.0, 1.0, 1.5, 4.0]),
        ]));
        let (n, n_draws) = (2, 6);
        assert_eq!(
            found[0],
            PathWarning::Diverging {
                n,
                n_draws,
                chain_idx: 1,
                draw_idx: 1
            }
        );
        assert_eq!(found[1], PathWarning::MaxDepth { n: 1, n_draws });
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_slow_energy_is_low() {
        let slow: Vec<f64> = (0..6).map(|i| f64::from(i % 3)).collect();
        let mut statistics = Draws::new(1, 5);
        statistics
            .insert("energy", &[], (0..5).map(f64::from).collect())
            .unwrap();
        // Four steps of one, squares about the mean that add up to ten.
        assert_eq!(path_warnings(&statistics), [] as [PathWarning; 0], "4 / 10 is not low");
        statistics = Draws::new(1, 8);
        statistics
            .insert("energy", &[], (0..8).map(f64::from).collect())
            .unwrap();
        let found = path_warnings(&statistics);
        assert!(
            matches!(found[..], [PathWarning::LowEnergy { chain_idx: 0, .. }]),
            "{found:?}"
        );
        assert_eq!(e_bfmi(ArrayView2::from_shape((2, 3), &slow).unwrap()), [1.0, 1.0]);
    }

    #[test]
    fn a_sampler_without_paths_has_no_such_warnings() {
        assert_eq!(path_warnings(&statistics(&[("lp", vec![0.0; 6])])), []);
    }
}
