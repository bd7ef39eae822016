//! Reading values back into Rust, which ties a recording to them.

use crate::error::{Error, Place};
use crate::tape::record::Tape;

impl Tape {
    pub(crate) fn elements_of(&self, node: u32) -> Vec<f64> {
        let r = self.records();
        let n = &r.nodes[node as usize];
        r.store.to_vec(n.offset as usize, n.len as usize)
    }

    pub(crate) fn depends_of(&self, node: u32) -> u8 {
        self.records().nodes[node as usize].depends
    }

    pub(crate) fn read_scalar(&self, node: u32, place: Place) -> f64 {
        let mut r = self.records.borrow_mut();
        let n = r.nodes[node as usize].clone();
        if let Some(&dim) = n.dims.first() {
            let name = r.dims[dim as usize].name.clone();
            let message = format!(
                "inside plate `{name}` a value stands for a whole column and cannot be read or compared in Rust; \
                 use `where_(mask, a, b)` with a mask such as `x.gt(0)`, or loop with `plate(…).each()`"
            );
            r.error.get_or_insert(Error::Plate { place, message });
            return f64::NAN;
        }
        if n.len != 1 {
            let message = "only a scalar can be read; index the array or reduce it".to_string();
            let shapes = vec![r.event(node)];
            r.error.get_or_insert(Error::Shape {
                op: "value",
                place,
                message,
                shapes,
            });
            return f64::NAN;
        }
        r.taint(n.depends, place);
        r.store.get(n.offset as usize)
    }
}
