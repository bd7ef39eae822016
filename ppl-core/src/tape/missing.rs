//! Missing observations: values that stand for what `observe` will draw.

use crate::tape::leaves;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::size;

/// The element number of a missing observation as a whole.
const WHOLE: u64 = u64::MAX;

impl Tape {
    /// Returns a value that stands for a missing observation, of a known shape or of none.
    pub fn missing(&self, shape: Option<&[usize]>) -> Var<'_> {
        let number = self.records().n_missing;
        self.records.borrow_mut().n_missing += 1;
        self.missing_element(number, WHOLE, shape.unwrap_or(&[]), shape.is_some())
    }

    fn missing_element(&self, number: u64, element: u64, event: &[usize], has_shape: bool) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        if let Some(error) = r.make_room(leaves::Missing::DEF, &[], event, 0) {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        let attrs = [number, element, has_shape as u64];
        let n = size(event);
        let node = r.leaf(
            leaves::Missing::DEF,
            &attrs,
            &[],
            event,
            std::iter::repeat_n(f64::NAN, n),
            0,
        );
        Var::on(self, node)
    }

    /// Returns whether `x` stands for a missing observation, or an element of one, that nothing was drawn for.
    pub fn is_missing(&self, x: Var<'_>) -> bool {
        x.tape().is_some() && self.records().nodes[x.node() as usize].def.role == Role::Missing
    }

    /// Returns whether `x` is missing and has no shape either.
    pub fn is_shapeless(&self, x: Var<'_>) -> bool {
        self.is_missing(x) && self.records().attrs(x.node())[2] == 0
    }

    /// Returns the element of a missing observation: what was drawn for it, or another missing value.
    ///
    /// `element` is `None` for the element of each row of a plate.
    pub fn index_missing<'t>(&'t self, x: Var<'t>, element: Option<usize>) -> Var<'t> {
        let (number, own) = {
            let r = self.records();
            let attrs = r.attrs(x.node());
            (attrs[0], attrs[1])
        };
        let element = element.map_or(own, |e| if own == WHOLE { e as u64 } else { own });
        if let Some(&node) = self.records().drawn.get(&(number, element)) {
            return Var::on(self, node);
        }
        let event = x.event_shape();
        self.missing_element(number, element, event.get(1..).unwrap_or(&[]), false)
    }

    /// Keeps what was drawn for a missing observation, so that reading the element finds it.
    pub fn fill_missing<'t>(&'t self, missing: Var<'t>, drawn: Var<'t>) {
        let drawn = self.lift(drawn);
        let mut r = self.records.borrow_mut();
        let attrs = r.attrs(missing.node());
        let key = (attrs[0], attrs[1]);
        r.drawn.insert(key, drawn.node());
    }
}
