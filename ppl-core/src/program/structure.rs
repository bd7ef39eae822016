//! The structure key: equal for recordings that one program serves.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::tape::op::Role;
use crate::tape::records::{Records, Term};

/// Returns a hash of everything that a program bakes in: operations, operands, shapes, attributes, weights and sites
/// of terms, and the bits of constants; values of inputs, data and random draws are left out.
pub fn structure_key(records: &Records) -> u64 {
    let mut hasher = DefaultHasher::new();
    (0..records.nodes.len() as u32).for_each(|node| hash_node(records, node, &mut hasher));
    for term in &records.terms {
        (term.node, term.weight.to_bits(), term.site).hash(&mut hasher);
    }
    records.n_inputs.hash(&mut hasher);
    hasher.finish()
}

/// Returns the first node in which two recordings of different structure differ; of those that differ in their terms
/// alone, the first such sink.
pub fn first_difference(a: &Records, b: &Records) -> u32 {
    let key = |records: &Records, node: u32| {
        let mut hasher = DefaultHasher::new();
        hash_node(records, node, &mut hasher);
        hasher.finish()
    };
    let common = a.nodes.len().min(b.nodes.len()) as u32;
    let node = (0..common).find(|&i| key(a, i) != key(b, i));
    let is_same = |(a, b): (&Term, &Term)| (a.node, a.weight.to_bits(), a.site) == (b.node, b.weight.to_bits(), b.site);
    let term = || a.terms.iter().zip(&b.terms).find(|&terms| !is_same(terms));
    node.or_else(|| term().map(|(term, _)| term.node)).unwrap_or(common)
}

fn hash_node(records: &Records, i: u32, hasher: &mut DefaultHasher) {
    let node = &records.nodes[i as usize];
    node.def.name.hash(hasher);
    records.args(i).hash(hasher);
    records.attrs(i).hash(hasher);
    records.shape(i).hash(hasher);
    node.dims.hash(hasher);
    if node.def.role == Role::Constant {
        for k in 0..node.len as usize {
            records.store.get(node.offset as usize + k).to_bits().hash(hasher);
        }
    }
}
