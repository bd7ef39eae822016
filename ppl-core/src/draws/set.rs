//! The draws of named variables: values, dimensions, coordinates, statistics.

use std::collections::HashMap;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, Dimension, IxDyn};

use crate::draws::dimensions::{Dimensions, Kind, NamedAxis};
use crate::draws::error::{DrawsError, similar};
use crate::draws::order::{mean, quantile_of_sorted, sorted};

/// The draws of named variables, each an array `[chain, draw, event…]`.
///
/// The axes behind chain and draw run along named dimensions. The draws of a model's site have its plates first, under the
/// names of their indexes or the names that they were given; other axes are called `{variable}_dim_{k}`, as ArviZ does. The
/// coordinates of a dimension are 0, 1, … until it is given others.
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
///
/// draws.insert("theta", &[2], vec![0.0; 12])?;
/// assert_eq!(draws.dims("theta")?, ["theta_dim_0"]);
/// draws.set_coords("theta_dim_0", ["north", "south"])?;
/// assert_eq!(draws.components("theta")?.next().unwrap().label, "theta[north]");
/// # Ok::<(), ppl_core::draws::DrawsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    n_chains: usize,
    pub(super) n_draws: usize,
    pub(super) variables: Vec<Variable>,
    positions: HashMap<String, usize>,
    dimensions: Dimensions,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variable {
    pub name: String,
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// The dimensions of its axes, by name.
    pub dims: Vec<String>,
    /// The values in the order [chain, draw, event…].
    pub values: Arc<Vec<f64>>,
}

/// One scalar of a variable over all chains and draws.
#[derive(Clone, Debug)]
pub struct Component<'a> {
    /// The name with the coordinates of the element, such as `mu`, `theta[3]`, `w[0, 2]` or `theta[north]`.
    pub label: String,
    /// The name of the variable.
    pub variable: &'a str,
    /// The number of the element, row-major.
    pub element: usize,
    /// The values: `[chain, draw]`.
    pub values: ArrayView2<'a, f64>,
}

impl Draws {
    /// Returns an empty set of draws.
    pub fn new(n_chains: usize, n_draws: usize) -> Self {
        Draws {
            n_chains,
            n_draws,
            variables: Vec::new(),
            positions: HashMap::new(),
            dimensions: Dimensions::default(),
        }
    }

    /// Adds a variable with values in the order `[chain, draw, event…]`, or replaces the one of that name.
    ///
    /// # Errors
    /// If the number of values is not n_chains · n_draws · the product of `shape`.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f64>) -> Result<(), DrawsError> {
        self.insert_axes(name, Kind::Real, &NamedAxis::unnamed(name, shape), values)
    }

    /// Adds a variable of some kind along some dimensions, as [`Draws::insert`] does.
    ///
    /// A dimension has one length: an axis whose name belongs to one of another length is called by name and length, `i:4`.
    ///
    /// # Errors
    /// As [`Draws::insert`].
    pub fn insert_axes(
        &mut self,
        name: &str,
        kind: Kind,
        axes: &[NamedAxis],
        values: Vec<f64>,
    ) -> Result<(), DrawsError> {
        let (n_chains, n_draws) = (self.n_chains, self.n_draws);
        let expected = axes.iter().fold(n_chains.saturating_mul(n_draws), |all, axis| {
            all.saturating_mul(axis.len)
        });
        let shape: Vec<usize> = axes.iter().map(|axis| axis.len).collect();
        if values.len() != expected {
            let (name, got) = (name.to_string(), values.len());
            return Err(DrawsError::WrongLength {
                name,
                shape,
                n_chains,
                n_draws,
                expected,
                got,
            });
        }
        let position = self.positions.get(name).copied();
        if let Some(position) = position {
            let replaced = std::mem::take(&mut self.variables[position].dims);
            replaced.iter().for_each(|dim| self.dimensions.remove(dim));
        }
        let variable = Variable {
            name: name.to_string(),
            kind,
            shape,
            dims: axes.iter().map(|axis| self.dimensions.add(axis)).collect(),
            values: Arc::new(values),
        };
        match position {
            Some(position) => self.variables[position] = variable,
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

    /// Returns the names of the dimensions that the axes of a variable behind chain and draw run along.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn dims(&self, name: &str) -> Result<&[String], DrawsError> {
        Ok(&self.variable(name)?.dims)
    }

    /// Returns the axes of a variable behind chain and draw, with their lengths.
    ///
    /// # Errors
    /// If there is no variable of this name.
    pub fn axes(&self, name: &str) -> Result<Vec<NamedAxis>, DrawsError> {
        let variable = self.variable(name)?;
        let axes = variable.dims.iter().zip(&variable.shape);
        let axis = |(name, &len): (&String, &usize)| NamedAxis {
            name: name.clone(),
            len,
        };
        Ok(axes.map(axis).collect())
    }

    /// Returns all dimensions behind chain and draw with their lengths, by name.
    pub fn dimensions(&self) -> impl Iterator<Item = (&str, usize)> {
        self.dimensions.iter()
    }

    /// Returns the coordinates of a dimension, `None` if they are 0, 1, ….
    ///
    /// # Errors
    /// If there is no dimension of this name.
    pub fn coords(&self, dimension: &str) -> Result<Option<&[String]>, DrawsError> {
        self.dimensions.labels(dimension)
    }

    /// Gives a dimension coordinates, by which its elements are called from now on.
    ///
    /// # Errors
    /// If there is no dimension of this name, or the coordinates are not as many as it is long, or two are the same.
    pub fn set_coords<L: Into<String>>(
        &mut self,
        dimension: &str,
        labels: impl IntoIterator<Item = L>,
    ) -> Result<(), DrawsError> {
        let labels = labels.into_iter().map(L::into).collect();
        self.dimensions.set_labels(dimension, labels)
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

    /// Returns what an element of a variable, given by its number, is called, or `None` if there is no such variable.
    pub(crate) fn label(&self, name: &str, element: usize) -> Option<String> {
        let variable = self.variable(name).ok()?;
        let mut idx = vec![0; variable.shape.len()];
        let mut rest = element;
        for (i, &len) in idx.iter_mut().zip(&variable.shape).rev() {
            (*i, rest) = (rest % len, rest / len);
        }
        Some(self.label_of(variable, &idx))
    }

    /// Returns the name of an element of a variable: `theta[3]`.
    fn label_of(&self, variable: &Variable, idx: &[usize]) -> String {
        if idx.is_empty() {
            return variable.name.clone();
        }
        let coord = |(dim, &i): (&String, &usize)| match self.dimensions.labels(dim) {
            Ok(Some(labels)) => labels[i].clone(),
            _ => i.to_string(),
        };
        let coords: Vec<String> = variable.dims.iter().zip(idx).map(coord).collect();
        format!("{}[{}]", variable.name, coords.join(", "))
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

    pub(super) fn variable(&self, name: &str) -> Result<&Variable, DrawsError> {
        match self.positions.get(name) {
            Some(&position) => Ok(&self.variables[position]),
            None => Err(DrawsError::UnknownName {
                name: name.to_string(),
                similar: similar(name, self.names()),
            }),
        }
    }

    pub(super) fn variable_mut(&mut self, name: &str) -> Option<&mut Variable> {
        self.positions.get(name).map(|&position| &mut self.variables[position])
    }

    fn view<'a>(&self, variable: &'a Variable) -> ArrayViewD<'a, f64> {
        let shape: Vec<usize> = [self.n_chains, self.n_draws]
            .into_iter()
            .chain(variable.shape.iter().copied())
            .collect();
        ArrayViewD::from_shape(IxDyn(&shape), variable.values.as_slice()).expect("insert checks the number of values")
    }

    fn components_of<'a>(&'a self, variable: &'a Variable) -> impl Iterator<Item = Component<'a>> {
        let n_events = variable.shape.iter().product();
        let flat = ArrayViewD::from_shape(
            IxDyn(&[self.n_chains, self.n_draws, n_events]),
            variable.values.as_slice(),
        )
        .expect("insert checks the number of values");
        ndarray::indices(IxDyn(&variable.shape))
            .into_iter()
            .enumerate()
            .map(move |(event, idx)| Component {
                label: self.label_of(variable, idx.slice()),
                variable: &variable.name,
                element: event,
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
    fn variables_with_an_axis_of_one_name_share_the_dimension_and_its_coordinates() {
        let school = [NamedAxis {
            name: "school".to_string(),
            len: 2,
        }];
        let mut draws = coded();
        let insert = |draws: &mut Draws, name| draws.insert_axes(name, Kind::Integer, &school, vec![0.0; 12]);
        insert(&mut draws, "n").unwrap();
        insert(&mut draws, "k").unwrap();
        assert_eq!(draws.dims("n"), draws.dims("k"));
        assert_eq!(draws.dims("w").unwrap(), ["w_dim_0", "w_dim_1"]);
        let all: Vec<(&str, usize)> = draws.dimensions().collect();
        assert_eq!(all, [("school", 2), ("w_dim_0", 2), ("w_dim_1", 2)]);
        draws.set_coords("school", ["A", "B"]).unwrap();
        draws.set_coords("w_dim_1", ["left", "right"]).unwrap();
        let labels: Vec<String> = draws.all_components().map(|c| c.label).collect();
        assert_eq!(labels[..2], ["w[0, left]", "w[0, right]"]);
        assert_eq!(labels[4..], ["tau", "n[A]", "n[B]", "k[A]", "k[B]"]);
        assert_eq!(draws.label("w", 3).as_deref(), Some("w[1, right]"));
        assert_eq!(
            (
                draws.coords("school").unwrap().unwrap()[1].as_str(),
                draws.coords("w_dim_0")
            ),
            ("B", Ok(None))
        );
    }

    #[test]
    fn a_variable_that_is_replaced_leaves_no_dimension_behind() {
        let mut draws = coded();
        draws.insert("w", &[3], vec![0.0; 18]).unwrap();
        assert_eq!(draws.dimensions().collect::<Vec<_>>(), [("w_dim_0", 3)]);
        assert_eq!(draws.dims("w").unwrap(), ["w_dim_0"]);
    }

    #[test]
    fn coordinates_are_as_many_as_there_are_and_each_its_own() {
        let mut draws = coded();
        let mut refused = |dimension: &str, labels: &[&str]| {
            let labels = labels.iter().copied();
            draws.set_coords(dimension, labels).unwrap_err().to_string()
        };
        assert_eq!(
            refused("w_dim_0", &["A"]),
            "dimension `w_dim_0` has 2 coordinates, got 1"
        );
        assert_eq!(
            refused("w_dim_0", &["A", "A"]),
            "dimension `w_dim_0` has the coordinate `A` twice, at 0 and 1: each needs its own"
        );
        assert_eq!(
            refused("w_dim_2", &["A"]),
            "no dimension named `w_dim_2`; similar: `w_dim_0`, `w_dim_1`"
        );
        assert_eq!(draws.coords("w_dim_0"), Ok(None));
    }
}
