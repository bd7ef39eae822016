//! Single-site Metropolis: the coordinates of one latent at a time, discrete ones point by point.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::inference::adapt::scale::ScaleAdapter;
use crate::inference::discrete::Discrete;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, MhInfo, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// The moves of one latent site, with a scale that the warm-up learns.
#[derive(Clone, Debug, PartialEq)]
pub struct SingleSite {
    /// Its first coordinate.
    offset: usize,
    /// The number of its coordinates.
    len: usize,
    /// The kind of its points, `None` if it is continuous.
    discrete: Option<Discrete>,
    /// The factor of a step.
    scale: f64,
    adapter: ScaleAdapter,
}

impl SingleSite {
    /// Returns the moves of `len` coordinates from `offset` on, whose points have this kind if they are discrete.
    pub fn new(offset: usize, len: usize, discrete: Option<Discrete>) -> Self {
        SingleSite {
            offset,
            len,
            discrete,
            scale: 1.0,
            adapter: ScaleAdapter::new(if discrete.is_some() { 1 } else { len }),
        }
    }

    /// Returns the number of moves in a step: one for a continuous site, one for each point of a discrete one.
    fn n_moves(&self) -> usize {
        self.discrete.map_or(1, |kind| self.len / kind.width())
    }

    /// Makes move `k` of a step: all coordinates of a continuous site walk by `scale` times standard normal steps, and
    /// point `k` of a discrete site moves by [`Discrete::propose`].
    fn transition<R: Rng>(
        &self,
        k: usize,
        density: &mut (impl LogDensity + ?Sized),
        state: &mut State,
        rng: &mut R,
    ) -> Result<MhInfo> {
        state.propose(density, rng, |_, proposed, rng| {
            let own = &mut proposed[self.offset..][..self.len];
            match self.discrete {
                Some(kind) => {
                    let width = kind.width();
                    kind.propose(&mut own[k * width..][..width], self.scale, rng);
                }
                None => own.iter_mut().for_each(|x| {
                    let noise: f64 = StandardNormal.sample(rng);
                    *x += self.scale * noise;
                }),
            }
            0.0
        })
    }
}

impl Transition for SingleSite {
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
        let (n_moves, mut sum) = (self.n_moves(), 0.0);
        for k in 0..n_moves {
            let info = self.transition(k, density, state, rng)?;
            sum += info.acceptance_rate;
            if let Phase::Warmup { .. } = phase {
                self.scale = self.adapter.next(self.scale, info.acceptance_rate);
            }
        }
        row.copy_from_slice(&[sum / n_moves as f64, self.scale]);
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("scale", &mut self.scale);
        fields.part("adapter", &mut |fields| self.adapter.visit(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::invariance::{N_STARTS, check_continuous, check_discrete};

    /// A density on vectors by its logarithm.
    struct By<F>(F);

    impl<F: Fn(&[f64]) -> f64> LogDensity for By<F> {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok((self.0)(x))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a single-site move needs no gradient")
        }
    }

    fn site(len: usize, discrete: Option<Discrete>, scale: f64) -> SingleSite {
        SingleSite {
            scale,
            ..SingleSite::new(0, len, discrete)
        }
    }

    /// Draws a category from `probs` by inversion.
    fn category(probs: &[f64], rng: &mut impl Rng) -> usize {
        let mut u = rng.random::<f64>();
        let found = probs.iter().position(|p| {
            u -= p;
            u < 0.0
        });
        found.unwrap_or(probs.len() - 1)
    }

    #[test]
    fn a_continuous_target_is_invariant() {
        // The logistic distribution, whose inverse and cumulative distribution functions are elementary.
        let mut density = By(|x: &[f64]| -x[0] - 2.0 * (-x[0]).exp().ln_1p());
        let step = |rng: &mut crate::rng::Generator| {
            let u: f64 = rng.random();
            let mut density = By(density.0);
            let mut state = State::at(&mut density, vec![(u / (1.0 - u)).ln()]).unwrap();
            site(1, None, 2.5).transition(0, &mut density, &mut state, rng).unwrap();
            state.position()[0]
        };
        check_continuous(1, step, |x| 1.0 / (1.0 + (-x).exp()));
        assert_eq!(density.value(&[0.0]).unwrap(), -2.0 * 2.0_f64.ln());
    }

    #[test]
    fn categories_are_invariant() {
        let probs = [0.1_f64, 0.55, 0.05, 0.3];
        let step = |rng: &mut crate::rng::Generator| {
            let mut density = By(|x: &[f64]| probs[x[0] as usize].ln());
            let mut state = State::at(&mut density, vec![category(&probs, rng) as f64]).unwrap();
            let own = site(1, Some(Discrete::Category(4)), 1.0);
            own.transition(0, &mut density, &mut state, rng).unwrap();
            state.position()[0] as usize
        };
        check_discrete(2, N_STARTS, step, &probs);
    }

    #[test]
    fn truth_values_and_rows_with_a_single_one_are_invariant() {
        let probs = [0.2_f64, 0.5, 0.3];
        let step = |rng: &mut crate::rng::Generator| {
            let mut density = By(|x: &[f64]| (0..3).map(|k| x[k] * probs[k].ln()).sum());
            let mut row = vec![0.0; 3];
            row[category(&probs, rng)] = 1.0;
            let mut state = State::at(&mut density, row).unwrap();
            let own = site(3, Some(Discrete::OneHot(3)), 1.0);
            own.transition(0, &mut density, &mut state, rng).unwrap();
            state.position().iter().position(|&x| x == 1.0).unwrap()
        };
        check_discrete(3, N_STARTS, step, &probs);
        let probs = [0.85_f64, 0.15];
        let step = |rng: &mut crate::rng::Generator| {
            let mut density = By(|x: &[f64]| probs[x[0] as usize].ln());
            let mut state = State::at(&mut density, vec![category(&probs, rng) as f64]).unwrap();
            let own = site(1, Some(Discrete::Boolean), 1.0);
            own.transition(0, &mut density, &mut state, rng).unwrap();
            state.position()[0] as usize
        };
        check_discrete(4, N_STARTS, step, &probs);
    }

    #[test]
    fn counts_are_invariant() {
        // A geometric distribution with ratio 3/4; what lies beyond 30 is counted together.
        let probs: Vec<f64> = (0..30)
            .map(|k| 0.25 * 0.75_f64.powi(k))
            .chain([0.75_f64.powi(30)])
            .collect();
        let step = |rng: &mut crate::rng::Generator| {
            let mut density = By(|x: &[f64]| {
                if x[0] < 0.0 {
                    f64::NEG_INFINITY
                } else {
                    x[0] * 0.75_f64.ln()
                }
            });
            let u: f64 = rng.random();
            let count = ((1.0 - u).ln() / 0.75_f64.ln()).floor();
            let mut state = State::at(&mut density, vec![count]).unwrap();
            let own = site(1, Some(Discrete::Count), 2.0);
            own.transition(0, &mut density, &mut state, rng).unwrap();
            (state.position()[0] as usize).min(30)
        };
        check_discrete(5, N_STARTS, step, &probs);
    }
}
