//! Reshape: the same elements under another event shape.

use crate::ops::align::refuse;
use crate::tape::var::Var;
use crate::tensor::shape::size;
#[cfg(test)]
use crate::testing::ops::op_tests;

impl<'t> Var<'t> {
    /// Returns the elements in row-major order under the event shape `shape`, which must hold as many.
    #[track_caller]
    pub fn reshape(self, shape: &[usize]) -> Var<'t> {
        let own = self.event_shape();
        if size(&own) != size(shape) {
            return refuse(
                "reshape",
                &[self],
                &[shape],
                "the two shapes hold different numbers of elements",
            );
        }
        match self.tape() {
            None => self,
            Some(tape) => tape.alias(self, &self.dims(), shape),
        }
    }
}

#[cfg(test)]
op_tests! { |x| x[0].reshape(&[3, 2]); [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]] }
