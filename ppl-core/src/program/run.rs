//! The executor: runs instructions over the regions.

use crate::program::compile::{Program, Step, is_theta};
use crate::program::workspace::Workspace;
use crate::tape::call::{Call, Pool, Region, Regions};
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
        for step in &self.forward {
            // SAFETY: `regions` holds the buffers that the layout was made for.
            let term = unsafe { self.call(regions, step, workspace, step.instr.forward) };
            if let Some(k) = step.term {
                workspace.terms[k as usize] = term;
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
        for step in &self.forward {
            let kernel = if step.is_fused {
                step.instr.backward
            } else {
                step.instr.forward
            };
            // SAFETY: `regions` holds the buffers that the layout was made for.
            let term = unsafe { self.call(regions, step, workspace, kernel) };
            if let Some(k) = step.term {
                workspace.terms[k as usize] = term;
            }
        }
        for &k in &self.backward {
            let step = &self.forward[k as usize];
            // SAFETY: as above.
            unsafe { self.call(regions, step, workspace, step.instr.backward) };
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
            Region::Constant => &self.constants,
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

    /// Calls one kernel and returns the term that it set.
    ///
    /// # Safety
    ///
    /// `regions` must come from [`Program::regions`] of this program, with a gradient if `kernel` writes adjoints.
    #[inline(always)]
    pub(crate) unsafe fn call(
        &self,
        regions: Regions<F>,
        step: &Step<F>,
        workspace: &Workspace<F>,
        kernel: fn(&mut Call<'_, F>),
    ) -> f64 {
        let pool = Pool {
            operands: &self.operands,
            shapes: &self.shapes,
            attrs: &self.attrs,
        };
        // SAFETY: the layout keeps what a kernel writes apart from all else, and the caller vouches for the regions.
        let mut call = unsafe { Call::new(regions, &step.instr, pool, workspace.key) };
        kernel(&mut call);
        call.term()
    }

    pub(crate) fn sum_terms(&self, workspace: &Workspace<F>) -> f64 {
        self.terms
            .iter()
            .zip(&workspace.terms)
            .map(|(t, value)| t.weight * value)
            .sum()
    }
}
