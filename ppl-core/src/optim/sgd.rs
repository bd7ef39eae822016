//! Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum.

use crate::error::Result;
use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::optim::optimizer::{Optimizer, Pace};
use crate::optim::schedule::Schedule;
use crate::optim::settings::{Range, check};

/// Stochastic gradient descent, x ← x − rate · d, where d is the gradient or a momentum.
///
/// ```
/// use ppl_core::optim::{Momentum, Optimizer, Sgd};
///
/// let sgd = Sgd { momentum: Momentum::Nesterov(0.9), ..Sgd::new(0.1) };
/// let mut x = [1.0_f64];
/// let mut state = sgd.init(1);
/// sgd.step(&mut state, &mut x, &[2.0]);
/// assert_eq!(x[0], 1.0 - 0.1 * (2.0 + 0.9 * 2.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate of each step.
    pub schedule: Schedule,
    /// What is remembered of earlier gradients.
    pub momentum: Momentum,
}

/// What gradient descent remembers of earlier gradients g: b ← μ b + g, with μ from 0 on and below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Momentum {
    /// Nothing: d = g.
    None,
    /// The momentum itself is the direction: d = b. The number is μ.
    Classical(f64),
    /// The momentum after one more step with the same gradient: d = g + μ b. The number is μ.
    Nesterov(f64),
}

impl Sgd {
    /// Returns plain descent with this learning rate, a number or a [`Schedule`].
    pub fn new(schedule: impl Into<Schedule>) -> Self {
        Sgd {
            schedule: schedule.into(),
            momentum: Momentum::None,
        }
    }
}

impl<F: Real> Optimizer<F> for Sgd {
    fn n_moments(&self) -> usize {
        match self.momentum {
            Momentum::None => 0,
            Momentum::Classical(_) | Momentum::Nesterov(_) => 1,
        }
    }

    fn check(&self, step: u64) -> Result<()> {
        if let Momentum::Classical(mu) | Momentum::Nesterov(mu) = self.momentum {
            check("Sgd", step, [("momentum", mu, Range::Memory)])?;
        }
        self.schedule.check("Sgd", step)
    }

    fn update(&self, pace: Pace, params: &mut [F], grad: &[F], moments: &mut [&mut [F]]) {
        let rate = F::from_f64(self.schedule.rate(pace.step));
        // The direction is d = along · g + across · b for both kinds of momentum.
        let (mu, along, across) = match self.momentum {
            Momentum::None => return dispatch(Plain { rate, params, grad }),
            Momentum::Classical(mu) => (F::from_f64(mu), F::ZERO, F::ONE),
            Momentum::Nesterov(mu) => (F::from_f64(mu), F::ONE, F::from_f64(mu)),
        };
        dispatch(WithMomentum {
            rate,
            mu,
            along,
            across,
            params,
            grad,
            momentum: &mut *moments[0],
        });
    }
}

struct Plain<'a, F> {
    rate: F,
    params: &'a mut [F],
    grad: &'a [F],
}

impl<F: Real> Loop for Plain<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (x, &g) in self.params.iter_mut().zip(self.grad) {
            *x -= self.rate * g;
        }
    }
}

struct WithMomentum<'a, F> {
    rate: F,
    mu: F,
    along: F,
    across: F,
    params: &'a mut [F],
    grad: &'a [F],
    momentum: &'a mut [F],
}

impl<F: Real> Loop for WithMomentum<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for ((x, &g), b) in self.params.iter_mut().zip(self.grad).zip(self.momentum) {
            *b = self.mu * *b + g;
            *x -= self.rate * (self.along * g + self.across * *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows x² / 2 from x = 1 for three steps.
    fn three_steps(sgd: Sgd) -> [f64; 3] {
        let (mut x, mut state) = ([1.0], sgd.init(1));
        std::array::from_fn(|_| {
            let grad = x;
            sgd.step(&mut state, &mut x, &grad);
            x[0]
        })
    }

    #[test]
    fn three_steps_follow_the_recursion() {
        // By hand, with rate 0.1 and mu 0.5. Classical: b = 1, 1.4, 1.46; Nesterov: b = 1, 1.35, 1.3725 and d = g + b / 2.
        let rows = [
            (Momentum::None, [0.9, 0.81, 0.729]),
            (Momentum::Classical(0.5), [0.9, 0.76, 0.614]),
            (Momentum::Nesterov(0.5), [0.85, 0.6975, 0.559125]),
        ];
        for (momentum, expected) in rows {
            let got = three_steps(Sgd {
                momentum,
                ..Sgd::new(0.1)
            });
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    (got - expected).abs() < 1e-15,
                    "{momentum:?}: {got}, expected {expected}"
                );
            }
        }
    }
}
