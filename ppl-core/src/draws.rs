//! Draws: chains × draws of named variables with event shapes, what every algorithm returns.

use std::collections::HashMap;

use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, Dimension, IxDyn};
use thiserror::Error;

/// The draws of named variables, each an array `[chain, draw, event…]`.
///
/// ```
/// use ppl_core::draws::Draws;
///
/// let mut draws = Draws::new(2, 3);
/// draws.insert("mu", &[], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(draws.mean("mu")?[[]], 3.5);
/// assert_eq!(draws.quantile("mu", 0.5)?[[]], 3.5);
/// assert_eq!(draws.get("mu").unwrap()[[1, 0]], 4.0);
///
/// let error = draws.mean("nu").unwrap_err().to_string();
/// assert_eq!(error, "no variable named `nu`; similar: `mu`");
/// # Ok::<(), ppl_core::draws::DrawsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    n_chains: usize,
    n_draws: usize,
    variables: Vec<Variable>,
    positions: HashMap<String, usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct Variable {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
    /// The values in the order [chain, draw, event…].
    values: Vec<f64>,
}

/// What the numbers of a variable are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Real numbers.
    #[default]
    Real,
    /// Whole numbers.
    Integer,
    /// Truth values, zero and one.
    Boolean,
}

/// One scalar of a variable over all chains and draws.
#[derive(Clone, Debug)]
pub struct Component<'a> {
    /// The name with the index into the event, such as `mu`, `theta[3]` or `w[0, 2]`.
    pub label: String,
    /// The values: `[chain, draw]`.
    pub values: ArrayView2<'a, f64>,
}

/// What can go wrong when [`Draws`] are read or filled.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum DrawsError {
    /// There is no variable of this name.
    #[error("no variable named `{name}`; {}", hint(.similar))]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The most similar names.
        similar: Vec<String>,
    },
    /// The number of values does not fit chains, draws and event shape.
    #[error(
        "`{name}` with event shape {shape:?} needs {expected} values for {n_chains} chains of {n_draws} draws, got {got}"
    )]
    WrongLength {
        /// The name of the variable.
        name: String,
        /// Its event shape.
        shape: Vec<usize>,
        /// The number of chains.
        n_chains: usize,
        /// The number of draws in a chain.
        n_draws: usize,
        /// The number of values needed.
        expected: usize,
        /// The number of values given.
        got: usize,
    },
    /// There is no chain of this index.
    #[error("no chain {chain_idx}: there are {n_chains}, counted from 0")]
    UnknownChain {
        /// The index asked for.
        chain_idx: usize,
        /// The number of chains.
        n_chains: usize,
    },
}

impl Draws {
    /// Returns an empty set of draws.
    pub fn new(n_chains: usize, n_draws: usize) -> Self {
        Draws {
            n_chains,
            n_draws,
            variables: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// Adds a variable with values in the order `[chain, draw, event…]`, or replaces the one of that name.
    ///
    /// # Errors
    /// If the number of values is not n_chains · n_draws · the product of `shape`.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f64>) -> Result<(), DrawsError> {
        self.insert_kind(name, Kind::Real, shape, values)
    }

    /// Adds a variable of some kind, as [`Draws::insert`] does.
    ///
    /// # Errors
    /// As [`Draws::insert`].
    pub fn insert_kind(&mut self, name: &str, kind: Kind, shape: &[usize], values: Vec<f64>) -> Result<(), DrawsError> {
        let (n_chains, n_draws) = (self.n_chains, self.n_draws);
        let expected = shape
            .iter()
            .fold(n_chains.saturating_mul(n_draws), |all, &n| all.saturating_mul(n));
        if values.len() != expected {
            let (name, shape, got) = (name.to_string(), shape.to_vec(), values.len());
            return Err(DrawsError::WrongLength {
                name,
                shape,
                n_chains,
                n_draws,
                expected,
                got,
            });
        }
        let variable = Variable {
            name: name.to_string(),
            kind,
            shape: shape.to_vec(),
            values,
        };
        match self.positions.get(name) {
            Some(&position) => self.variables[position] = variable,
            None => {
                self.positions.insert(name.to_string(), self.variables.len());
                self.variables.push(variable);
            }
        }
        Ok(())
    }

    /// Returns the number of chains.
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// Returns the number of draws in each chain.
    pub fn n_draws(&self) -> usize {
        self.n_draws
    }

    /// Returns the names of the variables, in order of insertion.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|v| v.name.as_str())
    }

    /// Returns the event shape of a variable.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn shape(&self, name: &str) -> Result<&[usize], DrawsError> {
        Ok(&self.variable(name)?.shape)
    }

    /// Returns what the numbers of a variable are.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn kind(&self, name: &str) -> Result<Kind, DrawsError> {
        Ok(self.variable(name)?.kind)
    }

    /// Returns all values of a variable: `[chain, draw, event…]`.
    pub fn get(&self, name: &str) -> Option<ArrayViewD<'_, f64>> {
        self.variable(name).ok().map(|v| self.view(v))
    }

    /// Returns the values of a variable in one chain: `[draw, event…]`.
    ///
    /// # Errors
    /// If there is no variable of this name, or no such chain.
    pub fn chain(&self, name: &str, chain_idx: usize) -> Result<ArrayViewD<'_, f64>, DrawsError> {
        let variable = self.variable(name)?;
        if chain_idx >= self.n_chains {
            return Err(DrawsError::UnknownChain {
                chain_idx,
                n_chains: self.n_chains,
            });
        }
        Ok(self.view(variable).index_axis_move(Axis(0), chain_idx))
    }

    /// Returns the scalars of a variable one by one, in the order of its event.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn components(&self, name: &str) -> Result<impl Iterator<Item = Component<'_>>, DrawsError> {
        Ok(self.components_of(self.variable(name)?))
    }

    /// Returns the scalars of all variables one by one.
    pub fn all_components(&self) -> impl Iterator<Item = Component<'_>> {
        self.variables.iter().flat_map(|v| self.components_of(v))
    }

    /// Returns the mean over all chains and draws, in the event shape.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn mean(&self, name: &str) -> Result<ArrayD<f64>, DrawsError> {
        self.reduce(name, |values| mean(values.iter().copied()))
    }

    /// Returns the quantile over all chains and draws, in the event shape, with linear interpolation (NumPy's default).
    ///
    /// # Errors
    /// If there is no variable of this name.
    ///
    /// # Panics
    /// If `q` is not within [0, 1].
    pub fn quantile(&self, name: &str, q: f64) -> Result<ArrayD<f64>, DrawsError> {
        assert!(
            (0.0..=1.0).contains(&q),
            "a quantile is asked for by a probability within [0, 1], got {q}"
        );
        self.reduce(name, |values| quantile_of_sorted(&sorted(values.iter().copied()), q))
    }

    fn variable(&self, name: &str) -> Result<&Variable, DrawsError> {
        match self.positions.get(name) {
            Some(&position) => Ok(&self.variables[position]),
            None => Err(DrawsError::UnknownName {
                name: name.to_string(),
                similar: similar(name, self.names()),
            }),
        }
    }

    fn view<'a>(&self, variable: &'a Variable) -> ArrayViewD<'a, f64> {
        let shape: Vec<usize> = [self.n_chains, self.n_draws]
            .into_iter()
            .chain(variable.shape.iter().copied())
            .collect();
        ArrayViewD::from_shape(IxDyn(&shape), &variable.values).expect("insert checks the number of values")
    }

    fn components_of<'a>(&self, variable: &'a Variable) -> impl Iterator<Item = Component<'a>> + use<'a> {
        let n_events = variable.shape.iter().product();
        let flat = ArrayViewD::from_shape(IxDyn(&[self.n_chains, self.n_draws, n_events]), &variable.values)
            .expect("insert checks the number of values");
        ndarray::indices(IxDyn(&variable.shape))
            .into_iter()
            .enumerate()
            .map(move |(event, idx)| Component {
                label: label(&variable.name, idx.slice()),
                values: flat
                    .clone()
                    .index_axis_move(Axis(2), event)
                    .into_dimensionality()
                    .expect("two axes are left"),
            })
    }

    fn reduce(&self, name: &str, statistic: impl Fn(ArrayView2<f64>) -> f64) -> Result<ArrayD<f64>, DrawsError> {
        let variable = self.variable(name)?;
        let values = self.components_of(variable).map(|c| statistic(c.values)).collect();
        Ok(ArrayD::from_shape_vec(IxDyn(&variable.shape), values).expect("one value for each component"))
    }
}

/// Returns the arithmetic mean, NaN if there are no values.
///
/// A second pass over the distances from the first mean takes off what the sum lost far from zero.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let n = values.len() as f64;
    let first = values.clone().sum::<f64>() / n;
    if first.is_finite() {
        first + values.map(|x| x - first).sum::<f64>() / n
    } else {
        first
    }
}

/// Returns the values in ascending order, NaNs at the ends.
pub(crate) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Returns the value at position q (n − 1), linearly between its neighbours; NaN if there are no values or
/// one is NaN.
///
/// # References
/// Hyndman and Fan (1996), *Sample quantiles in statistical packages*, definition 7.
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return f64::NAN;
    };
    if first.is_nan() || last.is_nan() {
        return f64::NAN;
    }
    let position = (sorted.len() - 1) as f64 * q;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let along = position - position.floor();
    // From the nearer end, so that the result lies between the neighbours; equal ones may be infinite.
    match (low == high, along < 0.5) {
        (true, _) => low,
        (_, true) => low + (high - low) * along,
        (_, false) => high - (high - low) * (1.0 - along),
    }
}

/// Returns the name of an element of a variable: `theta[3]`.
pub(crate) fn label(name: &str, idx: &[usize]) -> String {
    if idx.is_empty() {
        return name.to_string();
    }
    let idx: Vec<String> = idx.iter().map(usize::to_string).collect();
    format!("{name}[{}]", idx.join(", "))
}

fn hint(similar: &[String]) -> String {
    match similar {
        [] => "there are none".to_string(),
        _ => format!("similar: `{}`", similar.join("`, `")),
    }
}

/// Returns the three names at the least edit distance, ties in the order given.
fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names.map(|other| (edit_distance(name, other), other)).collect();
    ranked.sort_by_key(|&(distance, _)| distance);
    ranked.into_iter().take(3).map(|(_, other)| other.to_string()).collect()
}

/// Returns the least number of characters inserted, deleted or replaced to turn one word into the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two chains of three draws of an event [2, 2] whose value is 1000 chain + 100 draw + 10 row + column.
    fn coded() -> Draws {
        let digit = |i: usize| 1000 * (i / 12) + 100 * (i / 4 % 3) + 10 * (i / 2 % 2) + i % 2;
        let mut draws = Draws::new(2, 3);
        draws
            .insert("w", &[2, 2], (0..24).map(|i| digit(i) as f64).collect())
            .unwrap();
        draws.insert("tau", &[], vec![1.0, 2.0, 3.0, 4.0, 5.0, 60.0]).unwrap();
        draws
    }

    #[test]
    fn views_index_chain_then_draw_then_event() {
        let draws = coded();
        assert_eq!(draws.get("w").unwrap()[[1, 2, 0, 1]], 1201.0);
        assert_eq!(draws.chain("w", 1).unwrap()[[2, 1, 0]], 1210.0);
        assert_eq!(draws.shape("w").unwrap(), [2, 2]);
        assert_eq!(draws.get("v"), None);
        assert_eq!(
            draws.chain("w", 2).unwrap_err().to_string(),
            "no chain 2: there are 2, counted from 0"
        );
    }

    #[test]
    fn components_walk_through_the_event_in_order() {
        let draws = coded();
        let labels: Vec<String> = draws.all_components().map(|c| c.label).collect();
        assert_eq!(labels, ["w[0, 0]", "w[0, 1]", "w[1, 0]", "w[1, 1]", "tau"]);
        let third = draws.components("w").unwrap().nth(2).unwrap();
        assert_eq!(
            third.values,
            ndarray::arr2(&[[10.0, 110.0, 210.0], [1010.0, 1110.0, 1210.0]])
        );
    }

    #[test]
    fn a_mean_far_from_zero_keeps_its_digits() {
        // The values are exact, their mean is 3 · 2⁻²⁰ above 10⁹, and a plain sum loses 10⁻⁵.
        let values = (0..70_000).map(|i| 1e9 + (i % 7) as f64 / 1_048_576.0);
        assert!((mean(values) - (1e9 + 3.0 / 1_048_576.0)).abs() < 1.2e-7);
        assert_eq!(mean([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(mean(std::iter::empty::<f64>()).is_nan());
    }

    #[test]
    fn mean_and_quantile_pool_the_chains() {
        let draws = coded();
        assert_eq!(
            draws.mean("w").unwrap(),
            ndarray::arr2(&[[600.0, 601.0], [610.0, 611.0]]).into_dyn()
        );
        assert_eq!(draws.mean("tau").unwrap()[[]], 12.5);
        // NumPy: quantile([1, 2, 3, 4, 5, 60], [0, 0.1, 0.35, 0.9, 1]).
        for (q, expected) in [(0.0, 1.0), (0.1, 1.5), (0.35, 2.75), (0.9, 32.5), (1.0, 60.0)] {
            assert_eq!(draws.quantile("tau", q).unwrap()[[]], expected);
        }
    }

    #[test]
    fn infinite_draws_leave_the_other_quantiles_alone() {
        let values = [f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY];
        let got = [0.1, 0.5, 0.75, 0.8].map(|q| quantile_of_sorted(&values, q));
        assert_eq!(got, [f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY]);
        assert!(quantile_of_sorted(&sorted([1.0, f64::NAN, 2.0].into_iter()), 0.5).is_nan());
        assert!(quantile_of_sorted(&sorted([1.0, -f64::NAN, 2.0].into_iter()), 0.5).is_nan());
    }

    #[test]
    fn a_second_insert_replaces_the_first() {
        let mut draws = coded();
        draws.insert("w", &[], vec![7.0; 6]).unwrap();
        assert_eq!(draws.names().collect::<Vec<_>>(), ["w", "tau"]);
        assert_eq!(draws.mean("w").unwrap()[[]], 7.0);
    }

    #[test]
    fn errors_carry_the_numbers() {
        let mut draws = coded();
        let error = draws.insert("z", &[3], vec![0.0; 17]).unwrap_err().to_string();
        assert_eq!(
            error,
            "`z` with event shape [3] needs 18 values for 2 chains of 3 draws, got 17"
        );
        assert_eq!(
            draws.mean("tua").unwrap_err().to_string(),
            "no variable named `tua`; similar: `tau`, `w`"
        );
        assert_eq!(
            Draws::new(1, 1).mean("x").unwrap_err().to_string(),
            "no variable named `x`; there are none"
        );
    }

    #[test]
    fn edit_distance_counts_single_characters() {
        let rows = [
            ("sigma", "sigma", 0),
            ("sigma", "sgma", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("β0", "β1", 1),
        ];
        for (from, to, expected) in rows {
            assert_eq!(edit_distance(from, to), expected, "{from} to {to}");
        }
    }
}
