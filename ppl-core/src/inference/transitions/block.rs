//! Any transition on some of the coordinates, the others staying where they are.

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// A transition on a block of coordinates: it sees the density as a function of these, at the present values of the others.
///
/// A transition that leaves each conditional distribution of the block unchanged leaves the whole unchanged. One that keeps
/// points of its own from step to step does not, because the others may have moved since then.
pub struct Block {
    /// The coordinates of the block in the whole vector.
    coordinates: Vec<usize>,
    transition: Box<dyn Transition>,
    /// The state of the block: position and gradient have its coordinates only.
    state: State,
    /// The whole vector that `state` speaks of; while the transition works, the last one that it has looked at.
    whole: Vec<f64>,
    /// The gradient of the whole.
    gradient: Vec<f64>,
}

/// The density of the whole as a function of the block.
struct View<'a> {
    density: &'a mut dyn LogDensity,
    coordinates: &'a [usize],
    whole: &'a mut [f64],
    gradient: &'a mut [f64],
}

impl View<'_> {
    fn embed(&mut self, position: &[f64]) {
        for (&i, &x) in self.coordinates.iter().zip(position) {
            self.whole[i] = x;
        }
    }
}

impl LogDensity for View<'_> {
    fn dim(&self) -> usize {
        self.coordinates.len()
    }

    fn value(&mut self, position: &[f64]) -> Result<f64> {
        self.embed(position);
        self.density.value(self.whole)
    }

    fn value_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64> {
        self.embed(position);
        let value = self.density.value_and_gradient(self.whole, self.gradient)?;
        for (g, &i) in gradient.iter_mut().zip(self.coordinates) {
            *g = self.gradient[i];
        }
        Ok(value)
    }
}

impl Block {
    /// Returns the transition, which is one in as many dimensions as there are `coordinates`, on these of `dim` coordinates.
    ///
    /// # Panics
    ///
    /// If a coordinate is not below `dim`.
    pub fn new(dim: usize, coordinates: Vec<usize>, transition: Box<dyn Transition>) -> Self {
        if let Some(i) = coordinates.iter().find(|&&i| i >= dim) {
            panic!("a block of coordinate {i} in {dim} dimensions: coordinates count from zero");
        }
        Block {
            state: State::new(vec![0.0; coordinates.len()], f64::NAN),
            whole: vec![f64::NAN; dim],
            gradient: vec![0.0; dim],
            coordinates,
            transition,
        }
    }

    /// Lets the transition work on the block, and moves the whole to where the block has gone.
    fn work(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        work: impl FnOnce(&mut dyn Transition, &mut dyn LogDensity, &mut State) -> Result<()>,
    ) -> Result<()> {
        // What the block knows of its point, the gradient above all, holds as long as nobody else has moved.
        if self.whole != state.position() {
            self.whole.copy_from_slice(state.position());
            let own: Vec<f64> = self.coordinates.iter().map(|&i| self.whole[i]).collect();
            self.state.move_to(&own, state.log_density());
        }
        let mut view = View {
            density,
            coordinates: &self.coordinates,
            whole: &mut self.whole,
            gradient: &mut self.gradient,
        };
        work(&mut *self.transition, &mut view, &mut self.state)?;
        view.embed(self.state.position());
        if self.whole != state.position() {
            state.move_to(&self.whole, self.state.log_density());
        }
        Ok(())
    }
}

impl Transition for Block {
    fn columns(&self) -> Vec<Column> {
        self.transition.columns()
    }

    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        self.work(density, state, |transition, density, state| {
            transition.start(density, state, rng)
        })
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        self.work(density, state, |transition, density, state| {
            transition.step(density, state, phase, rng, row)
        })
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        self.transition.visit(fields);
        fields.part("block", &mut |fields| {
            self.state.visit(fields);
            fields.numbers("whole", &mut self.whole);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::nuts::NutsTransition;
    use crate::inference::hamiltonian::warmup::Warmup;
    use crate::inference::transitions::random_walk::RandomWalk;
    use crate::inference::transitions::sequence::Sequence;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::N_STARTS;
    use crate::testing::resumed;

    fn nuts(dim: usize, step_size: Option<f64>) -> Box<dyn Transition> {
        let warmup = Warmup {
            step_size,
            ..Warmup::default()
        };
        Box::new(NutsTransition::new(dim, 5, warmup))
    }

    fn gibbs(step_size: Option<f64>) -> Sequence {
        let blocks = [
            ("b".to_string(), nuts(1, step_size), 1),
            (
                "a".to_string(),
                Box::new(RandomWalk::new(vec![0])) as Box<dyn Transition>,
                0,
            ),
        ];
        Sequence::new(blocks.map(|(name, own, i)| (name, Box::new(Block::new(2, vec![i], own)) as Box<dyn Transition>)))
    }

    #[test]
    fn the_target_is_invariant_under_sweeps_over_blocks() {
        bent::check(21, N_STARTS, &|state, rng| {
            let (mut gibbs, mut row) = (gibbs(Some(1.2)), [0.0; 11]);
            // In the second sweep the gradient of the first block is that of another point.
            for _ in 0..2 {
                gibbs.step(&mut Bent, state, Phase::Sampling, rng, &mut row).unwrap();
            }
        });
    }

    #[test]
    fn a_block_sees_its_part_of_the_gradient() {
        let (mut whole, mut gradient) = (vec![0.7, -0.3], vec![0.0; 2]);
        let mut view = View {
            density: &mut Bent,
            coordinates: &[1],
            whole: &mut whole,
            gradient: &mut gradient,
        };
        let mut own = [0.0];
        let value = view.value_and_gradient(&[0.4], &mut own).unwrap();
        let mut all = [0.0; 2];
        assert_eq!(value, Bent.value_and_gradient(&[0.7, 0.4], &mut all).unwrap());
        assert_eq!((own[0], view.value(&[0.4]).unwrap()), (all[1], value));
    }

    /// Counts the gradients that it is asked for.
    struct Counting(usize);

    impl LogDensity for Counting {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Bent.value(x)
        }

        fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            self.0 += 1;
            Bent.value_and_gradient(x, gradient)
        }
    }

    #[test]
    fn the_gradient_is_evaluated_anew_only_after_another_has_moved() {
        let mut density = Counting(0);
        let mut state = State::at(&mut density, vec![0.3, 0.2]).unwrap();
        let mut block = Block::new(2, vec![1], nuts(1, Some(0.5)));
        let (mut rng, mut row) = (Key::new(3).generator(), [0.0; 9]);
        let mut step = |density: &mut Counting, state: &mut State| {
            let before = density.0;
            block.step(density, state, Phase::Sampling, &mut rng, &mut row).unwrap();
            density.0 - before - row[3] as usize
        };
        assert_eq!(step(&mut density, &mut state), 1);
        assert_eq!(step(&mut density, &mut state), 0);
        let elsewhere = [state.position()[0] + 1.0, state.position()[1]];
        let value = density.value(&elsewhere).unwrap();
        state.move_to(&elsewhere, value);
        assert_eq!(step(&mut density, &mut state), 1);
        assert_eq!(state.position()[0], elsewhere[0]);
        assert_eq!(state.log_density(), Bent.value(state.position()).unwrap());
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        resumed::check(&mut || Box::new(gibbs(None)));
    }

    #[test]
    #[should_panic(expected = "a block of coordinate 2 in 2 dimensions")]
    fn coordinates_lie_in_the_whole() {
        Block::new(2, vec![2], nuts(1, None));
    }
}
