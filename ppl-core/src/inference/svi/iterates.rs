//! Parameters of some steps at the end of a run, which tell how noisy the last ones are.

use crate::tape::store::Scalar;

/// How many vectors of parameters are kept, if they are small.
const KEPT: usize = 32;

/// The fewest that say anything.
const MIN_KEPT: usize = 8;

/// The number of elements that are kept altogether.
const MAX_ELEMENTS: usize = 1 << 20;

/// The parameters after the last steps, evenly spread over about a tenth of the run, whose length nobody has to know.
///
/// Of more than 2¹⁷ parameters none are kept.
#[derive(Clone, Debug)]
pub(super) struct Iterates {
    /// The vectors, one after the other; the oldest gives way to the newest.
    values: Vec<f64>,
    dim: usize,
    n_kept: usize,
    n_seen: usize,
    due: usize,
}

impl Iterates {
    pub fn new(dim: usize) -> Self {
        let n_kept = (MAX_ELEMENTS / dim.max(1)).min(KEPT);
        let n_kept = if n_kept < MIN_KEPT { 0 } else { n_kept };
        Iterates {
            values: Vec::with_capacity(n_kept * dim),
            dim,
            n_kept,
            n_seen: 0,
            due: 0,
        }
    }

    /// Keeps the parameters after a step, if it is one to keep.
    pub fn push<F: Scalar>(&mut self, step: usize, params: &[F]) {
        if self.n_kept == 0 || step < self.due {
            return;
        }
        let at = self.n_seen % self.n_kept * self.dim;
        self.values.resize(self.values.len().max(at + self.dim), 0.0);
        let place = &mut self.values[at..at + self.dim];
        place.iter_mut().zip(params).for_each(|(kept, x)| *kept = x.to_f64());
        self.n_seen += 1;
        self.due = step + (step / (10 * self.n_kept)).max(1);
    }

    /// Returns the vectors that are kept and finite, if they are enough to say anything.
    pub fn kept(&self) -> Vec<&[f64]> {
        let all = self.values.chunks_exact(self.dim.max(1));
        let kept: Vec<&[f64]> = all.filter(|v| v.iter().all(|x| x.is_finite())).collect();
        if kept.len() < MIN_KEPT { Vec::new() } else { kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the steps that are kept of a run.
    fn kept(dim: usize, n_steps: usize) -> Vec<usize> {
        let mut iterates = Iterates::new(dim);
        let mut params = vec![0.0; dim];
        for step in 0..n_steps {
            params[dim - 1] = step as f64;
            iterates.push(step, &params);
        }
        let mut steps: Vec<usize> = iterates.kept().iter().map(|v| v[dim - 1] as usize).collect();
        steps.sort_unstable();
        steps
    }

    #[test]
    fn the_last_tenth_of_a_run_of_any_length_is_spanned() {
        assert_eq!(kept(2, 7), [0; 0]);
        assert_eq!(kept(2, 100), (68..100).collect::<Vec<_>>());
        for n in [1000, 3217, 100_000] {
            let steps = kept(2, n);
            assert_eq!(steps.len(), 32, "{n} steps");
            let (first, last) = (steps[0] as f64 / n as f64, steps[31] as f64 / n as f64);
            assert!((0.88..0.94).contains(&first) && last > 0.995, "{n} steps: {steps:?}");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_large_networks_keep_nothing() {
        assert_eq!(kept(1 << 16, 40).len(), 16);
        assert_eq!(kept((1 << 17) + 1, 9), [0; 0]);
        assert_eq!(Iterates::new(1_600_000).values.capacity(), 0);
    }
}
