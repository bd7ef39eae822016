//! Finds the nodes that the results need.

use crate::tape::records::Records;

/// Returns for each node whether it must be computed or stored for the given roots; operands of constants are not.
pub fn live_nodes(records: &Records, roots: impl Iterator<Item = u32>, constant: &[bool]) -> Vec<bool> {
    let mut live = vec![false; records.nodes.len()];
    for root in roots {
        live[root as usize] = true;
    }
    for node in (0..records.nodes.len()).rev() {
        if live[node] && !constant[node] {
            for &a in records.args(node as u32) {
                live[a as usize] = true;
            }
        }
    }
    live
}
