//! A step size by dual averaging.

use crate::inference::persist::Fields;

/// Where the average is pulled to, in powers of the step size that it starts from: it is cheaper to try steps that are too
/// long.
const PULL: f64 = 10.0;
/// How strongly it is pulled there.
const GAMMA: f64 = 0.05;
/// How much the first steps count.
const T0: f64 = 10.0;
/// How fast early steps are forgotten by the average.
const KAPPA: f64 = 0.75;

/// Finds the step size ε whose mean acceptance is a target (Hoffman and Gelman 2014, section 3.2, with their constants).
///
/// ln εₙ = ln(10 ε₀) − √n / γ · H̄ₙ, where H̄ₙ is the average of target − acceptance in which step n has the weight
/// 1 / (n + t₀). After the warm-up the step size is the average of ln εₙ in which step n has the weight n^−κ.
#[derive(Clone, Debug, PartialEq)]
pub struct DualAveraging {
    /// The acceptance to be met.
    target: f64,
    /// ln(10 ε₀).
    centre: f64,
    n: f64,
    /// H̄, by how much acceptance has missed the target.
    miss: f64,
    ln_average: f64,
}

impl DualAveraging {
    /// Returns an adapter with a target between zero and one, starting from a step size.
    pub fn new(target: f64, step_size: f64) -> Self {
        DualAveraging {
            target,
            centre: (PULL * step_size).ln(),
            n: 0.0,
            miss: 0.0,
            ln_average: step_size.ln(),
        }
    }

    /// Begins anew from a step size, as after a change of the metric.
    pub fn restart(&mut self, step_size: f64) {
        *self = DualAveraging::new(self.target, step_size);
    }

    /// Returns the next step size after a step that was accepted with this probability.
    pub fn next(&mut self, acceptance_rate: f64) -> f64 {
        self.n += 1.0;
        let weight = 1.0 / (self.n + T0);
        self.miss += weight * (self.target - acceptance_rate - self.miss);
        let ln_step = self.centre - self.n.sqrt() / GAMMA * self.miss;
        self.ln_average += self.n.powf(-KAPPA) * (ln_step - self.ln_average);
        ln_step.exp()
    }

    /// Returns the average step size, that of the draws after the warm-up.
    pub fn average(&self) -> f64 {
        self.ln_average.exp()
    }

    /// Shows what has been learnt.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("target", &mut self.target);
        fields.number("centre", &mut self.centre);
        fields.number("n", &mut self.n);
        fields.number("miss", &mut self.miss);
        fields.number("ln_average", &mut self.ln_average);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_settles_where_acceptance_meets_the_target() {
        // A chain whose acceptance is 1 / (1 + ε²) accepts 80 % at ε = 1/2.
        let mut adapter = DualAveraging::new(0.8, 20.0);
        let mut step_size = 20.0;
        for _ in 0..3000 {
            step_size = adapter.next(1.0 / (1.0 + step_size * step_size));
        }
        assert!((adapter.average() - 0.5).abs() < 5e-3, "{}", adapter.average());
    }

    #[test]
    fn the_first_steps_are_those_of_the_recursion() {
        let mut adapter = DualAveraging::new(0.8, 0.1);
        // By hand: ln ε₁ = ln 1 − 1/0.05 · (0.8 − 0.5)/11, and the average is ε₁.
        let first = (-20.0 * 0.3 / 11.0_f64).exp();
        assert!((adapter.next(0.5) - first).abs() < 1e-15);
        assert!((adapter.average() - first).abs() < 1e-15);
        // ln ε₂ = −√2/0.05 · (0.3/11 + (−0.1 − 0.3/11)/12).
        let second = (-20.0 * 2.0_f64.sqrt() * (0.3 / 11.0 + (-0.1 - 0.3 / 11.0) / 12.0)).exp();
        assert!((adapter.next(0.9) - second).abs() < 1e-15);
    }
}
