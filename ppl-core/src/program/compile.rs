//! From a tape to a program: runs the passes and emits instructions.

use crate::kernels::aligned::Aligned;
use crate::program::adjoints::{Adjoints, adjoints};
use crate::program::blocks::{Stretch, cuttable, stretches};
use crate::program::constants::constant_nodes;
use crate::program::layout::{Layout, Lengths, layout};
use crate::program::liveness::live_nodes;
use crate::program::passes::Passes;
use crate::program::sharing::share;
use crate::tape::call::{Instr, Loc, Mode, Operand, Region};
use crate::tape::op::Role;
use crate::tape::prepared::Prepared;
use crate::tape::record::Tape;
use crate::tape::records::{Records, Term};
use crate::tape::store::Scalar;
use crate::tensor::shape::Shape;

/// An instruction of the forward pass.
#[derive(Clone)]
pub struct Step<F> {
    /// What is called.
    pub instr: Instr<F>,
    /// The number of the term that it computes, if it is a sink.
    pub term: Option<u32>,
    /// Whether a gradient runs the backward kernel in place of the forward one: sinks with a differentiated operand.
    pub is_fused: bool,
    /// The operation, for the profile.
    pub name: &'static str,
    /// The number of elements that may be cut into blocks, or zero.
    pub cuttable: u32,
}

/// A term of the log density in a program.
#[derive(Clone, Copy, Debug)]
pub struct ProgramTerm {
    /// Its factor in the sum.
    pub weight: f64,
    /// The site that it belongs to.
    pub site: u32,
    /// Its value, if it never changes.
    pub constant: Option<f64>,
}

/// A recorded density, or any recorded values, as a list of instructions on fixed buffers.
pub struct Program<F> {
    pub(crate) forward: Vec<Step<F>>,
    pub(crate) backward: Vec<u32>,
    pub(crate) forward_stretches: Vec<Stretch>,
    pub(crate) backward_stretches: Vec<Stretch>,
    pub(crate) operands: Vec<Operand>,
    pub(crate) shapes: Vec<usize>,
    pub(crate) attrs: Vec<u64>,
    pub(crate) constants: Aligned<F>,
    pub(crate) terms: Vec<ProgramTerm>,
    pub(crate) zeroed: Vec<(Loc, u32)>,
    pub(crate) slots: Vec<Option<(u32, u32)>>,
    pub(crate) slot_values: Vec<(u32, Vec<F>)>,
    pub(crate) outputs: Vec<(Operand, Shape)>,
    pub(crate) len: Lengths,
    pub(crate) n_inputs: usize,
}

/// What a program computes, of all that a tape holds.
#[derive(Clone, Debug, Default)]
pub struct Roots<'a> {
    /// Whether the log density is wanted.
    pub density: bool,
    /// The nodes whose values are wanted.
    pub outputs: &'a [u32],
    /// For each data slot whether it is rebound between evaluations; slots beyond the list are fixed.
    pub rebound: &'a [bool],
}

impl<F: Scalar> Program<F> {
    /// Compiles the log density of a tape, with all data fixed and all passes on.
    pub fn density(tape: &Tape) -> Self {
        Program::compile(
            &tape.records(),
            &Roots {
                density: true,
                ..Roots::default()
            },
            Passes::default(),
        )
    }

    /// Compiles what `roots` names.
    ///
    /// # Panics
    ///
    /// If the tape has the other precision.
    pub fn compile(records: &Records, roots: &Roots<'_>, passes: Passes) -> Self {
        let constant = constant_nodes(records, roots.rebound, passes.constants);
        let terms: &[_] = if roots.density { &records.terms } else { &[] };
        let all = terms.iter().map(|t| t.node).chain(roots.outputs.iter().copied());
        let live = live_nodes(records, all, &constant);
        let mut adjoints = adjoints(records, &live, &constant, passes.drop_adjoints, passes.first_write);
        if !roots.density {
            adjoints.modes.fill(Mode::Skip);
            adjoints.backward.clear();
        }
        let owner = share(records, &mut adjoints);
        let layout = layout(records, &live, &constant, &adjoints.reached, &owner);
        let prepared = |node: u32| {
            if passes.prepare {
                prepare(records, node, &constant)
            } else {
                None
            }
        };
        Emitter {
            records,
            constant: &constant,
            live: &live,
            adjoints: &adjoints,
            layout: &layout,
        }
        .emit(roots, passes, prepared)
    }
}

struct Emitter<'a> {
    records: &'a Records,
    constant: &'a [bool],
    live: &'a [bool],
    adjoints: &'a Adjoints,
    layout: &'a Layout,
}

/// Instructions in the order of the tape, with what they refer to.
struct Steps<F> {
    forward: Vec<Step<F>>,
    operands: Vec<Operand>,
    terms: Vec<ProgramTerm>,
    /// The number of the instruction of each node, if it has one.
    of_node: Vec<u32>,
}

impl<'a> Emitter<'a> {
    fn emit<F: Scalar>(
        &self,
        roots: &Roots<'_>,
        passes: Passes,
        prepared: impl Fn(u32) -> Option<Prepared>,
    ) -> Program<F> {
        let r = self.records;
        let steps = self.steps(roots, passes, prepared);
        let zeroed = self.adjoints.zeroed.iter();
        let slots = self.layout.slots.clone();
        let rebound = slots
            .iter()
            .enumerate()
            .filter_map(|(k, slot)| slot.map(|(at, _)| (k, at)));
        let backward = self.adjoints.backward.iter();
        let backward: Vec<_> = backward.map(|&node| steps.of_node[node as usize]).collect();
        let forward = steps.forward;
        Program {
            forward_stretches: stretches(forward.iter().map(|step: &Step<F>| step.cuttable)),
            backward_stretches: stretches(backward.iter().map(|&k| forward[k as usize].cuttable)),
            forward,
            backward,
            operands: steps.operands,
            shapes: r.shapes.clone(),
            attrs: r.attrs.clone(),
            constants: self.constants(),
            terms: steps.terms,
            zeroed: zeroed
                .map(|&z| (self.layout.adjoint[z as usize], r.nodes[z as usize].len))
                .collect(),
            slot_values: rebound.map(|(k, at)| (at, self.value(r.slots[k]).to_vec())).collect(),
            slots,
            outputs: roots
                .outputs
                .iter()
                .map(|&node| (self.operand(node, Mode::Skip), Shape::from_slice(r.shape(node))))
                .collect(),
            len: self.layout.len,
            n_inputs: r.n_inputs,
        }
    }

    /// Returns the recorded value of a node.
    fn value<F: Scalar>(&self, node: u32) -> &'a [F] {
        let n = &self.records.nodes[node as usize];
        &F::buffer(&self.records.store)[n.offset as usize..][..n.len as usize]
    }

    fn constants<F: Scalar>(&self) -> Aligned<F> {
        let mut constants = Aligned::zeros(self.layout.len.constant);
        for &(node, at) in &self.layout.constants {
            let value = self.value(node);
            constants[at as usize..][..value.len()].copy_from_slice(value);
        }
        constants
    }

    /// Emits an instruction for each node that is live and changes.
    fn steps<F: Scalar>(
        &self,
        roots: &Roots<'_>,
        passes: Passes,
        prepared: impl Fn(u32) -> Option<Prepared>,
    ) -> Steps<F> {
        let r = self.records;
        let mut steps = Steps {
            forward: Vec::new(),
            operands: Vec::new(),
            terms: Vec::new(),
            of_node: vec![u32::MAX; r.nodes.len()],
        };
        let terms: &[Term] = if roots.density { &r.terms } else { &[] };
        let mut terms_left = terms.iter().peekable();
        for node in 0..r.nodes.len() as u32 {
            let term = terms_left.next_if(|t| t.node == node);
            if let Some(t) = term {
                let constant = self.constant[node as usize].then_some(t.value);
                steps.terms.push(ProgramTerm {
                    weight: t.weight,
                    site: t.site,
                    constant,
                });
            }
            let is_emitted = self.live[node as usize] && !self.constant[node as usize];
            let role = r.nodes[node as usize].def.role;
            if is_emitted && matches!(role, Role::Compute | Role::Random | Role::Sink) {
                steps.of_node[node as usize] = steps.forward.len() as u32;
                let step = self.step(node, term, &mut steps, passes.blocks, prepared(node));
                steps.forward.push(step);
            }
        }
        steps
    }

    /// Returns the instruction of a node, whose operands it adds to `steps`.
    fn step<F: Scalar>(
        &self,
        node: u32,
        term: Option<&Term>,
        steps: &mut Steps<F>,
        blocks: bool,
        prepared: Option<Prepared>,
    ) -> Step<F> {
        let n = &self.records.nodes[node as usize];
        let at = steps.operands.len() as u32;
        let modes = &self.adjoints.modes[n.args.0 as usize..];
        let operands = self.records.args(node).iter().zip(modes);
        steps
            .operands
            .extend(operands.map(|(&operand, &mode)| self.operand(operand, mode)));
        let operands = &steps.operands[at as usize..];
        let out = self.operand(node, Mode::Add);
        let output = term.is_none().then_some(&out);
        Step {
            cuttable: if blocks && n.def.elementwise {
                cuttable(output, operands)
            } else {
                0
            },
            term: term.map(|_| steps.terms.len() as u32 - 1),
            is_fused: term.is_some() && operands.iter().any(|o| o.mode != Mode::Skip),
            name: n.def.name,
            instr: Instr {
                forward: F::kernel(&n.def.forward),
                backward: F::kernel(&n.def.backward),
                out,
                operands: (at, n.args.1),
                attrs: n.attrs,
                aux: (self.layout.aux[node as usize], n.aux.1),
                weight: term.map_or(0.0, |t| t.weight),
                prepared,
            },
        }
    }

    fn operand(&self, node: u32, mode: Mode) -> Operand {
        let n = &self.records.nodes[node as usize];
        Operand {
            value: self.layout.value[node as usize],
            adjoint: self.layout.adjoint[node as usize],
            mode,
            rank: n.shape.1,
            len: n.len,
            shape_at: n.shape.0,
        }
    }
}

/// Lets the operation of a node prepare from its constant operands.
fn prepare(records: &Records, node: u32, constant: &[bool]) -> Option<Prepared> {
    let prepare = records.nodes[node as usize].def.prepare?;
    let args = records.args(node);
    let values: Vec<_> = args
        .iter()
        .map(|&a| {
            let n = &records.nodes[a as usize];
            constant[a as usize].then(|| records.store.to_vec(n.offset as usize, n.len as usize))
        })
        .collect();
    let shapes: Vec<_> = args.iter().map(|&a| records.shape(a).to_vec()).collect();
    prepare(&values, &shapes)
}

/// The region of an output that lies outside of the workspace.
pub(crate) fn is_theta(operand: &Operand) -> bool {
    operand.value.region == Region::Theta
}
