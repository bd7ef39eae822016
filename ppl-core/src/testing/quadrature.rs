//! Double-exponential quadrature on the supports of univariate distributions.

use std::f64::consts::FRAC_PI_2;

/// The number of intervals for a unit of the variable t.
const STEPS: f64 = 512.0;

/// The variable t runs between these bounds.
const BOUND: f64 = 4.0;

/// Points with weights: ∫ f(x) dx ≈ Σ weights f(points), with points equally spaced in t, x = x(g) and g = π/2 sinh t.
pub struct Grid {
    /// The points; none is smaller than the one before.
    pub points: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// The values of t.
    t: Vec<f64>,
    g_of_x: Box<dyn Fn(f64) -> f64>,
}

impl Grid {
    /// Keeps the points strictly between the bounds, which follow each other without a gap.
    fn new(
        (low, high): (f64, f64),
        x: impl Fn(f64) -> f64,
        slope: impl Fn(f64) -> f64,
        g_of_x: impl Fn(f64) -> f64 + 'static,
    ) -> Self {
        let (mut points, mut weights, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..=(2.0 * BOUND * STEPS) as usize {
            let t = i as f64 / STEPS - BOUND;
            let g = FRAC_PI_2 * t.sinh();
            let weight = slope(g) * FRAC_PI_2 * t.cosh() / STEPS;
            if weight > 0.0 && weight.is_finite() && x(g) > low && x(g) < high {
                points.push(x(g));
                weights.push(weight);
                kept.push(t);
            }
        }
        Grid {
            points,
            weights,
            t: kept,
            g_of_x: Box::new(g_of_x),
        }
    }

    /// All real numbers: x = sinh g.
    pub fn real_line() -> Self {
        Grid::new((-f64::INFINITY, f64::INFINITY), f64::sinh, f64::cosh, f64::asinh)
    }

    /// The numbers above zero: x = eᵍ.
    pub fn positive() -> Self {
        Grid::new((0.0, f64::INFINITY), f64::exp, f64::exp, f64::ln)
    }

    /// The numbers between two bounds: x = low + (high − low) / (1 + e^−2g).
    pub fn interval(low: f64, high: f64) -> Self {
        let width = high - low;
        Grid::new(
            (low, high),
            move |g| low + width / (1.0 + (-2.0 * g).exp()),
            move |g| 0.5 * width / g.cosh().powi(2),
            move |x| 0.5 * ((x - low) / (high - x)).ln(),
        )
    }

    /// Returns the distribution function of masses at the points, linear in t between them.
    pub fn distribution_function(&self, masses: &[f64]) -> impl Fn(f64) -> f64 {
        let mut below = 0.0;
        let cdf: Vec<f64> = masses
            .iter()
            .map(|m| {
                below += m;
                below - 0.5 * m
            })
            .collect();
        move |x| {
            let t = ((self.g_of_x)(x) / FRAC_PI_2).asinh();
            let at = ((t - self.t[0]) * STEPS).clamp(0.0, (cdf.len() - 1) as f64 - 1e-9);
            let (i, part) = (at as usize, at.fract());
            cdf[i] + part * (cdf[i + 1] - cdf[i])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_agree_with_closed_forms() {
        let integral = |grid: &Grid, f: &dyn Fn(f64) -> f64| -> f64 {
            grid.points.iter().zip(&grid.weights).map(|(&x, w)| w * f(x)).sum()
        };
        let bell = integral(&Grid::real_line(), &|x| (-x * x).exp());
        assert!((bell - std::f64::consts::PI.sqrt()).abs() < 1e-12);
        assert!((integral(&Grid::positive(), &|x| x * (-x).exp()) - 1.0).abs() < 1e-12);
        assert!((integral(&Grid::interval(1.0, 3.0), &|x| x * x) - 26.0 / 3.0).abs() < 1e-12);
    }
}
