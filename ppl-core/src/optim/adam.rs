//! Adam, of Kingma and Ba (2015).

use crate::error::Result;
use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::optim::optimizer::{Optimizer, Pace};
use crate::optim::schedule::Schedule;
use crate::optim::settings::{Range, check};

/// Adam: each parameter moves by its average gradient over the root of its average squared gradient.
///
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², x ← x − rate · m̂ / (√v̂ + ε),
/// where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t, counted from 1.
///
/// # References
/// Kingma and Ba (2015), *Adam: a method for stochastic optimization*, algorithm 1.
///
/// ```
/// use ppl_core::optim::{Adam, Optimizer};
///
/// let adam = Adam { beta2: 0.99, ..Adam::new(0.01) };
/// let mut x = [1.0_f64];
/// let mut state = adam.init(1);
/// adam.step(&mut state, &mut x, &[250.0]);
/// assert!((x[0] - 0.99).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate of each step.
    pub schedule: Schedule,
    /// The memory of the average gradient, from 0 on and below 1.
    pub beta1: f64,
    /// The memory of the average squared gradient, from 0 on and below 1.
    pub beta2: f64,
    /// The number added to the root of the average squared gradient, from 0 on.
    pub eps: f64,
}

impl Adam {
    /// Returns Adam with this learning rate, a number or a [`Schedule`], and the constants of the paper.
    pub fn new(schedule: impl Into<Schedule>) -> Self {
        Adam {
            schedule: schedule.into(),
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }
}

impl<F: Real> Optimizer<F> for Adam {
    fn n_moments(&self) -> usize {
        2
    }

    fn check(&self, step: u64) -> Result<()> {
        check("Adam", step, averages(self.beta1, self.beta2, self.eps))?;
        self.schedule.check("Adam", step)
    }

    fn update(&self, pace: Pace, params: &mut [F], grad: &[F], moments: &mut [&mut [F]]) {
        // With c = √(1 − β₂ᵗ), m̂ / (√v̂ + ε) is c m / (1 − β₁ᵗ) / (√v + c ε).
        let (first, root) = bias(self.beta1, self.beta2, pace.step);
        let [m, v] = moments else {
            panic!("Adam keeps two moments; make the state with init")
        };
        let rate = self.schedule.rate(pace.step) * root / first;
        dispatch(AdamLoop {
            rule: Rule::new(self.beta1, self.beta2, rate, self.eps * root),
            params,
            grad,
            m,
            v,
        });
    }
}

/// Returns the settings of the averages with their ranges.
pub(super) fn averages(beta1: f64, beta2: f64, eps: f64) -> [(&'static str, f64, Range); 3] {
    [
        ("memory `beta1`", beta1, Range::Memory),
        ("memory `beta2`", beta2, Range::Memory),
        ("number `eps`", eps, Range::FromZero),
    ]
}

/// Returns 1 − β₁ᵗ and √(1 − β₂ᵗ).
pub(super) fn bias(beta1: f64, beta2: f64, step: u64) -> (f64, f64) {
    (
        1.0 - libm::pow(beta1, step as f64),
        (1.0 - libm::pow(beta2, step as f64)).sqrt(),
    )
}

/// The scalars of x ← x − rate · m / (√v + eps) after m and v were updated.
#[derive(Clone, Copy)]
pub(super) struct Rule<F> {
    beta1: F,
    beta2: F,
    one_minus_beta1: F,
    one_minus_beta2: F,
    rate: F,
    eps: F,
}

impl<F: Real> Rule<F> {
    pub(super) fn new(beta1: f64, beta2: f64, rate: f64, eps: f64) -> Self {
        Rule {
            beta1: F::from_f64(beta1),
            beta2: F::from_f64(beta2),
            one_minus_beta1: F::from_f64(1.0 - beta1),
            one_minus_beta2: F::from_f64(1.0 - beta2),
            rate: F::from_f64(rate),
            eps: F::from_f64(eps),
        }
    }

    #[inline(always)]
    pub(super) fn apply(&self, x: &mut F, g: F, m: &mut F, v: &mut F) {
        *m = self.beta1 * *m + self.one_minus_beta1 * g;
        *v = self.beta2 * *v + self.one_minus_beta2 * g * g;
        *x -= self.rate * *m / (v.sqrt() + self.eps);
    }
}

struct AdamLoop<'a, F> {
    rule: Rule<F>,
    params: &'a mut [F],
    grad: &'a [F],
    m: &'a mut [F],
    v: &'a mut [F],
}

impl<F: Real> Loop for AdamLoop<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let AdamLoop {
            rule,
            params,
            grad,
            m,
            v,
        } = self;
        for (((x, &g), m), v) in params.iter_mut().zip(grad).zip(m).zip(v) {
            rule.apply(x, g, m, v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradient of a bumpy bowl that also depends on the step.
    fn grad_at(t: usize, x: &[f64]) -> Vec<f64> {
        x.iter()
            .enumerate()
            .map(|(i, x)| (i as f64 + 1.0) * x + (t as f64 * 0.7 + i as f64).sin())
            .collect()
    }

    #[test]
    fn a_hundred_steps_match_the_paper() {
        let adam = Adam::new(0.05);
        let start = [1.0, -2.0, 0.5, 3.0, 0.0];
        let (mut got, mut state) = (start, adam.init(5));
        let (mut expected, mut m, mut v) = (start, [0.0; 5], [0.0; 5]);
        for t in 1..=100 {
            let grad = grad_at(t, &got);
            adam.step(&mut state, &mut got, &grad);
            let grad = grad_at(t, &expected);
            for i in 0..5 {
                m[i] = 0.9 * m[i] + 0.1 * grad[i];
                v[i] = 0.999 * v[i] + 0.001 * grad[i].powi(2);
                let m_hat: f64 = m[i] / (1.0 - 0.9_f64.powi(t as i32));
                let v_hat: f64 = v[i] / (1.0 - 0.999_f64.powi(t as i32));
                expected[i] -= 0.05 * m_hat / (v_hat.sqrt() + 1e-8);
            }
            for i in 0..5 {
                assert!(
                    (got[i] - expected[i]).abs() < 1e-12,
                    "step {t}: {} for {}",
                    got[i],
                    expected[i]
                );
            }
        }
    }

    #[test]
    fn the_first_step_has_the_length_of_the_rate() {
        let adam = Adam::new(0.1);
        let (mut x, mut state) = ([0.0_f64; 3], adam.init(3));
        adam.step(&mut state, &mut x, &[1e-3, -5.0, 0.0]);
        let expected = [-0.1 * 1e-3 / (1e-3 + 1e-8), 0.1 * 5.0 / (5.0 + 1e-8), 0.0];
        for (x, expected) in x.iter().zip(expected) {
            assert!((x - expected).abs() < 1e-14, "{x}, expected {expected}");
        }
    }

    #[test]
    fn reaches_the_minimum_of_a_quadratic_in_both_scalar_types() {
        fn run<F: Real>() -> Vec<f64> {
            let adam = Adam::new(Schedule::ExponentialDecay {
                initial: 0.1,
                rate: 0.1,
                every: 400.0,
            });
            let mut x = vec![F::ZERO; 4];
            let mut state = adam.init(4);
            for _ in 0..2000 {
                let grad: Vec<F> = (0..4)
                    .map(|i| F::from_f64(10_f64.powi(i)) * (x[i as usize] - F::ONE))
                    .collect();
                adam.step(&mut state, &mut x, &grad);
            }
            x.into_iter().map(F::to_f64).collect()
        }
        for x in run::<f64>().into_iter().chain(run::<f32>()) {
            assert!((x - 1.0).abs() < 1e-6, "stopped at {x}, minimum at 1");
        }
    }
}
