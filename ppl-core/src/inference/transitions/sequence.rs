//! Several transitions, one after the other, as one.

use crate::error::Result;
use crate::inference::persist::Fields;
use crate::inference::transition::{Column, Phase, State, Transition};
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// Transitions that take turns: a step of it is a step of each, in order.
///
/// Each leaves the distribution unchanged, and so does the whole.
pub struct Sequence {
    parts: Vec<Part>,
}

struct Part {
    name: String,
    transition: Box<dyn Transition>,
    n_columns: usize,
}

impl Sequence {
    /// Returns the composition of named parts.
    ///
    /// # Panics
    ///
    /// If two parts have one name.
    pub fn new(parts: impl IntoIterator<Item = (String, Box<dyn Transition>)>) -> Self {
        let part = |(name, transition): (String, Box<dyn Transition>)| Part {
            n_columns: transition.columns().len(),
            name,
            transition,
        };
        let parts: Vec<Part> = parts.into_iter().map(part).collect();
        for (i, part) in parts.iter().enumerate() {
            let is_new = parts[..i].iter().all(|p| p.name != part.name);
            assert!(
                is_new,
                "two parts of a sequence are named {}: give each a name of its own",
                part.name
            );
        }
        Sequence { parts }
    }
}

impl Transition for Sequence {
    /// Returns the columns of the parts; if there are several parts, each column tells the name of its own.
    fn columns(&self) -> Vec<Column> {
        let is_alone = self.parts.len() == 1;
        let named = |part: &Part, column: Column| Column {
            of: match (is_alone, column.of) {
                (true, of) => of,
                (false, None) => Some(part.name.clone()),
                (false, Some(of)) => Some(format!("{}.{of}", part.name)),
            },
            ..column
        };
        let columns = |part: &Part| {
            part.transition
                .columns()
                .into_iter()
                .map(|c| named(part, c))
                .collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(columns).collect()
    }

    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        let mut parts = self.parts.iter_mut();
        parts.try_for_each(|part| part.transition.start(density, state, rng))
    }

    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()> {
        let mut rest = row;
        for part in &mut self.parts {
            let (own, behind) = rest.split_at_mut(part.n_columns);
            part.transition.step(density, state, phase, rng, own)?;
            rest = behind;
        }
        Ok(())
    }

    fn visit(&mut self, fields: &mut dyn Fields) {
        for Part { name, transition, .. } in &mut self.parts {
            fields.part(name, &mut |fields| transition.visit(fields));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::persist::Record;
    use crate::inference::transitions::random_walk::RandomWalk;
    use crate::rng::Key;

    /// The product of a normal and a density that rises to a bound.
    struct Two;

    impl LogDensity for Two {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(-0.5 * (x[0] * x[0] + 4.0 * x[1] * x[1]))
        }

        fn value_and_gradient(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64> {
            unreachable!("a random walk needs no gradient")
        }
    }

    fn walks() -> Sequence {
        let walk = |i: usize| Box::new(RandomWalk::new(vec![i])) as Box<dyn Transition>;
        Sequence::new([("a".to_string(), walk(0)), ("b".to_string(), walk(1))])
    }

    /// Makes some steps, and returns the state with the statistics of the last.
    fn run(
        sequence: &mut Sequence,
        state: &mut State,
        phase: fn(usize) -> Phase,
        steps: std::ops::Range<usize>,
    ) -> Vec<f64> {
        let mut row = vec![0.0; sequence.columns().len()];
        for k in steps {
            let mut rng = Key::new(9).split(k as u64).generator();
            sequence.step(&mut Two, state, phase(k), &mut rng, &mut row).unwrap();
        }
        row
    }

    #[test]
    fn columns_tell_their_part_if_there_are_several() {
        let labels: Vec<String> = walks().columns().iter().map(Column::label).collect();
        assert_eq!(
            labels,
            [
                "acceptance_rate[a]",
                "step_size[a]",
                "acceptance_rate[b]",
                "step_size[b]"
            ]
        );
        let alone = Sequence::new([(
            "a".to_string(),
            Box::new(RandomWalk::new(vec![0])) as Box<dyn Transition>,
        )]);
        assert_eq!(alone.columns()[0].label(), "acceptance_rate");
    }

    #[test]
    fn each_part_writes_its_own_columns() {
        let mut sequence = walks();
        let mut state = State::at(&mut Two, vec![0.0, 0.0]).unwrap();
        // Before the first window, only the scales are learnt.
        let row = run(
            &mut sequence,
            &mut state,
            |step| Phase::Warmup { step, of: 20_000 },
            0..1500,
        );
        assert!(row[1] > 1.3 * row[3], "steps {row:?} of coordinates with sds 1 and 1/2");
    }

    #[test]
    fn a_sequence_that_was_written_goes_on_as_if_it_had_not_stopped() {
        let phase = |step| Phase::Warmup { step, of: 500 };
        let (mut one, mut state) = (walks(), State::at(&mut Two, vec![0.3, 0.1]).unwrap());
        run(&mut one, &mut state, phase, 0..123);
        let record = Record::of(|fields| {
            one.visit(fields);
            fields.part("state", &mut |fields| state.visit(fields));
        });
        let (mut other, mut restored) = (walks(), State::new(vec![0.0; 2], 0.0));
        let filled = record.fill(|fields| {
            other.visit(fields);
            fields.part("state", &mut |fields| restored.visit(fields));
        });
        filled.unwrap();
        assert_eq!(
            run(&mut one, &mut state, phase, 123..500),
            run(&mut other, &mut restored, phase, 123..500)
        );
        assert_eq!(state, restored);
    }

    #[test]
    #[should_panic(expected = "two parts of a sequence are named a")]
    fn parts_have_names_of_their_own() {
        let walk = || {
            (
                "a".to_string(),
                Box::new(RandomWalk::new(vec![0])) as Box<dyn Transition>,
            )
        };
        Sequence::new([walk(), walk()]);
    }
}
