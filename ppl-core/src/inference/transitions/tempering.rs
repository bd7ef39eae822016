//! Parallel tempering: copies of the target, flatter and flatter, that exchange their points.

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Combine, Phase, State, Transition, accept};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Parallel tempering (Geyer 1991): replica k has the density p(x)^βₖ with 1 = β₀ > β₁ > … > 0, moves by a transition of its
/// own, and exchanges its point with its neighbours.
///
/// It is the density of the whole that is flattened, prior, likelihood and Jacobian of the unconstrained coordinates alike, so
/// that nothing need be known of its parts; p(x)^β of the hottest replica must have a finite integral. An exchange of
/// neighbours is accepted with probability min(1, (p(xⱼ) / p(xᵢ))^(βᵢ − βⱼ)). Flat replicas cross between modes that one chain
/// would not leave. The state of the chain is the point of the first replica; the others are the transition's own, so that
/// nothing but a transition of the whole may move the state between steps.
pub struct Tempering {
    /// The transition of the first replica, with the number of its columns.
    first: Box<dyn Transition>,
    n_columns: usize,
    others: Vec<Replica>,
}

/// A replica of a flattened target.
struct Replica {
    beta: f64,
    /// Its point, with the density of the flattened target.
    state: State,
    transition: Box<dyn Transition>,
    /// What its transition tells of itself, which nobody reads.
    row: Vec<f64>,
}

/// A flattened target.
struct Flat<'a> {
    density: &'a mut dyn LogDensity,
    beta: f64,
}

impl LogDensity for Flat<'_> {
    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn value(&mut self, position: &[f64]) -> Result<f64> {
        Ok(self.beta * self.density.value(position)?)
    }

    fn value_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let value = self.density.value_and_gradient(position, gradient)?;
        gradient.iter_mut().for_each(|g| *g *= self.beta);
        Ok(self.beta * value)
    }
}

impl Tempering {
    /// Returns the transition in `dim` dimensions with the powers `betas` behind the first, which is one; `make` makes the
    /// transition of each replica.
    ///
    /// # Panics
    ///
    /// If the powers do not fall between one and zero.
    pub fn new(dim: usize, betas: &[f64], mut make: impl FnMut() -> Box<dyn Transition>) -> Self {
        let falls = std::iter::once(&1.0)
            .chain(betas)
            .zip(betas)
            .all(|(a, b)| a > b && *b > 0.0);
        assert!(
            falls,
            "tempering with the powers {betas:?}: they fall between one and zero"
        );
        let first = make();
        let others = betas.iter().map(|&beta| {
            let transition = make();
            Replica {
                beta,
                state: State::new(vec![0.0; dim], f64::NAN),
                row: vec![0.0; transition.columns().len()],
                transition,
            }
        });
        Tempering {
            n_columns: first.columns().len(),
            others: others.collect(),
            first,
        }
    }

    /// Offers each pair of neighbours an exchange, the hottest first, so that a point can go all the way; returns the mean
    /// probability with which they were accepted.
    fn exchange(&mut self, state: &mut State, rng: &mut Generator) -> f64 {
        let (mut sum, n) = (0.0, self.others.len());
        for k in (0..n).rev() {
            let (colder, hotter) = self.others.split_at_mut(k);
            let hot = &mut hotter[0];
            let (cold, beta) = match colder.last_mut() {
                Some(replica) => (&mut replica.state, replica.beta),
                None => (&mut *state, 1.0),
            };
            // ln p at both points, without the powers.
            let (of_cold, of_hot) = (cold.log_density() / beta, hot.state.log_density() / hot.beta);
            let info = accept((beta - hot.beta) * (of_hot - of_cold), rng);
            sum += info.acceptance_rate;
            if info.is_accepted {
                let point = cold.position().to_vec();
                cold.move_to(hot.state.position(), beta * of_hot);
                hot.state.move_to(&point, hot.beta * of_cold);
            }
        }
        sum / n.max(1) as f64
    }
}

impl Transition for Tempering {
    /// Returns the columns of the first replica's transition, and `swap_rate`, the mean probability with which exchanges of
    /// neighbours were accepted.
    fn columns(&self) -> Vec<Column> {
        let mut columns = self.first.columns();
        columns.push(Column::real("swap_rate", Combine::Mean));
        columns
    }

    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        for replica in &mut self.others {
            let beta = replica.beta;
            replica.state.move_to(state.position(), beta * state.log_density());
            let mut flat = Flat {
                density: &mut *density,
                beta,
            };
            replica.transition.start(&mut flat, &mut replica.state, rng)?;
        }
        self.first.start(density, state, rng)
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        self.first
            .step(density, state, phase, rng, &mut row[..self.n_columns])?;
        for Replica {
            beta,
            state,
            transition,
            row,
        } in &mut self.others
        {
            let mut flat = Flat {
                density: &mut *density,
                beta: *beta,
            };
            transition.step(&mut flat, state, phase, rng, row)?;
        }
        row[self.n_columns] = self.exchange(state, rng);
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.part("replica 0", &mut |fields| self.first.visit(fields));
        for (k, Replica { state, transition, .. }) in (1..).zip(&mut self.others) {
            fields.part(&format!("replica {k}"), &mut |fields| {
                transition.visit(fields);
                fields.part("state", &mut |fields| state.visit(fields));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::hmc::HmcTransition;
    use crate::inference::hamiltonian::warmup::{MetricKind, Warmup};
    use crate::inference::transitions::random_walk::RandomWalk;
    use crate::math::erf::ndtr;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::{N_STARTS, check_functions};
    use crate::testing::resumed;
    use rand_distr::{Distribution, StandardNormal};

    fn hmc(step_size: Option<f64>) -> Box<dyn Transition> {
        let warmup = Warmup {
            metric: MetricKind::Diagonal,
            step_size,
            ..Warmup::default()
        };
        Box::new(HmcTransition::new(2, 2, warmup))
    }

    const BETAS: [f64; 2] = [0.5, 0.2];

    #[test]
    fn all_replicas_are_invariant() {
        // p^β of the bent target is that target with standard deviations 1/√β.
        let normal = |beta: f64| move |x: f64| ndtr(beta.sqrt() * x);
        let (cold, warm, hot) = (normal(1.0), normal(BETAS[0]), normal(BETAS[1]));
        let start_and_step = |rng: &mut Generator| {
            let mut own = Tempering::new(2, &BETAS, || hmc(Some(0.9)));
            let mut state = Bent::draw(rng);
            for replica in &mut own.others {
                let (a, b): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
                let (a, b) = (a / replica.beta.sqrt(), b / replica.beta.sqrt());
                let mut flat = Flat {
                    density: &mut Bent,
                    beta: replica.beta,
                };
                replica.state = State::at(&mut flat, vec![a, 2.0 * b - a * a]).unwrap();
            }
            let mut row = vec![0.0; own.columns().len()];
            own.step(&mut Bent, &mut state, Phase::Sampling, rng, &mut row).unwrap();
            let of = |state: &State| bent::functions(state);
            let [w, h] = [0, 1].map(|k| of(&own.others[k].state));
            let c = of(&state);
            [c[0], c[1], w[0], w[1], h[0], h[1]]
        };
        check_functions(120, N_STARTS, start_and_step, [&cold, &cold, &warm, &warm, &hot, &hot]);
    }

    /// Two normal modes with weights 0.3 and 0.7, twenty standard deviations apart.
    struct Modes;

    impl LogDensity for Modes {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            let mode = |weight: f64, at: f64| weight.ln() - 0.5 * (x[0] - at).powi(2);
            let (a, b) = (mode(0.3, -10.0), mode(0.7, 10.0));
            Ok(a.max(b) + (-(a - b).abs()).exp().ln_1p())
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a random walk needs no gradient")
        }
    }

    #[test]
    fn modes_far_apart_have_their_weights() {
        let betas: Vec<f64> = (1..6).map(|k| 0.4_f64.powi(k)).collect();
        let mut own = Tempering::new(1, &betas, || Box::new(RandomWalk::new(vec![0])));
        let mut state = State::at(&mut Modes, vec![-10.0]).unwrap();
        let mut rng = Key::new(6).generator();
        own.start(&mut Modes, &mut state, &mut rng).unwrap();
        let mut row = vec![0.0; 3];
        let (mut in_second, mut n_crossings, mut was) = (0.0, 0, false);
        let n = 40_000;
        for step in 0..n + 2000 {
            let phase = if step < 2000 {
                Phase::Warmup { step, of: 2000 }
            } else {
                Phase::Sampling
            };
            own.step(&mut Modes, &mut state, phase, &mut rng, &mut row).unwrap();
            let is = state.position()[0] > 0.0;
            if phase == Phase::Sampling {
                in_second += f64::from(is) / f64::from(n as u32);
                n_crossings += usize::from(is != was);
            }
            was = is;
        }
        assert!(n_crossings > 200, "{n_crossings} crossings");
        // Crossings there and back are renewals: four standard errors of a share of 0.7 by as many pairs.
        let error = (0.21 / (n_crossings as f64 / 2.0)).sqrt();
        assert!(
            (in_second - 0.7).abs() < 4.0 * error,
            "{in_second} with a standard error of {error}"
        );
    }

    #[test]
    fn a_state_keeps_the_density_of_its_point() {
        let mut own = Tempering::new(2, &BETAS, || hmc(Some(0.5)));
        let mut state = State::at(&mut Bent, vec![0.2, 0.1]).unwrap();
        let mut rng = Key::new(7).generator();
        own.start(&mut Bent, &mut state, &mut rng).unwrap();
        let mut row = vec![0.0; own.columns().len()];
        for _ in 0..100 {
            own.step(&mut Bent, &mut state, Phase::Sampling, &mut rng, &mut row)
                .unwrap();
            assert!((state.log_density() - Bent.value(state.position()).unwrap()).abs() < 1e-12);
            for replica in &own.others {
                let want = replica.beta * Bent.value(replica.state.position()).unwrap();
                assert!((replica.state.log_density() - want).abs() < 1e-12);
            }
            assert!(row[row.len() - 1] > 0.0);
        }
    }

    #[test]
    fn replicas_are_written_and_read() {
        resumed::check(&mut || Box::new(Tempering::new(2, &BETAS, || hmc(None))));
    }

    #[test]
    #[should_panic(expected = "they fall between one and zero")]
    fn powers_fall() {
        Tempering::new(2, &[0.5, 0.7], || hmc(None));
    }
}
