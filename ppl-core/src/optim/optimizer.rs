//! What every optimiser offers: a state for n parameters, and a step against a gradient.

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::error::Result;
use crate::kernels::real::Real;

/// How many parameters one task of [`Optimizer::step_parallel`] takes: four f64 slices of it are 512 KiB.
const CHUNK: usize = 1 << 14;

/// A rule that moves parameters against the gradient of a loss, for parameters of scalar type `F`.
///
/// The trait can be made into an object: `Box<dyn Optimizer<f64>>`.
///
/// A rule is elementwise once its [`Pace`] is known, so that any split of the parameters gives the same bits.
pub trait Optimizer<F: Real>: Send + Sync {
    /// Returns how many running averages are kept of each parameter.
    fn n_moments(&self) -> usize;

    /// Returns what all parameters share in this step, counted from 1; `grad` is the gradient of all of them.
    fn pace(&self, step: u64, grad: &[F]) -> Pace {
        let _ = grad;
        Pace { step, grad_scale: 1.0 }
    }

    /// Returns whether the settings are within their ranges, the learning rate of this step among them; steps are counted
    /// from 1.
    ///
    /// A run of SVI checks each step before it is made. Of a rule that does not say otherwise, all settings are allowed.
    ///
    /// # Errors
    /// If a setting is out of its range, with the names of optimiser and setting, the step and the number.
    ///
    /// # Examples
    /// ```
    /// use ppl_core::optim::{Adam, Optimizer, Schedule};
    ///
    /// let falls_below_zero = Adam::new(Schedule::Cosine { initial: 0.1, last: -0.1, n_steps: 2 });
    /// let check = |step| Optimizer::<f64>::check(&falls_below_zero, step).map_err(|error| error.to_string());
    /// assert_eq!(check(2), Ok(()));
    /// assert_eq!(
    ///     check(3).unwrap_err(),
    ///     "step 3 of Adam: the learning rate is -0.1; it has to be a finite number from zero on"
    /// );
    /// ```
    fn check(&self, step: u64) -> Result<()> {
        let _ = step;
        Ok(())
    }

    /// Moves some of the parameters; `moments` holds [`n_moments`](Self::n_moments) slices as long as `params`.
    fn update(&self, pace: Pace, params: &mut [F], grad: &[F], moments: &mut [&mut [F]]);

    /// Returns the state before the first step of `n` parameters.
    fn init(&self, n: usize) -> State<F> {
        State {
            step: 0,
            moments: vec![vec![F::ZERO; n]; self.n_moments()],
        }
    }

    /// Moves all parameters one step down the gradient of the loss.
    ///
    /// # Panics
    /// If `params`, `grad` and the state differ in length, or if [`check`](Self::check) refuses the step.
    fn step(&self, state: &mut State<F>, params: &mut [F], grad: &[F]) {
        begin(self, state, params.len(), grad.len());
        let pace = self.pace(state.step, grad);
        let mut moments: SmallVec<[&mut [F]; 2]> = state.moments.iter_mut().map(|m| m.as_mut_slice()).collect();
        self.update(pace, params, grad, &mut moments);
    }

    /// Does the same as [`step`](Self::step), to the last bit, on all threads of the current pool.
    ///
    /// # Panics
    /// If `params`, `grad` and the state differ in length, or if [`check`](Self::check) refuses the step.
    fn step_parallel(&self, state: &mut State<F>, params: &mut [F], grad: &[F]) {
        if params.len() <= CHUNK {
            return self.step(state, params, grad);
        }
        begin(self, state, params.len(), grad.len());
        let pace = self.pace(state.step, grad);
        let mut moments: Vec<SmallVec<[&mut [F]; 2]>> = params.chunks(CHUNK).map(|_| SmallVec::new()).collect();
        for moment in &mut state.moments {
            moments
                .iter_mut()
                .zip(moment.chunks_mut(CHUNK))
                .for_each(|(chunks, chunk)| chunks.push(chunk));
        }
        (params.par_chunks_mut(CHUNK), grad.par_chunks(CHUNK), moments)
            .into_par_iter()
            .for_each(|(params, grad, mut moments)| self.update(pace, params, grad, &mut moments));
    }
}

/// What all parameters share in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The number of the step, counted from 1.
    pub step: u64,
    /// The factor that shortens the gradient, 1 where nothing is clipped by norm.
    pub grad_scale: f64,
}

/// What an optimiser remembers between steps: the step counter and the running averages of each parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct State<F> {
    /// How many steps were made.
    pub step: u64,
    /// The running averages, each as long as the parameters.
    pub moments: Vec<Vec<F>>,
}

/// Begins a step.
fn begin<F: Real>(rule: &(impl Optimizer<F> + ?Sized), state: &mut State<F>, n_params: usize, n_grad: usize) {
    if let Err(error) = rule.check(state.step + 1) {
        panic!("{error}; `Optimizer::check` tells before a step");
    }
    state.advance(n_params, n_grad);
}

impl<F> State<F> {
    fn advance(&mut self, n_params: usize, n_grad: usize) {
        assert_eq!(n_params, n_grad, "the gradient must be as long as the parameters");
        for moment in &self.moments {
            assert_eq!(
                n_params,
                moment.len(),
                "the state was made for another number of parameters; call init again"
            );
        }
        self.step += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Adam, Clip, ClippedAdam, Momentum, Schedule, Sgd};

    fn slope(i: usize, x: f32) -> f32 {
        x - (i % 17) as f32 * 0.25
    }

    fn run(optimizer: &dyn Optimizer<f32>, parallel: bool) -> Vec<f32> {
        let mut params = vec![0.5_f32; 3 * CHUNK + 11];
        let mut state = optimizer.init(params.len());
        for _ in 0..5 {
            let grad: Vec<f32> = params.iter().enumerate().map(|(i, &x)| slope(i, x)).collect();
            match parallel {
                true => optimizer.step_parallel(&mut state, &mut params, &grad),
                false => optimizer.step(&mut state, &mut params, &grad),
            }
        }
        params
    }

    #[test]
    fn parallel_steps_give_the_same_bits() {
        let optimizers: [Box<dyn Optimizer<f32>>; 4] = [
            Box::new(Sgd::new(0.1)),
            Box::new(Sgd {
                momentum: Momentum::Nesterov(0.9),
                ..Sgd::new(0.1)
            }),
            Box::new(Adam::new(0.1)),
            Box::new(ClippedAdam {
                clip: Clip::Norm(3.0),
                ..ClippedAdam::new(0.1)
            }),
        ];
        for optimizer in &optimizers {
            let (one, many) = (run(optimizer.as_ref(), false), run(optimizer.as_ref(), true));
            assert!(one.iter().zip(&many).all(|(a, b)| a.to_bits() == b.to_bits()));
            assert_ne!(one[1], 0.5);
        }
    }

    #[test]
    fn a_cloned_state_continues_alike() {
        let adam = Adam::new(0.1);
        let (mut params, mut state) = ([1.0, 2.0], adam.init(2));
        adam.step(&mut state, &mut params, &[0.3, -0.2]);
        let (mut twin_params, mut twin) = (params, state.clone());
        adam.step(&mut state, &mut params, &[0.1, 0.2]);
        adam.step(&mut twin, &mut twin_params, &[0.1, 0.2]);
        assert_eq!((params, state), (twin_params, twin));
    }

    #[test]
    fn every_optimiser_follows_its_schedule() {
        let schedule = Schedule::ExponentialDecay {
            initial: 0.1,
            rate: 0.5,
            every: 1.0,
        };
        let optimizers: [(&str, Box<dyn Optimizer<f64>>); 3] = [
            ("Sgd", Box::new(Sgd::new(schedule))),
            ("Adam", Box::new(Adam::new(schedule))),
            ("ClippedAdam", Box::new(ClippedAdam::new(schedule))),
        ];
        for (name, optimizer) in optimizers {
            let (mut x, mut state, mut expected) = ([0.0], optimizer.init(1), 0.0);
            for step in 1..=6 {
                // Under a gradient of one, each step is as long as the learning rate.
                optimizer.step(&mut state, &mut x, &[1.0]);
                expected -= schedule.rate(step);
                assert!(
                    (x[0] - expected).abs() < 1e-7,
                    "{name}, step {step}: {}, expected {expected}",
                    x[0]
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "step 2 of Adam: the learning rate is +∞; it has to be a finite number from zero on")]
    fn a_step_at_no_rate_panics() {
        let adam = Adam::new(Schedule::ExponentialDecay {
            initial: 10.0,
            rate: 1e308,
            every: 1.0,
        });
        let (mut x, mut state) = ([1.0_f64], adam.init(1));
        adam.step(&mut state, &mut x, &[0.5]);
        adam.step(&mut state, &mut x, &[0.5]);
    }

    #[test]
    #[should_panic(expected = "another number of parameters")]
    fn a_state_of_another_size_panics() {
        let adam = Adam::new(0.1);
        let mut state: State<f64> = adam.init(3);
        adam.step(&mut state, &mut [1.0, 2.0], &[0.0, 0.0]);
    }
}
