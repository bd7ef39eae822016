//! The checks behind `dist_tests!`: fused terms, borders, quadrature, goodness of fit of draws and of their derivatives.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::ops::sum::SumTerm;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use crate::testing::op_check::compare;
use crate::testing::quadrature::Grid;

/// A distribution as functions of its parameters.
pub struct Laws {
    /// Adds 1.5 times the log density to the density of the tape.
    pub term: for<'t> fn(&'t Tape, &[Var<'t>], Var<'t>),
    /// Returns the log density of each element.
    pub each: for<'t> fn(&[Var<'t>], Var<'t>) -> Var<'t>,
    /// Draws.
    pub draw: for<'t> fn(&Noise<'t>, &[Var<'t>]) -> Var<'t>,
    /// Returns support, mean and variance.
    pub facts: for<'t> fn(&'t Tape, &[Var<'t>]) -> (Support<'t>, Var<'t>, Var<'t>),
    /// Whether values are isolated.
    pub is_discrete: bool,
}

/// How many draws a sampler is tested with.
const N_DRAWS: usize = 100_000;

/// The probability with which a right sampler fails, at most.
const FALSE_ALARM: f64 = 1e-6;

fn tape() -> Tape {
    Tape::new(Precision::F64, Key::new(20))
}

/// Puts parameters onto a tape, each as `n` equal elements, or as a number if `n` is zero.
fn inputs<'t>(tape: &'t Tape, params: &[f64], n: usize) -> Vec<Var<'t>> {
    let event: &[usize] = if n == 0 { &[] } else { &[n] };
    let len = n.max(1);
    let put = |(k, &p): (usize, &f64)| tape.input(k * len, &[], event, &vec![p; len], false);
    params.iter().enumerate().map(put).collect()
}

impl Laws {
    /// Returns the log density of numbers.
    fn log_probs(&self, params: &[f64], x: &[f64]) -> Vec<f64> {
        let tape = tape();
        let x = tape.input(0, &[], &[x.len()], x, self.is_discrete);
        let params: Vec<_> = params.iter().map(|&p| Var::constant(p)).collect();
        (self.each)(&params, x).elements()
    }

    /// Returns draws, and the derivatives of each by its own copy of each parameter.
    fn draws(&self, params: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let tape = tape();
        let params = inputs(&tape, params, N_DRAWS);
        let at = Noise {
            tape: &tape,
            stream: 7,
            dims: Default::default(),
            event: Shape::from_slice(&[N_DRAWS]),
        };
        let x = (self.draw)(&at, &params);
        tape.term(SumTerm::DEF, &[x], &[], 0, 1.0, 0);
        (x.elements(), gradient(&tape))
    }

    /// Returns points with their probabilities, and those of a continuous distribution as the grid they lie on.
    fn masses(&self, params: &[f64]) -> (Vec<f64>, Vec<f64>, Option<Grid>) {
        let tape = tape();
        let vars: Vec<_> = params.iter().map(|&p| Var::constant(p)).collect();
        let grid = match (self.facts)(&tape, &vars).0 {
            Support::Real => Grid::real_line(),
            Support::Positive => Grid::positive(),
            Support::UnitInterval => Grid::interval(0.0, 1.0),
            Support::Interval(low, high) => Grid::interval(low.value(), high.value()),
            Support::Boolean => return self.counted(params, 2),
            Support::Count(Some(n)) => return self.counted(params, n.value() as usize + 1),
            Support::Count(None) => return self.counted(params, 10_000),
            other => panic!("no quadrature on {other:?}"),
        };
        let log_probs = self.log_probs(params, &grid.points);
        let masses = grid.weights.iter().zip(log_probs).map(|(w, l)| w * l.exp()).collect();
        (grid.points.clone(), masses, Some(grid))
    }

    fn counted(&self, params: &[f64], n: usize) -> (Vec<f64>, Vec<f64>, Option<Grid>) {
        let points: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let masses = self.log_probs(params, &points).into_iter().map(f64::exp).collect();
        (points, masses, None)
    }

    /// Returns the expectation of a function.
    fn expectation(&self, params: &[f64], f: impl Fn(f64) -> f64) -> f64 {
        let (points, masses, _) = self.masses(params);
        points.iter().zip(masses).map(|(&x, m)| m * f(x)).sum()
    }
}

/// Checks the fused sum against the elements, value and gradient, for vectors and for numbers as parameters.
pub fn the_term_is_the_sum_of_the_elements(laws: &Laws, points: &[Vec<f64>]) {
    for at in 0..points.len() {
        for n in [0, 1, 3, 41] {
            // Either all points with the parameters of one, or each with its own.
            let len = n.max(1) * points.len();
            let x: Vec<f64> = (0..len)
                .map(|i| points[if n == 0 { at } else { i % points.len() }][0])
                .collect();
            let run = |fused: bool| {
                let tape = tape();
                let mut start = len;
                let value = tape.input(0, &[], &[len], &x, laws.is_discrete);
                let mut params = Vec::new();
                let n_params = points[0].len() - 1;
                for k in 0..n_params {
                    let own: Vec<f64> = match n {
                        0 => vec![points[at][k + 1]],
                        _ => (0..len).map(|i| points[i % points.len()][k + 1]).collect(),
                    };
                    let event: &[usize] = if n == 0 { &[] } else { &[len] };
                    params.push(tape.input(start, &[], event, &own, false));
                    start += own.len();
                }
                if fused {
                    (laws.term)(&tape, &params, value);
                } else {
                    tape.term(SumTerm::DEF, &[(laws.each)(&params, value)], &[], 0, 1.5, 0);
                }
                (tape.log_density(), gradient(&tape))
            };
            let ((fused, d_fused), (sum, d_sum)) = (run(true), run(false));
            compare("the fused term and the sum", &[fused], &[sum], 1e-12, 1.0, &[]);
            compare("their gradients", &d_fused, &d_sum, 1e-11, 1.0, &[]);
        }
    }
}

/// Checks values outside of the support.
pub fn minus_infinity_outside_of_the_support(laws: &Laws, params: &[f64], outside: &[f64]) {
    for (x, log_prob) in outside.iter().zip(laws.log_probs(params, outside)) {
        assert_eq!(log_prob, f64::NEG_INFINITY, "at {x} with parameters {params:?}");
    }
    assert!(
        laws.log_probs(params, &[f64::NAN])[0].is_nan(),
        "a value that is not a number"
    );
}

/// Checks parameters that are not allowed.
pub fn bad_parameters_are_not_a_number(laws: &Laws, x: f64, bad: &[Vec<f64>]) {
    for params in bad {
        let got = laws.log_probs(params, &[x])[0];
        assert!(got.is_nan(), "the log density is {got} for parameters {params:?}");
    }
}

/// Checks the integral of the density, and finite moments against integrals.
pub fn total_mass_is_one_and_moments_are_integrals(laws: &Laws, draws: &[Vec<f64>]) {
    for params in draws {
        let total = laws.expectation(params, |_| 1.0);
        assert!(
            (total - 1.0).abs() < 1e-5,
            "the mass is {total} for parameters {params:?}"
        );
        let tape = tape();
        let vars: Vec<_> = params.iter().map(|&p| Var::constant(p)).collect();
        let (_, mean, variance) = (laws.facts)(&tape, &vars);
        let (mean, variance) = (mean.value(), variance.value());
        if mean.is_finite() && variance.is_finite() {
            let want_mean = laws.expectation(params, |x| x);
            let want_variance = laws.expectation(params, |x| (x - mean).powi(2));
            compare("the mean and its integral", &[mean], &[want_mean], 1e-4, 1.0, &[]);
            compare(
                "the variance and its integral",
                &[variance],
                &[want_variance],
                1e-4,
                1.0,
                &[],
            );
        }
    }
}

/// Checks draws against the density: Kolmogorov–Smirnov, or Pearson's chi-square for counts.
pub fn draws_follow_the_density(laws: &Laws, draws: &[Vec<f64>]) {
    for params in draws {
        let (mut x, _) = laws.draws(params);
        let (_, masses, grid) = laws.masses(params);
        let p_value = match grid {
            Some(grid) => kolmogorov_smirnov(&mut x, grid.distribution_function(&masses)),
            None => pearson(&x, &masses),
        };
        assert!(p_value > FALSE_ALARM, "p = {p_value:e} for parameters {params:?}");
    }
}

/// Returns the p-value of draws against a distribution function (Kolmogorov's asymptotic series).
pub fn kolmogorov_smirnov(x: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    x.sort_unstable_by(f64::total_cmp);
    let n = x.len() as f64;
    let distance = x.iter().enumerate().fold(0.0, |d: f64, (i, &x)| {
        let f = cdf(x);
        d.max((f - i as f64 / n).abs()).max((f - (i + 1) as f64 / n).abs())
    });
    let term = |k: i32| 2.0 * if k % 2 == 1 { 1.0 } else { -1.0 } * (-2.0 * (k as f64 * distance).powi(2) * n).exp();
    if distance * n.sqrt() < 0.3 {
        1.0
    } else {
        (1..100).map(term).sum()
    }
}

/// Returns the p-value of counts against probabilities; rare values are taken together.
fn pearson(x: &[f64], masses: &[f64]) -> f64 {
    let mut counts = vec![0.0; masses.len()];
    x.iter().for_each(|&x| counts[x as usize] += 1.0);
    let (mut statistic, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    for (count, mass) in counts.iter().zip(masses) {
        let expected = mass * x.len() as f64;
        if expected < 20.0 {
            rare = (rare.0 + count, rare.1 + expected);
        } else {
            statistic += (count - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if rare.1 >= 1.0 {
        statistic += (rare.0 - rare.1).powi(2) / rare.1;
        cells += 1;
    } else {
        assert!(rare.0 < 20.0, "{} draws of values that hardly occur", rare.0);
    }
    if cells < 2 {
        return 1.0;
    }
    let law = ChiSquared::new((cells - 1) as f64).expect("there are degrees of freedom");
    law.sf(statistic)
}

/// Checks the derivatives of draws: the mean of f′(x) ∂x/∂θ is the derivative of the expectation of f, for the bounded
/// f(x) = x / (1 + |x|). Draws without derivatives have none at all.
pub fn derivatives_of_draws_move_expectations(laws: &Laws, draws: &[Vec<f64>]) {
    for params in draws {
        let (x, slopes) = laws.draws(params);
        if laws.is_discrete {
            assert!(slopes.iter().all(|&s| s == 0.0), "a discrete draw has a derivative");
            continue;
        }
        for (k, slopes) in slopes.chunks_exact(N_DRAWS).enumerate() {
            let moved = |by: f64| {
                let mut params = params.clone();
                params[k] += by;
                laws.expectation(&params, |x| x / (1.0 + x.abs()))
            };
            let h = 1e-2 * params[k].abs().clamp(1e-2, 1.0);
            let want = (8.0 * (moved(h) - moved(-h)) - (moved(2.0 * h) - moved(-2.0 * h))) / (12.0 * h);
            let parts = || x.iter().zip(slopes).map(|(x, s)| s / (1.0 + x.abs()).powi(2));
            let mean = parts().sum::<f64>() / N_DRAWS as f64;
            let variance = parts().map(|p| (p - mean).powi(2)).sum::<f64>() / N_DRAWS as f64;
            let error = (variance / N_DRAWS as f64).sqrt();
            // Five standard errors, and what the quadrature leaves where the density has a kink.
            assert!(
                (mean - want).abs() < 5.0 * error + 1e-4,
                "by parameter {k} of {params:?}: {mean} ± {error}, the expectation moves by {want}"
            );
        }
    }
}
