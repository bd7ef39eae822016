//! The scaled logistic function: onto the numbers between two bounds.

use crate::bijectors::{Bijector, Sigmoid};
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::bijectors::bijector_tests;

/// x = low + (high − low) / (1 + e⁻ᶻ), elementwise; the bounds may depend on other sites.
///
/// A number as bound may be infinite: then x = low + eᶻ, x = high − e⁻ᶻ, or x = z.
#[derive(Clone, Copy, Debug)]
pub struct Interval<'t> {
    /// The lower bound.
    pub low: Var<'t>,
    /// The upper bound.
    pub high: Var<'t>,
}

impl<'t> Interval<'t> {
    /// Returns whether each bound is a number that is infinite.
    fn is_open(&self) -> (bool, bool) {
        let is = |bound: Var<'t>, number: f64| bound.as_constant() == Some(number);
        (is(self.low, -f64::INFINITY), is(self.high, f64::INFINITY))
    }
}

impl<'t> Bijector<'t> for Interval<'t> {
    fn constrain(&self, z: Var<'t>) -> Var<'t> {
        match self.is_open() {
            (false, false) => self.low + (self.high - self.low) * z.sigmoid(),
            (false, true) => self.low + z.exp(),
            (true, false) => self.high - (-z).exp(),
            (true, true) => z,
        }
    }

    /// Bounds that are no single numbers have an element for each of `x`.
    fn unconstrain(&self, x: &[f64], _: &[usize]) -> Vec<f64> {
        let of_each = |bound: Var<'t>| {
            let bound = bound.elements();
            if bound.len() == 1 {
                vec![bound[0]; x.len()]
            } else {
                bound
            }
        };
        let (low, high) = (of_each(self.low), of_each(self.high));
        assert_eq!(
            (low.len(), high.len()),
            (x.len(), x.len()),
            "bounds of another shape than the values: repeat them first"
        );
        let each = x
            .iter()
            .zip(low.iter().zip(&high))
            .map(|(&x, (&low, &high))| match self.is_open() {
                (false, false) => ((x - low) / (high - x)).ln(),
                (false, true) => (x - low).ln(),
                (true, false) => -(high - x).ln(),
                (true, true) => x,
            });
        each.collect()
    }

    /// ln ∂x/∂z = ln(high − low) + ln σ(z) + ln(1 − σ(z)), with one bound z or −z
    fn log_det(&self, z: Var<'t>, x: Var<'t>) -> Option<Var<'t>> {
        match self.is_open() {
            (false, false) => Some((self.high - self.low).ln() + Sigmoid.log_det(z, x)?),
            (false, true) => Some(z),
            (true, false) => Some(-z),
            (true, true) => None,
        }
    }
}

#[cfg(test)]
bijector_tests! {
    Interval { low: Var::constant(-2.0), high: Var::constant(0.5) }; event [2], free [0, 1];
    [0.5, -2.0], [0.0, 3.0];
    [800.0, -800.0] => 2.0 * 2.5f64.ln() - 1600.0
}

#[cfg(test)]
mod above {
    use super::*;

    bijector_tests! {
        Interval { low: Var::constant(-2.0), high: Var::constant(f64::INFINITY) }; event [2], free [0, 1];
        [0.5, -2.0], [0.0, 3.0];
        [300.0, -800.0] => -500.0
    }
}

#[cfg(test)]
mod below {
    use super::*;

    bijector_tests! {
        Interval { low: Var::constant(-f64::INFINITY), high: Var::constant(0.5) }; event [2], free [0, 1];
        [0.5, -2.0], [0.0, 3.0];
        [300.0, -800.0] => 500.0
    }
}

#[cfg(test)]
mod everywhere {
    use super::*;

    bijector_tests! {
        Interval { low: Var::constant(-f64::INFINITY), high: Var::constant(f64::INFINITY) }; event [2], free [0, 1];
        [0.5, -2.0], [0.0, 3.0];
        [300.0, -800.0] => 0.0
    }
}
