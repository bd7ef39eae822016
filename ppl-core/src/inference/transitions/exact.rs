//! Gibbs sampling of a discrete latent: each of its points is drawn anew from its exact conditional distribution.

use rand::Rng;
use rand_distr::{Distribution, Gumbel};

use crate::error::Result;
use crate::inference::discrete::Discrete;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Combine, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// The exact Gibbs moves of one latent site with finitely many values.
///
/// The density is evaluated at each value of a point but the present one, and the point drawn with probabilities in
/// proportion: n points of k values take n (k − 1) evaluations. Nothing is learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactSite {
    /// Its first coordinate.
    offset: usize,
    /// The number of its coordinates.
    len: usize,
    kind: Discrete,
    /// The number of values of a point.
    n_values: usize,
    /// A vector to try values in.
    tried: Vec<f64>,
}

impl ExactSite {
    /// Returns the moves of `len` coordinates from `offset` on, whose points have this kind; `None` if a point can have
    /// infinitely many values.
    pub fn new(offset: usize, len: usize, kind: Discrete) -> Option<Self> {
        Some(ExactSite {
            offset,
            len,
            kind,
            n_values: kind.n_values()?,
            tried: Vec::new(),
        })
    }

    /// Draws a point anew, and returns whether it has another value.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    fn transition(
        &mut self,
        point: usize,
        density: &mut dyn LogDensity,
        state: &mut State,
        rng: &mut impl Rng,
    ) -> Result<bool> {
        let width = self.kind.width();
        let own = self.offset + point * width..self.offset + (point + 1) * width;
        self.tried.clear();
        self.tried.extend_from_slice(state.position());
        let present = self.kind.index(&state.position()[own.clone()]);
        // The largest of ln p + Gumbel noise is drawn with probability in proportion to p.
        let gumbel = Gumbel::new(0.0, 1.0).expect("the scale is positive");
        let mut drawn = (present, state.log_density());
        let mut largest = state.log_density() + gumbel.sample(rng);
        for value in (0..self.n_values).filter(|&v| v != present) {
            self.kind.set(&mut self.tried[own.clone()], value);
            let log_density = density.value(&self.tried)?;
            let noisy = log_density + gumbel.sample(rng);
            // A density that is NaN counts as zero.
            if noisy > largest {
                (largest, drawn) = (noisy, (value, log_density));
            }
        }
        if drawn.0 == present {
            return Ok(false);
        }
        self.kind.set(&mut self.tried[own], drawn.0);
        state.move_to(&self.tried, drawn.1);
        Ok(true)
    }
}

impl Transition for ExactSite {
    /// Returns `change_rate`, the share of the points that have another value than before.
    fn columns(&self) -> Vec<Column> {
        vec![Column::real("change_rate", Combine::Mean)]
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        _: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        let n_points = self.len / self.kind.width();
        let mut n_changed = 0;
        for point in 0..n_points {
            n_changed += usize::from(self.transition(point, density, state, rng)?);
        }
        row[0] = n_changed as f64 / n_points.max(1) as f64;
        Ok(())
    }

    fn visit(&mut self, _: &mut dyn Fields) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::testing::invariance::{N_STARTS, check_discrete};

    /// Two points with these joint probabilities, `[first][second]`, behind a coordinate that is not theirs.
    struct Table<'t> {
        joint: &'t [[f64; 3]; 3],
        kind: Discrete,
        n_evaluations: usize,
    }

    impl Table<'_> {
        fn index(&self, x: &[f64]) -> [usize; 2] {
            let width = self.kind.width();
            [0, 1].map(|point| self.kind.index(&x[1 + point * width..][..width]))
        }

        fn at(&self, cell: usize) -> Vec<f64> {
            let width = self.kind.width();
            let mut x = vec![0.5; 1 + 2 * width];
            self.kind.set(&mut x[1..][..width], cell / 3);
            self.kind.set(&mut x[1 + width..], cell % 3);
            x
        }
    }

    impl LogDensity for Table<'_> {
        fn dim(&self) -> usize {
            1 + 2 * self.kind.width()
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            self.n_evaluations += 1;
            let [a, b] = self.index(x);
            // What is zero is told as NaN, which must count as zero.
            let p = self.joint[a][b];
            Ok(if p == 0.0 { f64::NAN } else { 40.0 + p.ln() })
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a discrete move needs no gradient")
        }
    }

    fn cell(probs: &[f64], rng: &mut impl Rng) -> usize {
        let mut u = rng.random::<f64>();
        let found = probs.iter().position(|p| {
            u -= p;
            u < 0.0
        });
        found.unwrap_or(0)
    }

    const JOINT: [[f64; 3]; 3] = [[0.3, 0.05, 0.0], [0.02, 0.13, 0.2], [0.1, 0.05, 0.15]];
    /// The same without the third value of either point, as truth values have it.
    const TRUTHS: [[f64; 3]; 3] = [[0.45, 0.1, 0.0], [0.05, 0.4, 0.0], [0.0; 3]];

    #[test]
    fn points_that_depend_on_each_other_are_invariant() {
        let kinds = [
            (Discrete::Category(3), JOINT),
            (Discrete::OneHot(3), JOINT),
            (Discrete::Boolean, TRUTHS),
        ];
        for (seed, (kind, joint)) in (30..).zip(kinds) {
            let flat = joint.concat();
            let step = |rng: &mut Generator| {
                let mut table = Table {
                    joint: &joint,
                    kind,
                    n_evaluations: 0,
                };
                let mut state = State::at(&mut table, table_at(&joint, kind, cell(&flat, rng))).unwrap();
                let mut site = ExactSite::new(1, 2 * kind.width(), kind).unwrap();
                site.step(&mut table, &mut state, Phase::Sampling, rng, &mut [0.0])
                    .unwrap();
                let [a, b] = table.index(state.position());
                flat[..3 * a + b].iter().filter(|p| **p > 0.0).count()
            };
            let probs: Vec<f64> = flat.iter().copied().filter(|p| *p > 0.0).collect();
            check_discrete(seed, N_STARTS, step, &probs);
        }
    }

    fn table_at(joint: &[[f64; 3]; 3], kind: Discrete, cell: usize) -> Vec<f64> {
        Table {
            joint,
            kind,
            n_evaluations: 0,
        }
        .at(cell)
    }

    #[test]
    fn a_point_is_drawn_whatever_its_value_was() {
        // The second point given that the first is 1, from a value of probability 2/35.
        let mut rng = Key::new(5).generator();
        let mut counts = [0.0; 3];
        let kind = Discrete::Category(3);
        let mut table = Table {
            joint: &JOINT,
            kind,
            n_evaluations: 0,
        };
        for _ in 0..20_000 {
            let mut state = State::new(table.at(3), 40.0 + JOINT[1][0].ln());
            let mut site = ExactSite::new(2, 1, kind).unwrap();
            site.transition(0, &mut table, &mut state, &mut rng).unwrap();
            counts[table.index(state.position())[1]] += 1.0;
        }
        assert_eq!(table.n_evaluations, 40_000);
        for (count, p) in counts.into_iter().zip(JOINT[1]) {
            let (mean, sd) = (20_000.0 * p / 0.35, (20_000.0 * p / 0.35 * (1.0 - p / 0.35)).sqrt());
            assert!((count - mean).abs() < 4.0 * sd, "{count} for {mean}");
        }
    }

    #[test]
    fn the_state_keeps_the_density_of_its_point() {
        let mut rng = Key::new(6).generator();
        let mut table = Table {
            joint: &JOINT,
            kind: Discrete::OneHot(3),
            n_evaluations: 0,
        };
        let mut state = State::at(&mut table, table_at(&JOINT, Discrete::OneHot(3), 4)).unwrap();
        let mut site = ExactSite::new(1, 6, Discrete::OneHot(3)).unwrap();
        for _ in 0..50 {
            site.step(&mut table, &mut state, Phase::Sampling, &mut rng, &mut [0.0])
                .unwrap();
            assert_eq!(state.log_density(), table.value(state.position()).unwrap());
            assert_eq!(state.position()[0], 0.5);
        }
    }

    #[test]
    fn counts_have_no_exact_move() {
        assert_eq!(ExactSite::new(0, 1, Discrete::Count), None);
    }
}
