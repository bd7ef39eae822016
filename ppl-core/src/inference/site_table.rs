//! Values of sites draw by draw, whatever sites each draw has, and their union as arrays.

use std::collections::HashMap;

use crate::draws::Draws;
use crate::error::{Error, Result};
use crate::tensor::room::room;

/// The values of the sites of one chain. A site that a draw lacks is NaN there.
#[derive(Clone, Debug, Default)]
pub struct SiteTable {
    n_draws: usize,
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    shape: Vec<usize>,
    /// `[draw, event…]`.
    values: Vec<f64>,
}

impl SiteTable {
    /// Returns an empty table for a number of draws.
    pub fn new(n_draws: usize) -> Self {
        SiteTable {
            n_draws,
            ..SiteTable::default()
        }
    }

    /// Sets the value of a site in a draw.
    ///
    /// # Errors
    ///
    /// If the site had another shape in an earlier draw, or its draws find no room in memory.
    pub fn set(&mut self, draw_idx: usize, name: &str, shape: &[usize], values: &[f64]) -> Result<()> {
        let position = match self.positions.get(name) {
            Some(&position) => position,
            None => self.add(name, shape)?,
        };
        let column = &mut self.columns[position];
        if column.shape != shape {
            return Err(two_shapes(name, &column.shape, shape));
        }
        column.values[draw_idx * values.len()..][..values.len()].copy_from_slice(values);
        Ok(())
    }

    fn add(&mut self, name: &str, shape: &[usize]) -> Result<usize> {
        let whole = [&[self.n_draws], shape].concat();
        let no_room = |error| Error::Invalid(format!("{} draws of site {name} find no room: {error}", self.n_draws));
        let n_values = room(&whole, size_of::<f64>()).map_err(no_room)?;
        self.columns.push(Column {
            name: name.to_string(),
            shape: shape.to_vec(),
            values: vec![f64::NAN; n_values],
        });
        self.positions.insert(name.to_string(), self.columns.len() - 1);
        Ok(self.columns.len() - 1)
    }

    /// Returns the tables of all chains as draws, `[chain, draw, event…]` for each site that any of them has.
    ///
    /// # Errors
    ///
    /// If a site has different shapes in different chains.
    pub fn merge(chains: &[SiteTable]) -> Result<Draws> {
        let n_draws = chains.first().map_or(0, |c| c.n_draws);
        let mut draws = Draws::new(chains.len(), n_draws);
        for column in chains.iter().flat_map(|c| &c.columns) {
            if draws.get(&column.name).is_some() {
                continue;
            }
            let mut values = Vec::with_capacity(chains.len() * column.values.len());
            for chain in chains {
                match chain.positions.get(&column.name).map(|&p| &chain.columns[p]) {
                    Some(own) if own.shape == column.shape => values.extend_from_slice(&own.values),
                    Some(own) => return Err(two_shapes(&column.name, &column.shape, &own.shape)),
                    None => values.extend(std::iter::repeat_n(f64::NAN, column.values.len())),
                }
            }
            let inserted = draws.insert(&column.name, &column.shape, values);
            inserted.expect("a column has a value for each draw");
        }
        Ok(draws)
    }
}

fn two_shapes(name: &str, first: &[usize], second: &[usize]) -> Error {
    Error::Invalid(format!(
        "site {name} has the shape {first:?} in one draw and {second:?} in another"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_a_draw_or_chain_lacks_is_nan_there() {
        let mut first = SiteTable::new(2);
        first.set(0, "x", &[2], &[1.0, 2.0]).unwrap();
        first.set(1, "x", &[2], &[3.0, 4.0]).unwrap();
        let mut second = SiteTable::new(2);
        second.set(1, "y", &[], &[5.0]).unwrap();
        let draws = SiteTable::merge(&[first, second]).unwrap();
        let x = draws.get("x").unwrap();
        assert_eq!((x[[0, 1, 0]], x[[0, 1, 1]], x[[1, 0, 0]].is_nan()), (3.0, 4.0, true));
        let y = draws.get("y").unwrap();
        assert_eq!((y[[0, 1]].is_nan(), y[[1, 0]].is_nan(), y[[1, 1]]), (true, true, 5.0));
    }

    #[test]
    fn a_site_of_two_shapes_is_an_error_with_both() {
        let mut table = SiteTable::new(2);
        table.set(0, "x", &[2], &[1.0, 2.0]).unwrap();
        let error = table.set(1, "x", &[1], &[1.0]).unwrap_err().to_string();
        assert_eq!(error, "site x has the shape [2] in one draw and [1] in another");
    }
}
