//! Learning rates as a function of the step.

use std::f64::consts::PI;

use crate::error::Result;
use crate::optim::settings::{Range, check};

/// The learning rate of each step; a plain number is a constant rate.
///
/// A rate is a finite number from zero on. Another one is found at the step that would take it, by
/// [`Optimizer::check`](crate::optim::Optimizer::check).
///
/// ```
/// use ppl_core::optim::Schedule;
///
/// let halving = Schedule::ExponentialDecay { initial: 0.1, rate: 0.5, every: 100.0 };
/// assert_eq!(halving.rate(1), 0.1);
/// assert_eq!(halving.rate(101), 0.05);
/// assert_eq!(Schedule::from(0.1).rate(1_000), 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The same rate in each step.
    Constant(f64),
    /// initial · rate^((step − 1) / every): the learning rate falls to `rate` times its value every `every` steps.
    ExponentialDecay {
        /// The learning rate of the first step.
        initial: f64,
        /// The factor that `every` steps apply.
        rate: f64,
        /// The number of steps in which the factor is applied once.
        every: f64,
    },
    /// last + (initial − last) · (1 + cos(π (step − 1) / n_steps)) / 2, and `last` from then on.
    Cosine {
        /// The learning rate of the first step.
        initial: f64,
        /// The learning rate after `n_steps` steps.
        last: f64,
        /// The number of steps of the descent.
        n_steps: u64,
    },
}

impl Schedule {
    /// Returns the learning rate of a step, counted from 1.
    pub fn rate(&self, step: u64) -> f64 {
        let done = step.saturating_sub(1);
        match *self {
            Schedule::Constant(rate) => rate,
            Schedule::ExponentialDecay { initial, rate, every } => initial * libm::pow(rate, done as f64 / every),
            Schedule::Cosine { last, n_steps, .. } if done >= n_steps => last,
            Schedule::Cosine { initial, last, n_steps } => {
                last + (initial - last) * 0.5 * (1.0 + libm::cos(PI * done as f64 / n_steps as f64))
            }
        }
    }

    /// Refuses a learning rate of an optimiser that is negative or not finite, and numbers that lead to one.
    pub(super) fn check(&self, optimizer: &str, step: u64) -> Result<()> {
        if let Schedule::ExponentialDecay { rate, every, .. } = *self {
            let factor = ("factor `rate` of its schedule", rate, Range::FromZero);
            check(
                optimizer,
                step,
                [
                    factor,
                    ("number of steps `every` of its schedule", every, Range::Positive),
                ],
            )?;
        }
        check(optimizer, step, [("learning rate", self.rate(step), Range::FromZero)])
    }
}

impl From<f64> for Schedule {
    /// A constant rate.
    fn from(rate: f64) -> Self {
        Schedule::Constant(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_their_formulas() {
        let decay = Schedule::ExponentialDecay {
            initial: 0.01,
            rate: 0.1,
            every: 50.0,
        };
        let cosine = Schedule::Cosine {
            initial: 1.0,
            last: 0.2,
            n_steps: 8,
        };
        let rows = [
            (Schedule::from(0.3), 1, 0.3),
            (Schedule::from(0.3), 10_000, 0.3),
            (decay, 1, 0.01),
            (decay, 26, 0.01 * 0.1_f64.sqrt()),
            (decay, 51, 0.001),
            (decay, 101, 0.0001),
            (cosine, 1, 1.0),
            (cosine, 3, 0.2 + 0.4 * (1.0 + 0.5_f64.sqrt())),
            (cosine, 5, 0.6),
            (cosine, 9, 0.2),
            (cosine, 13, 0.2),
        ];
        for (schedule, step, expected) in rows {
            let got = schedule.rate(step);
            assert!(
                (got - expected).abs() < 1e-15,
                "{schedule:?} at step {step}: {got}, expected {expected}"
            );
        }
    }
}
