//! The executor: runs instructions over the regions.

use crate::program::blocks::Stretch;
use crate::program::compile::{Program, Step, is_theta};
use crate::program::workspace::Workspace;
use crate::tape::call::{Call, Pool, Region, Regions, Window};
use crate::tape::store::Scalar;

impl<F: Scalar> Program<F> {
    /// Returns the length of the vector of inputs.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Returns the log density at `theta`.
    ///
    /// # Panics
    ///
    /// If `theta` is shorter than [`Program::n_inputs`].
    pub fn value(&self, workspace: &mut Workspace<F>, theta: &[F]) -> f64 {
        let regions = self.regions(workspace, theta, &mut []);
        for stretch in &self.forward_stretches {
            for window in stretch.windows() {
                for step in self.steps(stretch) {
                    // SAFETY: `regions` holds the buffers that the layout was made for.
                    unsafe { self.call(regions, step, workspace, step.instr.forward, window) };
                }
            }
        }
        self.sum_terms(workspace)
    }

    /// Returns the log density at `theta` and writes its gradient.
    ///
    /// # Panics
    ///
    /// If `theta` or `gradient` is shorter than [`Program::n_inputs`].
    pub fn value_and_gradient(&self, workspace: &mut Workspace<F>, theta: &[F], gradient: &mut [F]) -> f64 {
        assert!(
            gradient.len() >= self.n_inputs,
            "the gradient has {} elements for {} inputs",
            gradient.len(),
            self.n_inputs
        );
        let regions = self.regions(workspace, theta, gradient);
        self.zero(regions);
        for stretch in &self.forward_stretches {
            for window in stretch.windows() {
                for step in self.steps(stretch) {
                    // SAFETY: `regions` holds the buffers that the layout was made for.
                    unsafe { self.call(regions, step, workspace, step.with_gradient(), window) };
                }
            }
        }
        for stretch in &self.backward_stretches {
            for window in stretch.windows() {
                for step in self.backward_steps(stretch) {
                    // SAFETY: as above.
                    unsafe { self.call(regions, step, workspace, step.instr.backward, window) };
                }
            }
        }
        self.sum_terms(workspace)
    }

    /// Returns each term of the last run with its weight in it, and the site that it belongs to.
    pub fn terms<'a>(&'a self, workspace: &'a Workspace<F>) -> impl Iterator<Item = (u32, f64)> + 'a {
        self.terms
            .iter()
            .zip(&workspace.terms)
            .map(|(t, value)| (t.site, t.weight * value))
    }

    /// Returns output `k` of the last run, made at `theta`, and its shape.
    pub fn output<'a>(&'a self, workspace: &'a Workspace<F>, theta: &'a [F], k: usize) -> (&'a [F], &'a [usize]) {
        let (operand, shape) = &self.outputs[k];
        let region = match operand.value.region {
            _ if is_theta(operand) => theta,
            Region::Constant => &*self.constants,
            Region::Data => &workspace.data,
            _ => &workspace.work,
        };
        (&region[operand.value.offset as usize..][..operand.len as usize], shape)
    }

    pub(crate) fn regions(&self, workspace: &mut Workspace<F>, theta: &[F], gradient: &mut [F]) -> Regions<F> {
        assert!(
            theta.len() >= self.n_inputs,
            "{} values for {} inputs",
            theta.len(),
            self.n_inputs
        );
        let w = workspace;
        assert!(
            w.work.len() == self.len.work && w.adjoint.len() == self.len.adjoint && w.data.len() == self.len.data,
            "the workspace belongs to another program"
        );
        let mut base = [w.work.as_mut_ptr(); crate::tape::call::N_REGIONS];
        base[Region::Theta as usize] = theta.as_ptr().cast_mut();
        base[Region::Gradient as usize] = gradient.as_mut_ptr();
        base[Region::Constant as usize] = self.constants.as_ptr().cast_mut();
        base[Region::Data as usize] = w.data.as_mut_ptr();
        base[Region::Adjoint as usize] = w.adjoint.as_mut_ptr();
        Regions { base }
    }

    pub(crate) fn zero(&self, regions: Regions<F>) {
        for &(loc, n) in &self.zeroed {
            // SAFETY: the layout put this adjoint into its region.
            unsafe { std::slice::from_raw_parts_mut(regions.at(loc), n as usize) }.fill(F::ZERO);
        }
    }

    /// Returns the instructions of a stretch of the forward pass.
    #[inline(always)]
    pub(crate) fn steps(&self, stretch: &Stretch) -> &[Step<F>] {
        &self.forward[stretch.range.start as usize..stretch.range.end as usize]
    }

    /// Returns the instructions of a stretch of the backward pass.
    #[inline(always)]
    pub(crate) fn backward_steps(&self, stretch: &Stretch) -> impl Iterator<Item = &Step<F>> {
        let steps = &self.backward[stretch.range.start as usize..stretch.range.end as usize];
        steps.iter().map(|&k| &self.forward[k as usize])
    }

    /// Calls one kernel on a part of its elements and keeps the term that it set.
    ///
    /// # Safety
    ///
    /// `regions` must come from [`Program::regions`] of this program, with a gradient if `kernel` writes adjoints, and
    /// `window` from the stretch that the step belongs to.
    #[inline(always)]
    pub(crate) unsafe fn call(
        &self,
        regions: Regions<F>,
        step: &Step<F>,
        workspace: &mut Workspace<F>,
        kernel: fn(&mut Call<'_, F>),
        window: Window,
    ) {
        let pool = Pool {
            operands: &self.operands,
            shapes: &self.shapes,
            attrs: &self.attrs,
        };
        // SAFETY: the layout keeps what a kernel writes apart from all else, and the caller vouches for the regions.
        let mut call = unsafe { Call::new(regions, &step.instr, pool, workspace.key, window) };
        kernel(&mut call);
        if let Some(k) = step.term {
            let before = if window.first == 0 {
                0.0
            } else {
                workspace.terms[k as usize]
            };
            workspace.terms[k as usize] = before + call.term();
        }
    }

    pub(crate) fn sum_terms(&self, workspace: &Workspace<F>) -> f64 {
        self.terms
            .iter()
            .zip(&workspace.terms)
            .map(|(t, value)| t.weight * value)
            .sum()
    }
}

impl<F> Step<F> {
    /// Returns the kernel of the forward pass of a gradient.
    #[inline(always)]
    pub(crate) fn with_gradient(&self) -> fn(&mut Call<'_, F>) {
        if self.is_fused {
            self.instr.backward
        } else {
            self.instr.forward
        }
    }
}
