//! A target for the law of transitions: exact draws are easy, and its shape is not.

use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::transition::State;
use crate::log_density::LogDensity;
use crate::math::erf::ndtr;
use crate::rng::Generator;
use crate::testing::invariance::check_functions;

/// A normal x₀ and x₁ = 2 ε − x₀², whose dynamics are not linear.
pub(crate) struct Bent;

impl LogDensity for Bent {
    fn dim(&self) -> usize {
        2
    }

    fn value(&mut self, x: &[f64]) -> Result<f64> {
        let bend = (x[1] + x[0] * x[0]) / 2.0;
        Ok(-0.5 * (x[0] * x[0] + bend * bend))
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let bend = (x[1] + x[0] * x[0]) / 2.0;
        gradient[0] = -x[0] - bend * x[0];
        gradient[1] = -bend / 2.0;
        self.value(x)
    }
}

impl Bent {
    /// Returns an exact draw.
    pub(crate) fn draw(rng: &mut Generator) -> State {
        let (a, b): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
        State::at(&mut Bent, vec![a, 2.0 * b - a * a]).expect("the density is known everywhere")
    }
}

/// Returns x₀ and ε, which are standard normal, and their squared radius, which is exponential with mean two.
pub(crate) fn functions(state: &State) -> [f64; 3] {
    let x = state.position();
    let noise = (x[1] + x[0] * x[0]) / 2.0;
    [x[0], noise, x[0] * x[0] + noise * noise]
}

/// Makes a step from exact draws, and checks that neither coordinate nor the radius moves.
pub(crate) fn check(seed: u64, n_starts: usize, step: &dyn Fn(&mut State, &mut Generator)) {
    let radius = |r: f64| -(-r / 2.0).exp_m1();
    let start_and_step = |rng: &mut Generator| {
        let mut state = Bent::draw(rng);
        step(&mut state, rng);
        functions(&state)
    };
    check_functions(seed, n_starts, start_and_step, [&ndtr, &ndtr, &radius]);
}
