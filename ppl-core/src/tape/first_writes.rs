//! A second eager run for tests: prepared forms, and adjoints that hold NaN until their first write.
//!
//! It does what a program may do at most: every first write overwrites, and nothing else was set to zero.

use crate::tape::call::{Call, Mode, N_REGIONS, Pool, Region, Regions};
use crate::tape::op::Role;
use crate::tape::record::{Records, Tape, depends};
use crate::tape::store::{Scalar, Store};

/// Returns the log density and the gradient of a second run over the recorded operations.
pub(crate) fn rerun(tape: &Tape) -> (f64, Vec<f64>) {
    let records = tape.records();
    match records.store.clone() {
        Store::F64(mut values) => Rerun::new(tape, &records, &mut values).run(),
        Store::F32(mut values) => Rerun::new(tape, &records, &mut values).run(),
    }
}

struct Rerun<'a, F> {
    tape: &'a Tape,
    records: &'a Records,
    values: &'a mut [F],
    adjoints: Vec<F>,
    written: Vec<bool>,
}

impl<'a, F: Scalar> Rerun<'a, F> {
    fn new(tape: &'a Tape, records: &'a Records, values: &'a mut [F]) -> Self {
        let adjoints = vec![F::NAN; values.len()];
        Rerun {
            tape,
            records,
            values,
            adjoints,
            written: vec![false; records.nodes.len()],
        }
    }

    fn run(mut self) -> (f64, Vec<f64>) {
        let records = self.records;
        let mut density = 0.0;
        for (node, n) in records.nodes.iter().enumerate() {
            if matches!(n.def.role, Role::Compute | Role::Random) {
                let range = n.offset as usize..(n.offset + n.len) as usize;
                self.values[range].fill(F::NAN);
                self.call(node as u32, 0.0, false);
            }
        }
        for term in &records.terms {
            density += term.weight * self.call(term.node, term.weight, true);
        }
        for (node, n) in records.nodes.iter().enumerate().rev() {
            let is_op = matches!(n.def.role, Role::Compute | Role::Random);
            if is_op && n.depends & depends::GRAD != 0 && self.written[n.root as usize] {
                self.call(node as u32, 0.0, true);
            }
        }
        let mut gradient = vec![0.0; records.n_inputs];
        for n in records.nodes.iter().filter(|n| n.def.role == Role::Input) {
            let at = records.attrs[n.attrs.0 as usize] as usize;
            for i in 0..n.len as usize {
                if self.written[n.root as usize] {
                    gradient[at + i] += self.adjoints[n.offset as usize + i].to_f64();
                }
            }
        }
        (density, gradient)
    }

    fn call(&mut self, node: u32, weight: f64, backward: bool) -> f64 {
        let records = self.records;
        let mut operands = Vec::new();
        let mut instr = records.instr::<F>(node, weight, &mut operands);
        let args = records.args(node);
        if backward {
            for (operand, &a) in operands.iter_mut().zip(args) {
                let root = records.nodes[a as usize].root as usize;
                if operand.mode == Mode::Add && !std::mem::replace(&mut self.written[root], true) {
                    operand.mode = Mode::Overwrite;
                }
            }
        }
        if let Some(prepare) = records.nodes[node as usize].def.prepare {
            let constant = |&a: &u32| {
                let n = &records.nodes[a as usize];
                let is_fixed = n.depends & !depends::DATA == 0;
                is_fixed.then(|| records.store.to_vec(n.offset as usize, n.len as usize))
            };
            let constants: Vec<_> = args.iter().map(constant).collect();
            let shapes: Vec<_> = args.iter().map(|&a| records.shape(a).to_vec()).collect();
            instr.prepared = prepare(&constants, &shapes);
        }
        let mut base = [self.values.as_mut_ptr(); N_REGIONS];
        base[Region::Adjoint as usize] = self.adjoints.as_mut_ptr();
        let pool = Pool {
            operands: &operands,
            shapes: &records.shapes,
            attrs: &records.attrs,
        };
        // SAFETY: values and adjoints have the store's length, and nodes own disjoint ranges of both; operands that
        // share an adjoint were copied apart when recorded.
        let mut call = unsafe { Call::new(Regions { base }, &instr, pool, self.tape.key()) };
        if backward {
            (instr.backward)(&mut call)
        } else {
            (instr.forward)(&mut call)
        }
        call.term()
    }
}
