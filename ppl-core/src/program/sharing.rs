//! Lets an operand use the adjoint of an operation that passes it on unchanged, as a sum does, so that nothing is copied.

use crate::program::adjoints::Adjoints;
use crate::tape::call::Mode;
use crate::tape::op::Role;
use crate::tape::records::Records;

/// Returns for each root the root whose adjoint it uses: its own, or that of the one operation that reads it.
///
/// The operand's adjoint must be written by that operation alone, and be as long as that of the output. All writes to the
/// output's adjoint come before the operation's backward kernel, and what follows only reads it, so that any number of
/// operands share it. Inputs keep their own, which is the caller's gradient. The writes become [`Mode::Skip`], and
/// operations that are left with none are dropped from the backward pass.
pub fn share(records: &Records, adjoints: &mut Adjoints) -> Vec<u32> {
    let root = |node: u32| records.nodes[node as usize].root;
    let mut owner: Vec<u32> = (0..records.nodes.len() as u32).collect();
    let mut writers = vec![0_u32; records.nodes.len()];
    for (&arg, mode) in records.args.iter().zip(&adjoints.modes) {
        writers[root(arg) as usize] += (*mode != Mode::Skip) as u32;
    }
    // Outputs come before their operands here, so that the owner of an output is known.
    for &node in &adjoints.backward {
        let out = &records.nodes[node as usize];
        let first = out.args.0 as usize;
        for (k, &arg) in records.args(node).iter().enumerate() {
            let operand = &records.nodes[root(arg) as usize];
            let passes_on = out.def.passes_on & (1 << k) != 0 && operand.len == out.len;
            let is_own = matches!(operand.def.role, Role::Input | Role::DiscreteInput);
            let mode = &mut adjoints.modes[first + k];
            if passes_on && !is_own && *mode == Mode::Overwrite && writers[root(arg) as usize] == 1 {
                *mode = Mode::Skip;
                owner[root(arg) as usize] = owner[out.root as usize];
            }
        }
    }
    let Adjoints { backward, modes, .. } = adjoints;
    backward.retain(|&node| {
        let (first, n) = records.nodes[node as usize].args;
        modes[first as usize..][..n as usize]
            .iter()
            .any(|&mode| mode != Mode::Skip)
    });
    owner
}

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::program::compile::Program;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tape::var::Var;
    use crate::testing::op_check::check_recording;

    const N: usize = 20;

    /// Returns the names of the backward pass of Σ f(x, y) and the number of adjoints of N elements in the workspace.
    fn backward_of(f: impl for<'t> Fn(Var<'t>, Var<'t>) -> Var<'t>) -> (Vec<&'static str>, usize) {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let values: Vec<f64> = (0..2 * N).map(|i| 0.3 + (i as f64 * 0.7).sin()).collect();
        let x = tape.input(0, &[], &[N], &values[..N], false);
        let y = tape.input(N, &[], &[N], &values[N..], false);
        tape.term(SumTerm::DEF, &[f(x, y)], &[], 0, 1.5, 0);
        check_recording(&tape);
        let program = Program::<f64>::density(&tape);
        let names = program.backward.iter().map(|&k| program.forward[k as usize].name);
        (names.collect(), program.len.adjoint / N.next_multiple_of(16))
    }

    #[test]
    fn sums_and_differences_copy_no_adjoint() {
        let (names, n_adjoints) = backward_of(|x, y| x.exp() + y.sin() + 2.0 - x * y);
        // Of the difference the subtrahend alone is written, which the product then reads.
        assert_eq!(names, ["sub", "mul", "sin", "exp"]);
        assert_eq!(n_adjoints, 2);
    }

    #[test]
    fn an_operand_with_another_reader_keeps_its_own_adjoint() {
        let (names, n_adjoints) = backward_of(|x, y| {
            let e = x.exp();
            (e + y.sin()).square() + e.cos()
        });
        // The adjoint of `e` is a sum of two, that of the sine one of them.
        assert_eq!(names, ["cos", "square", "add", "sin", "exp"]);
        assert_eq!(n_adjoints, 3);
    }

    #[test]
    fn an_operand_that_is_broadcast_keeps_its_own_adjoint() {
        let (names, _) = backward_of(|x, y| x.exp().sum() + y.sin());
        assert_eq!(names, ["add", "sin", "sum", "exp"]);
    }

    #[test]
    fn inputs_keep_their_gradients() {
        let (names, n_adjoints) = backward_of(|x, y| x + y);
        assert_eq!((names, n_adjoints), (vec!["add"], 1));
    }
}
