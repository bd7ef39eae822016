//! Draws that are filled draw by draw, cut to the first ones, and put together chain by chain.

use std::sync::Arc;

use crate::draws::dimensions::{Kind, NamedAxis};
use crate::draws::error::DrawsError;
use crate::draws::set::Draws;

impl Draws {
    /// Returns where the values of a variable in a draw of the only chain are to be written, or `None` if there is no variable
    /// of this name. Its numbers are from now on of what holds its kind and this one.
    ///
    /// # Errors
    /// If the variable has another shape.
    pub(crate) fn row_mut(
        &mut self,
        name: &str,
        draw_idx: usize,
        axes: &[NamedAxis],
        kind: Kind,
    ) -> Result<Option<&mut [f64]>, DrawsError> {
        debug_assert_eq!(self.n_chains(), 1);
        let Some(variable) = self.variable_mut(name) else {
            return Ok(None);
        };
        if !axes.iter().map(|axis| axis.len).eq(variable.shape.iter().copied()) {
            return Err(DrawsError::TwoShapes {
                name: name.to_string(),
                first: variable.shape.clone(),
                second: axes.iter().map(|axis| axis.len).collect(),
            });
        }
        variable.kind = variable.kind.or(kind);
        let width: usize = variable.shape.iter().product();
        let values = Arc::make_mut(&mut variable.values);
        Ok(Some(&mut values[draw_idx * width..][..width]))
    }

    /// Returns the first `n` draws of each chain.
    ///
    /// # Panics
    /// If there are fewer.
    pub(crate) fn first(&self, n: usize) -> Draws {
        assert!(n <= self.n_draws(), "{n} of {} draws were asked for", self.n_draws());
        let mut first = self.clone();
        if n == self.n_draws() {
            return first;
        }
        first.n_draws = n;
        for variable in &mut first.variables {
            let width: usize = variable.shape.iter().product();
            let chains = variable.values.chunks((width * self.n_draws()).max(1));
            let kept = chains.flat_map(|chain| &chain[..width * n]).copied();
            variable.values = Arc::new(kept.collect());
        }
        first
    }

    /// Returns the variables that are wanted, and the others.
    pub(crate) fn split(&self, is_wanted: impl Fn(&str) -> bool) -> [Draws; 2] {
        let mut parts = [0, 1].map(|_| Draws::new(self.n_chains(), self.n_draws()));
        for variable in &self.variables {
            let axes = self.axes(&variable.name).expect("it is one of the variables");
            let part = &mut parts[usize::from(!is_wanted(&variable.name))];
            let inserted = part.insert_axes(&variable.name, variable.kind, &axes, variable.values.to_vec());
            inserted.expect("there are as many values as here");
        }
        parts
    }

    /// Returns the draws of all chains, of equal number, together; a variable that a chain lacks is NaN there.
    ///
    /// # Errors
    /// If a variable has different shapes in different chains.
    pub(crate) fn join(chains: &[Draws]) -> Result<Draws, DrawsError> {
        let n_draws = chains.first().map_or(0, Draws::n_draws);
        let mut all = Draws::new(chains.iter().map(Draws::n_chains).sum(), n_draws);
        for (chain, name) in chains.iter().flat_map(|c| c.names().map(move |name| (c, name))) {
            if all.get(name).is_some() {
                continue;
            }
            let variable = chain.variable(name)?;
            let (mut kind, mut values) = (variable.kind, Vec::new());
            for chain in chains {
                match chain.variable(name).ok() {
                    Some(own) if own.shape == variable.shape => {
                        kind = kind.or(own.kind);
                        values.extend_from_slice(&own.values);
                    }
                    Some(own) => {
                        return Err(DrawsError::TwoShapes {
                            name: name.to_string(),
                            first: variable.shape.clone(),
                            second: own.shape.clone(),
                        });
                    }
                    None => {
                        let n = chain.n_chains() * n_draws * variable.shape.iter().product::<usize>();
                        values.extend(std::iter::repeat_n(f64::NAN, n));
                    }
                }
            }
            all.insert_axes(name, kind, &chain.axes(name)?, values)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(variables: &[(&str, Kind, &[f64])]) -> Draws {
        let mut draws = Draws::new(1, 2);
        for &(name, kind, values) in variables {
            let axes = NamedAxis::unnamed(name, &[values.len() / 2]);
            draws.insert_axes(name, kind, &axes, values.to_vec()).unwrap();
        }
        draws
    }

    #[test]
    fn a_variable_that_a_chain_lacks_is_nan_there() {
        let (real, whole) = (Kind::Real, Kind::Integer);
        let first = chain(&[("x", Kind::Boolean, &[1.0, 0.0, 1.0, 1.0])]);
        let second = chain(&[("y", real, &[5.0, 6.0]), ("x", whole, &[7.0, 8.0, 9.0, 10.0])]);
        let draws = Draws::join(&[first.clone(), second, first]).unwrap();
        let x = draws.get("x").unwrap();
        assert_eq!(x.shape(), [3, 2, 2]);
        assert_eq!((x[[0, 0, 1]], x[[1, 1, 0]], x[[2, 0, 0]]), (0.0, 9.0, 1.0));
        let y = draws.get("y").unwrap();
        assert_eq!(
            (y[[0, 0, 0]].is_nan(), y[[1, 1, 0]], y[[2, 1, 0]].is_nan()),
            (true, 6.0, true)
        );
        assert_eq!((draws.kind("x"), draws.kind("y")), (Ok(whole), Ok(real)));
    }

    #[test]
    fn a_variable_of_two_shapes_is_an_error_with_both() {
        let (first, second) = (
            chain(&[("x", Kind::Real, &[1.0; 4])]),
            chain(&[("x", Kind::Real, &[1.0; 2])]),
        );
        let error = Draws::join(&[first, second]).unwrap_err().to_string();
        assert_eq!(error, "site x has the shape [2] in one draw and [1] in another");
    }

    #[test]
    fn the_first_draws_are_those_of_each_chain() {
        let own = chain(&[("x", Kind::Real, &[0.0, 1.0, 2.0, 3.0])]);
        let other = chain(&[("x", Kind::Real, &[4.0, 5.0, 6.0, 7.0])]);
        let first = Draws::join(&[own, other]).unwrap().first(1);
        assert_eq!((first.n_chains(), first.n_draws()), (2, 1));
        assert_eq!(
            first.get("x").unwrap(),
            ndarray::array![[[0.0, 1.0]], [[4.0, 5.0]]].into_dyn()
        );
        assert_eq!(first.dims("x").unwrap(), ["x_dim_0"]);
    }
}
