//! Arrays `[chain, draw, observation…]`: checked, and read one observation after another.

use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn};
use rayon::prelude::*;

use crate::diagnostics::elpd_error::ElpdError;

/// Numbers for each draw and observation, all of them meaningful.
pub(super) struct Pointwise<'a> {
    /// `[chain, draw, observation]`.
    values: ArrayViewD<'a, f64>,
    /// The shape of the observations.
    shape: Vec<usize>,
}

impl<'a> Pointwise<'a> {
    /// Returns log densities, which have to be finite.
    pub fn log_densities(what: &'static str, values: ArrayViewD<'a, f64>) -> Result<Self, ElpdError> {
        let remedy = "at a draw from the posterior it is finite: look at the model there";
        Self::new(what, values, f64::is_finite, remedy)
    }

    /// Returns predictions, which may be infinite.
    pub fn predictions(values: ArrayViewD<'a, f64>) -> Result<Self, ElpdError> {
        Self::new("the prediction", values, |x| !x.is_nan(), "look at the model there")
    }

    fn new(
        what: &'static str,
        values: ArrayViewD<'a, f64>,
        has_meaning: fn(f64) -> bool,
        remedy: &'static str,
    ) -> Result<Self, ElpdError> {
        let whole = values.shape().to_vec();
        if whole.len() < 2 || values.is_empty() {
            return Err(ElpdError::Empty { what, shape: whole });
        }
        if !values.iter().all(|&x| has_meaning(x))
            && let Some((idx, &value)) = values.indexed_iter().find(|(_, x)| !has_meaning(**x))
        {
            let idx = idx.slice();
            return Err(ElpdError::NotFinite {
                what,
                observation: idx[2..].to_vec(),
                chain_idx: idx[0],
                draw_idx: idx[1],
                value,
                remedy,
            });
        }
        Ok(Pointwise {
            values,
            shape: whole[2..].to_vec(),
        })
    }

    /// Returns the numbers of chains and of draws in each.
    pub fn n_chains_and_draws(&self) -> [usize; 2] {
        [self.values.len_of(Axis(0)), self.values.len_of(Axis(1))]
    }

    /// Returns the number of draws of all chains.
    pub fn n_draws(&self) -> usize {
        self.n_chains_and_draws().into_iter().product()
    }

    /// Returns the shape of the observations.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the number of observations.
    pub fn n_observations(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns the numbers of one observation, counted in row-major order, over the draws of all chains.
    pub fn of(&self, mut observation: usize) -> Vec<f64> {
        let mut values = self.values.clone();
        for &n in self.shape.iter().rev() {
            let last = Axis(values.ndim() - 1);
            values = values.index_axis_move(last, observation % n);
            observation /= n;
        }
        values.iter().copied().collect()
    }

    /// Returns what is computed of each observation's number and its numbers at all draws, in parallel.
    pub fn map<T: Send>(&self, of_one: impl Fn(usize, &[f64]) -> T + Sync) -> Vec<T> {
        let observations = (0..self.n_observations()).into_par_iter();
        observations.map(|i| of_one(i, &self.of(i))).collect()
    }

    /// Returns the sums over all observations, one for each draw of all chains.
    pub fn sums(&self) -> Vec<f64> {
        let chains = self.values.outer_iter();
        chains
            .flat_map(|chain| chain.outer_iter().map(|draw| draw.sum()).collect::<Vec<_>>())
            .collect()
    }

    /// Returns one number for each observation in their shape.
    pub fn shaped(&self, numbers: Vec<f64>) -> ArrayD<f64> {
        ArrayD::from_shape_vec(IxDyn(&self.shape), numbers).expect("there is a number for each observation")
    }
}

/// Returns the index of an observation that is counted in row-major order.
pub(super) fn index(shape: &[usize], mut observation: usize) -> Vec<usize> {
    let mut idx = vec![0; shape.len()];
    for (i, &n) in idx.iter_mut().zip(shape).rev() {
        *i = observation % n;
        observation /= n;
    }
    idx
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, ShapeBuilder};

    use super::*;

    #[test]
    fn observations_are_counted_in_row_major_order_whatever_the_strides() {
        let values = Array4::from_shape_fn((2, 3, 4, 5), |(c, d, i, j)| (1000 * c + 100 * d + 10 * i + j) as f64);
        let mut turned = Array4::zeros((2, 3, 4, 5).f());
        turned.assign(&values);
        for array in [values.view(), turned.view()] {
            let pointwise = Pointwise::log_densities("x", array.into_dyn()).unwrap();
            assert_eq!((pointwise.n_draws(), pointwise.n_observations()), (6, 20));
            assert_eq!(index(&pointwise.shape, 13), [2, 3]);
            assert_eq!(pointwise.of(13), [23.0, 123.0, 223.0, 1023.0, 1123.0, 1223.0]);
            assert_eq!(pointwise.sums()[4], values.slice(ndarray::s![1, 1, .., ..]).sum());
        }
    }
}
