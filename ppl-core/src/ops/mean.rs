//! The arithmetic mean over the event axes or one of them.

use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

impl<'t> Var<'t> {
    /// Returns the mean over all event axes: Σᵢ xᵢ / n. Inside a plate each row has its own.
    pub fn mean(self) -> Var<'t> {
        let n = size(&self.event_shape());
        if n == 1 { self.sum() } else { self.sum() / n as f64 }
    }

    /// Returns the mean along event axis `axis`, which the result no longer has.
    #[track_caller]
    pub fn mean_axis(self, axis: usize) -> Var<'t> {
        let n = self.event_shape().get(axis).copied();
        let sum = self.sum_axis(axis);
        n.map_or(sum, |n| sum / n as f64)
    }
}

#[cfg(test)]
op_tests! { |x| x[0].mean(); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0]]], [2.0] }
#[cfg(test)]
op_tests! { first_axis |x| x[0].mean_axis(0); [[1.0, -2.0, 0.5]], [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]] }
#[cfg(test)]
op_tests! { last_axis |x| x[0].mean_axis(1); [[[1.0, 2.0], [4.0, -3.0], [0.5, 1.0]]] }
