//! Independence Metropolis–Hastings: proposals from a normal distribution that is given or fitted in the warm-up.

use crate::error::{Error, Result};
use crate::inference::adapt::welford::Covariance;
use crate::inference::adapt::windows::Windows;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, MhInfo, Phase, State, Transition};
use crate::inference::transitions::normal::NormalFactor;
use crate::inference::transitions::random_walk::factor_of;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Metropolis–Hastings with proposals that do not depend on the present point: new = m + L ε with standard normal ε.
///
/// It is accepted with probability min(1, p(new) q(old) / (p(old) q(new))), so that draws are nearly independent where q is
/// near p. Where the tails of p are heavier than those of q, a chain stays in them for long.
pub struct Independence {
    normal: NormalFactor,
    fit: Option<Fit>,
    whitened: Vec<f64>,
    shift: Vec<f64>,
}

/// What the normal distribution is fitted from.
struct Fit {
    /// The transition that makes the way in the warm-up.
    explorer: Box<dyn Transition>,
    /// What the explorer tells of itself, which nobody reads.
    row: Vec<f64>,
    window: Covariance,
    is_fitted: bool,
}

impl Independence {
    /// Returns the transition with proposals from a known distribution; nothing is learnt.
    pub fn new(normal: NormalFactor) -> Self {
        let room = vec![0.0; normal.dim()];
        Independence {
            normal,
            fit: None,
            whitened: room.clone(),
            shift: room,
        }
    }

    /// Returns the transition in `dim` dimensions that fits the mean and the covariance of its proposals to the points where
    /// `explorer` goes in the warm-up, in the windows of Stan ([`Windows::of_stan`]).
    pub fn fitted(dim: usize, explorer: Box<dyn Transition>) -> Self {
        Independence {
            fit: Some(Fit {
                row: vec![0.0; explorer.columns().len()],
                explorer,
                window: Covariance::new(dim),
                is_fitted: false,
            }),
            ..Independence::new(NormalFactor::standard(dim))
        }
    }

    /// Makes one step and learns nothing.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn transition(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        rng: &mut Generator,
    ) -> Result<MhInfo> {
        let (normal, whitened, shift) = (&self.normal, &mut self.whitened, &mut self.shift);
        state.propose(density, rng, |old, new, rng| {
            normal.draw_around_zero(rng, shift);
            for ((x, mean), shift) in new.iter_mut().zip(normal.mean()).zip(&*shift) {
                *x = mean + shift;
            }
            normal.ln_density(old, whitened) - normal.ln_density(new, whitened)
        })
    }
}

impl Fit {
    /// Returns the distribution of a window at its end.
    fn learn(&mut self, position: &[f64], step: usize, of: usize) -> Option<NormalFactor> {
        let windows = Windows::of_stan(of);
        if windows.holds(step) {
            self.window.add(|i| position[i]);
        }
        if !windows.end_at(step) {
            return None;
        }
        let mean = self.window.mean().to_vec();
        let normal = factor_of(&self.window).and_then(|factor| NormalFactor::new(mean, factor).ok());
        self.window.restart();
        self.is_fitted |= normal.is_some();
        normal
    }
}

impl Transition for Independence {
    fn columns(&self) -> Vec<Column> {
        vec![Column::acceptance_rate()]
    }

    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        match &mut self.fit {
            Some(fit) => fit.explorer.start(density, state, rng),
            None => Ok(()),
        }
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        match (&mut self.fit, phase) {
            (Some(fit), Phase::Warmup { step, of }) => {
                fit.explorer.step(density, state, phase, rng, &mut fit.row)?;
                if let Some(normal) = fit.learn(state.position(), step, of) {
                    self.normal = normal;
                }
            }
            (Some(Fit { is_fitted: false, .. }), Phase::Sampling) => {
                let message = "the warm-up was too short to fit the normal distribution of independent proposals: give it 20 \
                               steps at least, or the distribution itself";
                return Err(Error::Invalid(message.to_string()));
            }
            _ => {}
        }
        row[0] = self.transition(density, state, rng)?.acceptance_rate;
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        let Some(fit) = &mut self.fit else { return };
        fields.part("normal", &mut |fields| self.normal.visit(fields));
        fields.part("explorer", &mut |fields| fit.explorer.visit(fields));
        fields.part("window", &mut |fields| fit.window.visit(fields));
        fields.truth("is_fitted", &mut fit.is_fitted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::transitions::random_walk::RandomWalk;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;
    use crate::testing::resumed;
    use rand_distr::{Distribution, StandardNormal};

    fn fitted() -> Independence {
        Independence::fitted(2, Box::new(RandomWalk::new(vec![0, 1])))
    }

    #[test]
    fn the_target_is_invariant() {
        let normal = NormalFactor::new(vec![0.2, -1.0], vec![1.2, 0.0, 0.4, 2.0]).unwrap();
        bent::check(80, N_STARTS, &|state, rng| {
            Independence::new(normal.clone())
                .transition(&mut Bent, state, rng)
                .unwrap();
        });
    }

    /// Goes to independent draws of a normal distribution with mean (1, −2), standard deviations 1 and 3, and covariance 1.5.
    struct Exact;

    impl Transition for Exact {
        fn columns(&self) -> Vec<Column> {
            Vec::new()
        }

        fn step(
            &mut self,
            _: &mut dyn LogDensity,
            state: &mut State,
            _: Phase,
            rng: &mut Generator,
            _: &mut [f64],
        ) -> Result<()> {
            let (a, b): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
            state.move_to(&[1.0 + a, -2.0 + 1.5 * a + 6.75_f64.sqrt() * b], 0.0);
            Ok(())
        }

        fn visit(&mut self, _: &mut dyn Fields) {}
    }

    #[test]
    fn the_fit_is_that_of_the_last_window() {
        let mut own = Independence::fitted(2, Box::new(Exact));
        let mut state = State::at(&mut Bent, vec![0.0, 0.0]).unwrap();
        let (mut rng, mut row) = (Key::new(2).generator(), [0.0]);
        for step in 0..20_000 {
            let phase = Phase::Warmup { step, of: 20_000 };
            own.step(&mut Bent, &mut state, phase, &mut rng, &mut row).unwrap();
        }
        // ln N at the mean and one standard deviation along each axis, from the inverse of [[1, 1.5], [1.5, 9]].
        let mut room = [0.0; 2];
        for (x, want) in [
            ([1.0, -2.0], 0.0),
            ([2.0, -2.0], -0.5 * 9.0 / 6.75),
            ([1.0, 1.0], -0.5 * 9.0 / 6.75),
        ] {
            let got = own.normal.ln_density(&x, &mut room);
            assert!((got - want).abs() < 0.05, "{got} for {want}");
        }
    }

    #[test]
    fn draws_after_the_warm_up_teach_nothing() {
        let mut own = fitted();
        let mut state = State::at(&mut Bent, vec![0.0, 0.0]).unwrap();
        let (mut rng, mut row) = (Key::new(3).generator(), [0.0]);
        for step in 0..100 {
            let phase = Phase::Warmup { step, of: 100 };
            own.step(&mut Bent, &mut state, phase, &mut rng, &mut row).unwrap();
        }
        let learnt = own.normal.clone();
        assert_ne!(learnt, NormalFactor::standard(2));
        for _ in 0..100 {
            own.step(&mut Bent, &mut state, Phase::Sampling, &mut rng, &mut row)
                .unwrap();
        }
        assert_eq!(own.normal, learnt);
    }

    #[test]
    fn proposals_that_were_never_fitted_are_an_error() {
        let mut state = State::at(&mut Bent, vec![0.0, 0.0]).unwrap();
        let mut rng = Key::new(3).generator();
        let stepped = fitted().step(&mut Bent, &mut state, Phase::Sampling, &mut rng, &mut [0.0]);
        assert!(stepped.unwrap_err().to_string().contains("give it 20 steps at least"));
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        resumed::check(&mut || Box::new(fitted()));
    }
}
