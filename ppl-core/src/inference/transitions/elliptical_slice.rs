//! Elliptical slice sampling: for targets that are near a normal distribution times something.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Combine, Phase, State, Transition};
use crate::inference::transitions::normal::NormalFactor;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Elliptical slice sampling (Murray, Adams and MacKay 2010).
///
/// The target is written as N(x; m, L Lᵀ) · r(x). A draw from the normal distribution makes an ellipse through the present
/// point, and the next point is a slice sample of r along it: there is nothing to tune, and nothing is learnt. It is exact for
/// any normal distribution, and good where r hardly narrows it: for latents with that normal prior and few data.
#[derive(Clone, Debug, PartialEq)]
pub struct EllipticalSlice {
    normal: NormalFactor,
    /// The other axis of the ellipse.
    axis: Vec<f64>,
    tried: Vec<f64>,
    whitened: Vec<f64>,
}

impl EllipticalSlice {
    /// Returns the sampler with ellipses of this distribution.
    pub fn new(normal: NormalFactor) -> Self {
        let room = vec![0.0; normal.dim()];
        EllipticalSlice {
            normal,
            axis: room.clone(),
            tried: room.clone(),
            whitened: room,
        }
    }

    /// Makes one step, and returns the number of evaluations.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut impl Rng) -> Result<usize> {
        self.normal.draw_around_zero(rng, &mut self.axis);
        let fall: f64 = Exp1.sample(rng);
        let level = state.log_density() - self.normal.ln_density(state.position(), &mut self.whitened) - fall;
        let mut angle = std::f64::consts::TAU * rng.random::<f64>();
        let (mut least, mut most) = (angle - std::f64::consts::TAU, angle);
        let mut n_evaluations = 0;
        loop {
            let (sin, cos) = angle.sin_cos();
            let points = state.position().iter().zip(self.normal.mean()).zip(&self.axis);
            for (tried, ((x, mean), axis)) in self.tried.iter_mut().zip(points) {
                *tried = mean + (x - mean) * cos + axis * sin;
            }
            let log_density = density.value(&self.tried)?;
            n_evaluations += 1;
            if log_density - self.normal.ln_density(&self.tried, &mut self.whitened) > level {
                state.move_to(&self.tried, log_density);
                return Ok(n_evaluations);
            }
            *(if angle < 0.0 { &mut least } else { &mut most }) = angle;
            angle = least + (most - least) * rng.random::<f64>();
            // Within rounding errors of the present point there may be no other.
            if angle == 0.0 || self.tried == state.position() {
                return Ok(n_evaluations);
            }
        }
    }
}

impl Transition for EllipticalSlice {
    /// Returns `n_evaluations`, the number of evaluations of the density.
    fn columns(&self) -> Vec<Column> {
        vec![Column::integer("n_evaluations", Combine::Sum)]
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        _: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        row[0] = self.transition(density, state, rng)? as f64;
        Ok(())
    }

    fn visit(&mut self, _: &mut dyn Fields) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;
    use crate::testing::resumed;

    #[test]
    fn the_target_is_invariant_for_any_normal_distribution() {
        let normals = [
            NormalFactor::standard(2),
            NormalFactor::new(vec![0.3, -1.0], vec![0.8, 0.0, -0.5, 3.0]).unwrap(),
        ];
        for (seed, normal) in (70..).zip(normals) {
            bent::check(seed, N_STARTS, &|state, rng| {
                EllipticalSlice::new(normal.clone())
                    .transition(&mut Bent, state, rng)
                    .unwrap();
            });
        }
    }

    /// The standard normal distribution in fifty dimensions.
    struct Wide;

    impl LogDensity for Wide {
        fn dim(&self) -> usize {
            50
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("an ellipse needs no gradient")
        }
    }

    #[test]
    fn a_target_that_is_the_normal_distribution_takes_one_evaluation() {
        let mut state = State::at(&mut Wide, vec![0.5; 50]).unwrap();
        let mut slice = EllipticalSlice::new(NormalFactor::standard(50));
        let mut rng = Key::new(1).generator();
        for _ in 0..100 {
            assert_eq!(slice.transition(&mut Wide, &mut state, &mut rng).unwrap(), 1);
        }
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        resumed::check(&mut || Box::new(EllipticalSlice::new(NormalFactor::standard(2))));
    }
}
