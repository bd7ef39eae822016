//! Where the time goes: nanoseconds per instruction, forward and backward.

use std::fmt;
use std::time::Instant;

use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::tape::store::Scalar;

/// The time of one instruction, averaged over runs.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    /// The operation.
    pub name: &'static str,
    /// The number of elements of its largest operand or output.
    pub elements: usize,
    /// Nanoseconds of the forward kernel, or of the fused one of a sink.
    pub forward_ns: f64,
    /// Nanoseconds of the backward kernel.
    pub backward_ns: f64,
}

/// The times of all instructions of a program.
#[derive(Clone, Debug)]
pub struct Profile {
    /// One row an instruction, in order.
    pub rows: Vec<ProfileRow>,
}

impl<F: Scalar> Program<F> {
    /// Runs value and gradient `n_runs` times and returns the time of each instruction.
    ///
    /// Reading the clock costs some 20 ns a kernel and block of 4096 elements, which is part of the figures.
    pub fn profile(&self, workspace: &mut Workspace<F>, theta: &[F], n_runs: usize) -> Profile {
        let mut gradient = vec![F::ZERO; self.n_inputs];
        let regions = self.regions(workspace, theta, &mut gradient);
        let mut forward = vec![0.0; self.forward.len()];
        let mut backward = vec![0.0; self.forward.len()];
        let scale = 1e9 / n_runs.max(1) as f64;
        for _ in 0..n_runs {
            self.zero(regions);
            for stretch in &self.forward_stretches {
                for window in stretch.windows() {
                    for (step, ns) in self
                        .steps(stretch)
                        .iter()
                        .zip(&mut forward[stretch.range.start as usize..])
                    {
                        let start = Instant::now();
                        // SAFETY: `regions` holds this program's buffers and a gradient.
                        unsafe { self.call(regions, step, workspace, step.with_gradient(), window) };
                        *ns += start.elapsed().as_secs_f64() * scale;
                    }
                }
            }
            for stretch in &self.backward_stretches {
                for window in stretch.windows() {
                    for (step, &k) in self
                        .backward_steps(stretch)
                        .zip(&self.backward[stretch.range.start as usize..])
                    {
                        let start = Instant::now();
                        // SAFETY: as above.
                        unsafe { self.call(regions, step, workspace, step.instr.backward, window) };
                        backward[k as usize] += start.elapsed().as_secs_f64() * scale;
                    }
                }
            }
        }
        let rows = self.forward.iter().enumerate().map(|(k, step)| {
            let (at, n) = step.instr.operands;
            let operands = &self.operands[at as usize..][..n as usize];
            let elements = operands.iter().map(|o| o.len).fold(step.instr.out.len, u32::max) as usize;
            ProfileRow {
                name: step.name,
                elements,
                forward_ns: forward[k],
                backward_ns: backward[k],
            }
        });
        Profile { rows: rows.collect() }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>10} {:>12} {:>12}",
            "operation", "elements", "forward ns", "backward ns"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<24} {:>10} {:>12.0} {:>12.0}",
                row.name, row.elements, row.forward_ns, row.backward_ns
            )?;
        }
        let total = |ns: fn(&ProfileRow) -> f64| self.rows.iter().map(ns).sum::<f64>();
        writeln!(
            f,
            "{:<24} {:>10} {:>12.0} {:>12.0}",
            "sum",
            "",
            total(|r| r.forward_ns),
            total(|r| r.backward_ns)
        )
    }
}
