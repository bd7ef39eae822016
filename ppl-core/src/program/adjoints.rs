//! Finds the adjoints that are needed, and who writes each of them first.

use crate::tape::call::Mode;
use crate::tape::op::Role;
use crate::tape::records::{Records, depends};

/// The order of the backward pass and how each operand's adjoint is written.
pub struct Adjoints {
    /// Nodes in the order of their backward kernels, after all sinks.
    pub backward: Vec<u32>,
    /// The mode of each operand of each node, in the order of `Records::args`.
    pub modes: Vec<Mode>,
    /// Whether the adjoint of a root is written at all.
    pub reached: Vec<bool>,
    /// Roots whose adjoint has to be zeroed beforehand.
    pub zeroed: Vec<u32>,
}

/// Returns whether operand k of a node shares its buffer with an earlier operand.
fn is_repeated(records: &Records, node: u32, k: usize) -> bool {
    let root = |operand: u32| records.nodes[operand as usize].root;
    let args = records.args(node);
    args[..k].iter().any(|&other| root(other) == root(args[k]))
}

/// Walks the sinks forward and the other live nodes backward, as the executor will.
pub fn adjoints(
    records: &Records,
    live: &[bool],
    constant: &[bool],
    drop_adjoints: bool,
    first_write: bool,
) -> Adjoints {
    let n = records.nodes.len();
    let mut a = Adjoints {
        backward: Vec::new(),
        modes: vec![Mode::Skip; records.args.len()],
        reached: vec![false; n],
        zeroed: Vec::new(),
    };
    let emitted = |node: usize| live[node] && !constant[node];
    let write = |node: usize, a: &mut Adjoints| {
        let def = records.nodes[node].def;
        for (k, &arg) in records.args(node as u32).iter().enumerate() {
            let operand = &records.nodes[arg as usize];
            let is_discrete = records.nodes[operand.root as usize].def.role == Role::DiscreteInput;
            let has_derivative = operand.depends & depends::GRAD != 0;
            let is_repeated = || is_repeated(records, node as u32, k);
            let needed = has_derivative || (!drop_adjoints && !is_discrete && !is_repeated());
            if def.no_grad & (1 << k) != 0 || !needed {
                continue;
            }
            let root = operand.root as usize;
            let is_first = !std::mem::replace(&mut a.reached[root], true);
            let mode = if is_first && first_write {
                Mode::Overwrite
            } else {
                Mode::Add
            };
            if is_first && !first_write {
                a.zeroed.push(root as u32);
            }
            a.modes[records.nodes[node].args.0 as usize + k] = mode;
        }
    };
    for term in records.terms.iter().filter(|t| emitted(t.node as usize)) {
        write(term.node as usize, &mut a);
    }
    for node in (0..n).rev() {
        let role = records.nodes[node].def.role;
        if emitted(node) && a.reached[node] && matches!(role, Role::Compute | Role::Random) {
            write(node, &mut a);
            a.backward.push(node as u32);
        }
    }
    for (node, record) in records.nodes.iter().enumerate() {
        let is_input = matches!(record.def.role, Role::Input | Role::DiscreteInput);
        if is_input && !a.reached[node] {
            a.zeroed.push(node as u32);
        }
    }
    a
}
