//! Finds the nodes that never change between evaluations.

use crate::tape::op::Role;
use crate::tape::records::Records;

/// Returns for each node whether its value stays the one recorded.
///
/// Data slots are constant unless `rebound` says otherwise; with `fold` off only leaves are constant.
pub fn constant_nodes(records: &Records, rebound: &[bool], fold: bool) -> Vec<bool> {
    let mut constant = Vec::with_capacity(records.nodes.len());
    for (i, node) in records.nodes.iter().enumerate() {
        let operands_constant = || records.args(i as u32).iter().all(|&a| constant[a as usize]);
        constant.push(match node.def.role {
            Role::Input | Role::DiscreteInput | Role::Random => false,
            Role::Constant | Role::Missing => true,
            Role::Data => !rebound
                .get(records.attrs(i as u32)[0] as usize)
                .copied()
                .unwrap_or(false),
            Role::Alias => operands_constant(),
            Role::Compute | Role::Sink => fold && operands_constant(),
        });
    }
    constant
}
