//! Reshape: the same elements under another event shape.

use crate::error::{Error, Place};
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, size};

impl<'t> Var<'t> {
    /// Returns the elements in row-major order under the event shape `shape`, which must hold as many.
    #[track_caller]
    pub fn reshape(self, shape: &[usize]) -> Var<'t> {
        let own = self.event_shape();
        if size(&own) != size(shape) {
            let message = "the two shapes hold different numbers of elements".to_string();
            let shapes = vec![own, Shape::from_slice(shape)];
            return self.fail(Error::Shape {
                op: "reshape",
                place: Place::here(),
                message,
                shapes,
            });
        }
        match self.tape() {
            None => self,
            Some(tape) => tape.alias(self, &self.dims(), shape),
        }
    }
}
