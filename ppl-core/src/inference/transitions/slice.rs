//! Slice sampling: a point below the density at the present point, then a draw from where the density lies above it.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Combine, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// An interval is at most this many widths long, so that a density without bounds ends it too.
const MOST_WIDTHS: usize = 100;

/// The mean distance of two independent uniform points of an interval is a third of its length.
const LENGTH_OF_MEAN_MOVE: f64 = 3.0;

/// The exponent of the falling weight n^−0.6 of a move in the mean.
const DECAY: f64 = 0.6;

/// Slice sampling coordinate by coordinate, with stepping out and shrinkage (Neal 2003, *Slice sampling*, figures 3 and 5).
///
/// It has no proposal to tune: the warm-up learns for each coordinate the length of a usual slice, which only saves
/// evaluations. A step takes some five evaluations a coordinate.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The length by which an interval grows, for each coordinate.
    widths: Vec<f64>,
    /// The number of steps of the warm-up.
    n: f64,
    /// A vector to try values in.
    tried: Vec<f64>,
}

impl Slice {
    /// Returns the sampler with first widths, one for each coordinate.
    ///
    /// # Panics
    ///
    /// If a width is not positive and finite.
    pub fn new(widths: Vec<f64>) -> Self {
        if let Some(w) = widths.iter().find(|w| !(**w > 0.0 && w.is_finite())) {
            panic!("a slice of width {w}: widths are positive and finite, and the warm-up learns them");
        }
        Slice {
            tried: vec![0.0; widths.len()],
            widths,
            n: 0.0,
        }
    }

    /// Moves one coordinate, and returns the number of evaluations.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    fn transition(
        &mut self,
        i: usize,
        density: &mut dyn LogDensity,
        state: &mut State,
        rng: &mut impl Rng,
    ) -> Result<usize> {
        let (present, width) = (state.position()[i], self.widths[i]);
        self.tried.copy_from_slice(state.position());
        let mut n_evaluations = 0;
        let tried = &mut self.tried;
        let mut at = |x: f64| {
            n_evaluations += 1;
            tried[i] = x;
            density.value(tried)
        };
        let fall: f64 = Exp1.sample(rng);
        let level = state.log_density() - fall;
        let mut left = present - width * rng.random::<f64>();
        let mut right = left + width;
        // Where the limit falls is as likely from any point of the slice, so that the interval is too.
        let mut n_left = rng.random_range(0..MOST_WIDTHS);
        let mut n_right = MOST_WIDTHS - 1 - n_left;
        while n_left > 0 && at(left)? > level {
            left -= width;
            n_left -= 1;
        }
        while n_right > 0 && at(right)? > level {
            right += width;
            n_right -= 1;
        }
        loop {
            let new = left + (right - left) * rng.random::<f64>();
            // Within rounding errors of the present point there may be no other.
            if new == present {
                break;
            }
            let log_density = at(new)?;
            if log_density > level {
                self.tried[i] = new;
                state.move_to(&self.tried, log_density);
                break;
            }
            *(if new < present { &mut left } else { &mut right }) = new;
        }
        Ok(n_evaluations)
    }

    /// Learns from a step of the warm-up by how far the coordinates have moved.
    fn learn(&mut self, before: &[f64], after: &[f64]) {
        self.n += 1.0;
        let weight = self.n.powf(-DECAY);
        for ((width, x), y) in self.widths.iter_mut().zip(before).zip(after) {
            let new = *width + weight * (LENGTH_OF_MEAN_MOVE * (y - x).abs() - *width);
            if new > 0.0 && new.is_finite() {
                *width = new;
            }
        }
    }
}

impl Transition for Slice {
    /// Returns `n_evaluations`, the number of evaluations of the density.
    fn columns(&self) -> Vec<Column> {
        vec![Column::integer("n_evaluations", Combine::Sum)]
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        let before = matches!(phase, Phase::Warmup { .. }).then(|| state.position().to_vec());
        let mut n_evaluations = 0;
        for i in 0..self.widths.len() {
            n_evaluations += self.transition(i, density, state, rng)?;
        }
        row[0] = n_evaluations as f64;
        if let Some(before) = before {
            self.learn(&before, state.position());
        }
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        fields.numbers("widths", &mut self.widths);
        fields.number("n", &mut self.n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::testing::bent::{self, Bent};
    use crate::testing::invariance::{N_STARTS, check_continuous};
    use crate::testing::resumed;

    #[test]
    fn the_target_is_invariant_for_short_and_long_widths() {
        for (seed, widths) in [(60, [0.3, 1.0]), (61, [20.0, 3.0])] {
            bent::check(seed, N_STARTS, &|state, rng| {
                let mut slice = Slice::new(widths.to_vec());
                slice.step(&mut Bent, state, Phase::Sampling, rng, &mut [0.0]).unwrap();
            });
        }
    }

    /// Two triangles of height one above (0, 2) and (3, 5), and NaN elsewhere.
    struct TwoTents;

    impl LogDensity for TwoTents {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            let height = (1.0 - (x[0] - 1.0).abs()).max(1.0 - (x[0] - 4.0).abs());
            Ok(if height > 0.0 { height.ln() } else { f64::NAN })
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a slice needs no gradient")
        }
    }

    #[test]
    fn a_target_with_gaps_is_invariant_where_intervals_meet_their_limit() {
        let tent = |x: f64| match x.clamp(0.0, 2.0) {
            x if x < 1.0 => 0.5 * x * x,
            x => 1.0 - 0.5 * (2.0 - x).powi(2),
        };
        for (seed, width) in [(62, 0.011), (63, 3.2)] {
            let step = |rng: &mut Generator| {
                let x: f64 = rng.random::<f64>() + rng.random::<f64>() + if rng.random() { 3.0 } else { 0.0 };
                let mut state = State::at(&mut TwoTents, vec![x]).unwrap();
                let mut slice = Slice::new(vec![width]);
                slice
                    .step(&mut TwoTents, &mut state, Phase::Sampling, rng, &mut [0.0])
                    .unwrap();
                state.position()[0]
            };
            check_continuous(seed, step, |x| 0.5 * (tent(x) + tent(x - 3.0)));
        }
    }

    /// Normal coordinates whose standard deviations lie far apart.
    struct Scales;

    impl LogDensity for Scales {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(-0.5 * ((x[0] / 1e-3).powi(2) + (x[1] / 1e3).powi(2)))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a slice needs no gradient")
        }
    }

    #[test]
    fn widths_are_learnt_and_save_evaluations() {
        let mut slice = Slice::new(vec![1.0, 1.0]);
        let mut state = State::at(&mut Scales, vec![0.0, 0.0]).unwrap();
        let mut rng = Key::new(4).generator();
        let mut run = |slice: &mut Slice, phase: fn(usize) -> Phase| {
            let mut row = [0.0];
            let steps = (0..1000).map(|step| {
                slice
                    .step(&mut Scales, &mut state, phase(step), &mut rng, &mut row)
                    .unwrap();
                row[0]
            });
            steps.sum::<f64>() / 1000.0
        };
        run(&mut slice, |step| Phase::Warmup { step, of: 1000 });
        // The mean length of a slice of a standard normal is 2 E √(x² + 2 e), some 3.1.
        for (width, sd) in slice.widths.iter().zip([1e-3, 1e3]) {
            assert!(
                (1.5..6.0).contains(&(width / sd)),
                "{width} for a standard deviation of {sd}"
            );
        }
        let learnt = slice.clone();
        let n_evaluations = run(&mut slice, |_| Phase::Sampling);
        assert_eq!(learnt.widths, slice.widths);
        assert!(n_evaluations < 12.0, "{n_evaluations} evaluations");
    }

    /// A density without bounds.
    struct Everywhere;

    impl LogDensity for Everywhere {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, _: &[f64]) -> Result<f64> {
            Ok(0.0)
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a slice needs no gradient")
        }
    }

    #[test]
    fn a_density_without_bounds_ends_the_interval() {
        let mut state = State::at(&mut Everywhere, vec![0.0]).unwrap();
        let (mut slice, mut row) = (Slice::new(vec![1.0]), [0.0]);
        let mut rng = Key::new(5).generator();
        slice
            .step(&mut Everywhere, &mut state, Phase::Sampling, &mut rng, &mut row)
            .unwrap();
        assert!(row[0] <= MOST_WIDTHS as f64 && state.position()[0].abs() <= MOST_WIDTHS as f64);
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        resumed::check(&mut || Box::new(Slice::new(vec![1.0; 2])));
    }

    #[test]
    #[should_panic(expected = "a slice of width 0")]
    fn widths_are_positive() {
        Slice::new(vec![1.0, 0.0]);
    }
}
