//! The structure key: equal for recordings that one program serves.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::tape::op::Role;
use crate::tape::records::Records;

/// Returns a hash of everything that a program bakes in: operations, operands, shapes, attributes, weights and sites
/// of terms, and the bits of constants; values of inputs, data and random draws are left out.
pub fn structure_key(records: &Records) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (i, node) in records.nodes.iter().enumerate() {
        let i = i as u32;
        node.def.name.hash(&mut hasher);
        records.args(i).hash(&mut hasher);
        records.attrs(i).hash(&mut hasher);
        records.shape(i).hash(&mut hasher);
        node.dims.hash(&mut hasher);
        if node.def.role == Role::Constant {
            for k in 0..node.len as usize {
                records.store.get(node.offset as usize + k).to_bits().hash(&mut hasher);
            }
        }
    }
    for term in &records.terms {
        (term.node, term.weight.to_bits(), term.site).hash(&mut hasher);
    }
    records.n_inputs.hash(&mut hasher);
    hasher.finish()
}
