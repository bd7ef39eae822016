//! Where the values of arguments come from: arrays in memory, values of an enclosing model, or nowhere.

use std::marker::PhantomData;

use crate::runtime::data::Data;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// Where the values of a data argument come from.
pub enum DataSource<'a> {
    /// From an array in memory.
    Array(Box<dyn Data + 'a>),
    /// From an array in memory, in which NaN stands for an element that is missing.
    Partly(Box<dyn Data + 'a>),
    /// From the model that samples this one.
    Value(Handle<'a>),
    /// From nowhere: the observation is missing; the shape is known if it was given.
    Missing(Option<Shape>),
}

impl<'a> DataSource<'a> {
    /// Returns the array in memory, if there is one.
    pub fn data(&self) -> Option<&dyn Data> {
        match self {
            DataSource::Array(data) | DataSource::Partly(data) => Some(&**data),
            _ => None,
        }
    }
}

/// A value of a recording without a borrow of its tape, so that a bound model stays `Send` and `Sync`.
#[derive(Clone, Copy, Debug)]
pub struct Handle<'a> {
    pub(super) value: Detached,
    lifetime: PhantomData<&'a ()>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Detached {
    Constant(f64),
    Node { tape: usize, node: u32 },
}

impl<'a> From<Var<'a>> for Handle<'a> {
    fn from(value: Var<'a>) -> Self {
        let value = match (value.as_constant(), value.tape()) {
            (None, Some(tape)) => Detached::Node {
                tape: std::ptr::from_ref(tape).addr(),
                node: value.node(),
            },
            (constant, _) => Detached::Constant(constant.unwrap_or(f64::NAN)),
        };
        Handle {
            value,
            lifetime: PhantomData,
        }
    }
}

impl Handle<'_> {
    /// Returns the value on `tape`, or `None` if it belongs to another recording.
    pub(crate) fn attach<'t>(&self, tape: &'t Tape) -> Option<Var<'t>> {
        match self.value {
            Detached::Constant(value) => Some(Var::constant(value)),
            Detached::Node { tape: own, node } => (own == std::ptr::from_ref(tape).addr()).then(|| Var::on(tape, node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::tape::store::Precision;

    #[test]
    fn a_handle_returns_to_its_own_tape_only() {
        let (own, other) = (
            Tape::new(Precision::F64, Key::new(1)),
            Tape::new(Precision::F64, Key::new(1)),
        );
        let x = own.constant_array(&[2], [3.0, 4.0].into_iter());
        let handle = Handle::from(x);
        assert_eq!(handle.attach(&own).map(Var::elements), Some(vec![3.0, 4.0]));
        assert!(handle.attach(&other).is_none());
    }
}
