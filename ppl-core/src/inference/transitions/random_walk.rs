//! Random-walk Metropolis: coordinates move together along a covariance that the warm-up learns.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::adapt::scale::ScaleAdapter;
use crate::inference::adapt::welford::Covariance;
use crate::inference::adapt::windows::Windows;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, MhInfo, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// The proposal new = old + scale · L ε with standard normal ε, on some of the coordinates.
///
/// The warm-up finds the scale by acceptance, and the covariance L Lᵀ in windows ([`Windows::of_random_walk`]).
#[derive(Clone, Debug, PartialEq)]
pub struct RandomWalk {
    /// The coordinates that move.
    coordinates: Vec<usize>,
    /// The lower triangle L of a covariance L Lᵀ, row by row: `[d, d]`.
    factor: Vec<f64>,
    scale: f64,
    scale_adapter: ScaleAdapter,
    window: Covariance,
}

impl RandomWalk {
    /// Returns a walk along the identity.
    pub fn new(coordinates: Vec<usize>) -> Self {
        let d = coordinates.len();
        let mut factor = vec![0.0; d * d];
        (0..d).for_each(|i| factor[i * d + i] = 1.0);
        RandomWalk {
            scale: initial_scale(d),
            scale_adapter: ScaleAdapter::new(d),
            window: Covariance::new(d),
            coordinates,
            factor,
        }
    }

    /// Makes one step and learns nothing.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition<R: Rng>(
        &self,
        density: &mut (impl LogDensity + ?Sized),
        state: &mut State,
        rng: &mut R,
    ) -> Result<MhInfo> {
        state.propose(density, rng, |_, proposed, rng| {
            let d = self.coordinates.len();
            // Column by column, so that each normal number is drawn once and none is stored.
            for k in 0..d {
                let noise: f64 = StandardNormal.sample(rng);
                for i in k..d {
                    proposed[self.coordinates[i]] += self.scale * self.factor[i * d + k] * noise;
                }
            }
            0.0
        })
    }

    /// Learns from a step of the warm-up.
    fn learn(&mut self, info: MhInfo, position: &[f64], step: usize, of: usize) {
        self.scale = self.scale_adapter.next(self.scale, info.acceptance_rate);
        let windows = Windows::of_random_walk(of);
        if windows.holds(step) {
            self.window.add(|i| position[self.coordinates[i]]);
        }
        if !windows.end_at(step) {
            return;
        }
        if let Some(factor) = factor_of(&self.window) {
            self.factor = factor;
            self.scale = initial_scale(self.coordinates.len());
            self.scale_adapter.restart();
        }
        self.window.restart();
    }
}

impl Transition for RandomWalk {
    fn columns(&self) -> Vec<Column> {
        vec![Column::acceptance_rate(), Column::step_size()]
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        let info = self.transition(density, state, rng)?;
        row.copy_from_slice(&[info.acceptance_rate, self.scale]);
        if let Phase::Warmup { step, of } = phase {
            self.learn(info, state.position(), step, of);
        }
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.numbers("factor", &mut self.factor);
        fields.number("scale", &mut self.scale);
        fields.part("scale_adapter", &mut |fields| self.scale_adapter.visit(fields));
        fields.part("window", &mut |fields| self.window.visit(fields));
    }
}

/// Returns 2.38 / √d, the best scale for a walk along the covariance of a normal target of many dimensions (Gelman,
/// Roberts and Gilks 1996).
fn initial_scale(dim: usize) -> f64 {
    2.38 / (dim as f64).sqrt()
}

/// Returns the Cholesky factor of the covariance of a window, shrunk as far as its length demands; `None` if it has none.
///
/// Correlations are multiplied by n / (n + 4 d²): a random walk needs some 4 d steps for an independent draw, and a
/// correlation matrix some d of those. Variances are mixed with 1/1000, which counts for five draws, as in Stan.
pub(crate) fn factor_of(window: &Covariance) -> Option<Vec<f64>> {
    let (d, n) = (window.dim(), window.n());
    if n < 2.0 {
        return None;
    }
    let keep = n / (n + 4.0 * (d * d) as f64);
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let s = window.get(i, j);
            let shrunk = if i == j { s } else { keep * s };
            covariance[i * d + j] = (n * shrunk + if i == j { 5e-3 } else { 0.0 }) / (n + 5.0);
        }
    }
    cholesky(covariance, d)
}

/// Returns the lower Cholesky factor of a matrix given by its lower triangle, or `None` if it is not positive definite.
pub(crate) fn cholesky(mut a: Vec<f64>, d: usize) -> Option<Vec<f64>> {
    for i in 0..d {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * d + k] * a[j * d + k]).sum();
            let rest = a[i * d + j] - dot;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                a[i * d + i] = rest.sqrt();
            } else {
                a[i * d + j] = rest / a[j * d + j];
                a[j * d + i] = 0.0;
            }
        }
    }
    Some(a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::erf::ndtr;
    use crate::testing::invariance::check_continuous;

    /// A normal distribution with standard deviations 1 and 3 and correlation 0.8.
    struct Tilted;

    impl LogDensity for Tilted {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            let (a, b) = (x[0], (x[1] / 3.0 - 0.8 * x[0]) / 0.6);
            Ok(-0.5 * (a * a + b * b))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a random walk needs no gradient")
        }
    }

    /// Draws from the target, makes a step along another covariance, and returns the state.
    fn step(rng: &mut impl Rng, coordinates: Vec<usize>) -> State {
        let (a, b): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
        let mut state = State::at(&mut Tilted, vec![a, 3.0 * (0.8 * a + 0.6 * b)]).unwrap();
        let walk = RandomWalk {
            factor: match coordinates.len() {
                1 => vec![2.0],
                _ => vec![1.0, 0.0, -0.5, 2.0],
            },
            scale: 0.9,
            ..RandomWalk::new(coordinates)
        };
        walk.transition(&mut Tilted, &mut state, rng).unwrap();
        state
    }

    #[test]
    fn the_target_is_invariant() {
        check_continuous(1, |rng| step(rng, vec![0, 1]).position()[0], ndtr);
        check_continuous(2, |rng| step(rng, vec![0, 1]).position()[1], |x| ndtr(x / 3.0));
        check_continuous(3, |rng| step(rng, vec![1]).position()[1], |x| ndtr(x / 3.0));
        // The radius notices a wrong spread: minus the log density is exponential in two dimensions.
        check_continuous(4, |rng| -step(rng, vec![0, 1]).log_density(), |r| -(-r).exp_m1());
    }

    /// Makes the steps of a warm-up that goes where `draw` says.
    fn learn(draw: impl Fn(usize) -> [f64; 2]) -> RandomWalk {
        let mut walk = RandomWalk::new(vec![0, 1]);
        let info = MhInfo {
            acceptance_rate: 0.234,
            is_accepted: true,
        };
        (0..1000).for_each(|step| walk.learn(info, &draw(step), step, 1000));
        walk
    }

    #[test]
    fn the_factor_is_that_of_the_last_window_alone() {
        // The early draws lie elsewhere and must be forgotten; the last window holds 450 draws on an ellipse.
        let walk = learn(|step| {
            let angle = step as f64 * 0.7;
            let shift = if step < 450 { 1e3 } else { 0.0 };
            [shift + angle.cos(), shift + 2.0 * angle.cos() + angle.sin()]
        });
        // On the circle both squares have mean 1/2: the covariance is [[1/2, 1], [1, 5/2]], correlations shrunk.
        let (factor, keep) = (&walk.factor, 450.0 / (450.0 + 16.0));
        let products = [
            factor[0] * factor[0],
            factor[0] * factor[2],
            factor[2].powi(2) + factor[3].powi(2),
        ];
        for (got, expected) in products.into_iter().zip([0.5, keep, 2.5]) {
            assert!((got - expected).abs() < 0.02 * expected, "{got} for {expected}");
        }
        assert_eq!(factor[1], 0.0);
    }

    #[test]
    fn draws_after_the_warm_up_teach_nothing() {
        let mut walk = RandomWalk::new(vec![0, 1]);
        let mut state = State::at(&mut Tilted, vec![0.0, 0.0]).unwrap();
        let (mut rng, mut row) = (crate::rng::Key::new(1).generator(), [0.0; 2]);
        for _ in 0..1000 {
            walk.step(&mut Tilted, &mut state, Phase::Sampling, &mut rng, &mut row)
                .unwrap();
        }
        assert_eq!(walk, RandomWalk::new(vec![0, 1]));
    }
}
