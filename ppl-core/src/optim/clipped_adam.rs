//! Adam on a clipped gradient with a decaying rate, as in Pyro.

use crate::error::Result;
use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::optim::adam::{Rule, averages, bias};
use crate::optim::clip::Clip;
use crate::optim::optimizer::{Optimizer, Pace};
use crate::optim::schedule::Schedule;
use crate::optim::settings::{Range, check};

/// Adam on a clipped gradient, its rate multiplied by `decay` in each step, the first included.
///
/// Other than in [`Adam`](crate::optim::Adam), ε is added to the root of the uncorrected average:
/// x ← x − rate · decayᵗ · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).
///
/// # References
/// Bingham et al. (2019), *Pyro: deep universal probabilistic programming*; `pyro.optim.ClippedAdam`.
///
/// ```
/// use ppl_core::optim::{Clip, ClippedAdam, Optimizer};
///
/// let adam = ClippedAdam { clip: Clip::Norm(5.0), ..ClippedAdam::new(0.01) };
/// let mut x = [1.0_f32];
/// let mut state = adam.init(1);
/// adam.step(&mut state, &mut x, &[250.0]);
/// assert!((x[0] - 0.99).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedAdam {
    /// The learning rate of each step, before the decay.
    pub schedule: Schedule,
    /// The limit on the gradient.
    pub clip: Clip,
    /// The factor on the learning rate in each step, above 0 and at most 1.
    pub decay: f64,
    /// The memory of the average gradient, from 0 on and below 1.
    pub beta1: f64,
    /// The memory of the average squared gradient, from 0 on and below 1.
    pub beta2: f64,
    /// The number added to the root of the average squared gradient, from 0 on.
    pub eps: f64,
}

impl ClippedAdam {
    /// Returns Adam with this learning rate, a number or a [`Schedule`], elements cut to [−10, 10] and no decay.
    pub fn new(schedule: impl Into<Schedule>) -> Self {
        ClippedAdam {
            schedule: schedule.into(),
            clip: Clip::Value(10.0),
            decay: 1.0,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }
}

impl<F: Real> Optimizer<F> for ClippedAdam {
    fn n_moments(&self) -> usize {
        2
    }

    fn pace(&self, step: u64, grad: &[F]) -> Pace {
        Pace {
            step,
            grad_scale: self.clip.grad_scale(grad),
        }
    }

    fn check(&self, step: u64) -> Result<()> {
        let limit = match self.clip {
            Clip::Value(limit) => ("limit `clip` on elements of the gradient", limit, Range::Positive),
            Clip::Norm(limit) => ("limit `clip` on the norm of the gradient", limit, Range::Positive),
        };
        let of_adam = averages(self.beta1, self.beta2, self.eps);
        let own = [limit, ("factor `decay` on its rate", self.decay, Range::Decay)];
        check("ClippedAdam", step, of_adam.into_iter().chain(own))?;
        self.schedule.check("ClippedAdam", step)
    }

    fn update(&self, pace: Pace, params: &mut [F], grad: &[F], moments: &mut [&mut [F]]) {
        let (first, root) = bias(self.beta1, self.beta2, pace.step);
        let [m, v] = moments else {
            panic!("ClippedAdam keeps two moments; make the state with init")
        };
        let rate = self.schedule.rate(pace.step) * libm::pow(self.decay, pace.step as f64) * root / first;
        dispatch(ClippedAdamLoop {
            rule: Rule::new(self.beta1, self.beta2, rate, self.eps),
            limit: F::from_f64(self.clip.element_limit()),
            scale: F::from_f64(pace.grad_scale),
            params,
            grad,
            m,
            v,
        });
    }
}

struct ClippedAdamLoop<'a, F> {
    rule: Rule<F>,
    limit: F,
    scale: F,
    params: &'a mut [F],
    grad: &'a [F],
    m: &'a mut [F],
    v: &'a mut [F],
}

impl<F: Real> Loop for ClippedAdamLoop<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let ClippedAdamLoop {
            rule,
            limit,
            scale,
            params,
            grad,
            m,
            v,
        } = self;
        for (((x, &g), m), v) in params.iter_mut().zip(grad).zip(m).zip(v) {
            rule.apply(x, (g * scale).min(limit).max(-limit), m, v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pyro_step(t: i32, x: &mut f64, grad: f64, m: &mut f64, v: &mut f64) {
        let lr = 0.05 * 0.99_f64.powi(t);
        let grad = grad.clamp(-1.5, 1.5);
        *m = *m * 0.95 + grad * (1.0 - 0.95);
        *v = *v * 0.99 + grad * grad * (1.0 - 0.99);
        let denominator = v.sqrt() + 1e-6;
        let step_size = lr * (1.0 - 0.99_f64.powi(t)).sqrt() / (1.0 - 0.95_f64.powi(t));
        *x -= step_size * *m / denominator;
    }

    #[test]
    fn a_hundred_steps_match_the_algorithm_of_pyro() {
        let adam = ClippedAdam {
            clip: Clip::Value(1.5),
            decay: 0.99,
            beta1: 0.95,
            beta2: 0.99,
            eps: 1e-6,
            ..ClippedAdam::new(0.05)
        };
        let grad_at = |t: i32, x: f64| 3.0 * x + 2.0 * (t as f64).sin();
        let (mut got, mut state) = ([2.0], adam.init(1));
        let (mut expected, mut m, mut v) = (2.0, 0.0, 0.0);
        for t in 1..=100 {
            let grad = [grad_at(t, got[0])];
            adam.step(&mut state, &mut got, &grad);
            let grad = grad_at(t, expected);
            pyro_step(t, &mut expected, grad, &mut m, &mut v);
            assert!(
                (got[0] - expected).abs() < 1e-12,
                "step {t}: {}, expected {expected}",
                got[0]
            );
        }
    }

    #[test]
    fn moments_hold_the_clipped_gradient() {
        let rows = [(Clip::Value(1.0), [0.1, 0.1]), (Clip::Norm(1.0), [0.06, 0.08])];
        for (clip, expected) in rows {
            let adam = ClippedAdam {
                clip,
                ..ClippedAdam::new(0.1)
            };
            let mut state = adam.init(2);
            adam.step(&mut state, &mut [0.0_f64; 2], &[3.0, 4.0]);
            for (m, expected) in state.moments[0].iter().zip(expected) {
                assert!((m - expected).abs() < 1e-15, "{clip:?}: {m}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_nan_in_the_gradient_is_kept() {
        let adam = ClippedAdam::new(0.1);
        let (mut x, mut state) = ([0.0_f64], adam.init(1));
        adam.step(&mut state, &mut x, &[f64::NAN]);
        assert!(x[0].is_nan());
    }
}
