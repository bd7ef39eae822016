//! The eager gradient: every node that a term depends on in reverse order, every adjoint zeroed and added to.
//!
//! Programs must agree with it whatever their passes do.

use crate::tape::call::{Call, Mode, N_REGIONS, Pool, Region, Regions, Window};
use crate::tape::op::Role;
use crate::tape::record::Tape;
use crate::tape::records::{Records, depends};
use crate::tape::store::{Scalar, Store};

/// Returns the gradient of the log density by the inputs at the recorded values.
pub fn gradient(tape: &Tape) -> Vec<f64> {
    let mut store = tape.records().store.clone();
    match &mut store {
        Store::F64(values) => backward(tape, &tape.records(), values),
        Store::F32(values) => backward(tape, &tape.records(), values),
    }
}

fn backward<F: Scalar>(tape: &Tape, records: &Records, values: &mut [F]) -> Vec<f64> {
    let mut adjoints = vec![F::ZERO; values.len()];
    let mut base = [values.as_mut_ptr(); N_REGIONS];
    base[Region::Adjoint as usize] = adjoints.as_mut_ptr();
    let regions = Regions { base };
    let mut operands = Vec::new();
    // By root: whether an adjoint has been added to. What no term depends on is left out, or its zero adjoint times an
    // infinite derivative would be NaN.
    let mut reached = vec![false; records.nodes.len()];
    let mut run = |node: u32, weight: f64| {
        let n = &records.nodes[node as usize];
        if n.def.role != Role::Sink && !reached[n.root as usize] {
            return;
        }
        operands.clear();
        let instr = records.instr::<F>(node, weight, &mut operands);
        for (&a, operand) in records.args(node).iter().zip(&operands) {
            reached[records.nodes[a as usize].root as usize] |= operand.mode != Mode::Skip;
        }
        let pool = Pool {
            operands: &operands,
            shapes: &records.shapes,
            attrs: &records.attrs,
        };
        // SAFETY: values and adjoints are buffers of the store's length, and nodes own disjoint ranges of both; operands
        // that share an adjoint were copied apart when recorded.
        let mut call = unsafe { Call::new(regions, &instr, pool, tape.key(), Window::WHOLE) };
        (instr.backward)(&mut call);
    };
    for term in &records.terms {
        run(term.node, term.weight);
    }
    for node in (0..records.nodes.len() as u32).rev() {
        let n = &records.nodes[node as usize];
        if n.depends & depends::GRAD != 0 && matches!(n.def.role, Role::Compute | Role::Random) {
            run(node, 0.0);
        }
    }
    let mut gradient = vec![0.0; records.n_inputs];
    for node in records.nodes.iter().filter(|n| n.def.role == Role::Input) {
        let at = records.attrs[node.attrs.0 as usize] as usize;
        for i in 0..node.len as usize {
            gradient[at + i] += adjoints[node.offset as usize + i].to_f64();
        }
    }
    gradient
}

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::testing::op_check::check_recording;

    #[test]
    fn values_that_no_term_depends_on_have_no_part_in_the_gradient() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[-1.0, 0.0], false);
        let unused = x.sqrt() * x.ln();
        assert!(unused.elements()[0].is_nan());
        tape.term(SumTerm::DEF, &[x], &[], 0, 1.0, 0);
        assert_eq!(super::gradient(&tape), [1.0, 1.0]);
        check_recording(&tape);
    }
}
