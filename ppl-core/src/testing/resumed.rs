//! The law of written transitions: one that was written and read goes on as if it had not stopped.

use crate::inference::persist::Record;
use crate::inference::transition::{Phase, State, Transition};
use crate::rng::Key;
use crate::testing::bent::Bent;

/// The number of steps of the warm-up, and of those behind it.
const STEPS: (usize, usize) = (200, 50);

/// Writes a chain down in its warm-up and after it, reads it into another transition that `make` returns, and compares all
/// later states and statistics to the bit.
pub(crate) fn check(make: &mut dyn FnMut() -> Box<dyn Transition>) {
    for stop in [1, 97, STEPS.0 + 3] {
        let (mut one, mut state) = (make(), State::new(vec![0.3, 0.1], 0.0));
        state = State::at(&mut Bent, state.position().to_vec()).expect("the density is known everywhere");
        let key = Key::new(9);
        one.start(&mut Bent, &mut state, &mut key.split(u64::MAX).generator())
            .expect("a start");
        advance(&mut *one, &mut state, 0..stop);
        let record = Record::of(|fields| {
            one.visit(fields);
            fields.part("state", &mut |fields| state.visit(fields));
        });
        let (mut other, mut restored) = (make(), State::new(vec![0.0; 2], 0.0));
        let filled = record.fill(|fields| {
            other.visit(fields);
            fields.part("state", &mut |fields| restored.visit(fields));
        });
        filled.expect("the record is of this transition");
        let rest = stop..STEPS.0 + STEPS.1;
        let rows = advance(&mut *one, &mut state, rest.clone());
        assert_eq!(
            rows,
            advance(&mut *other, &mut restored, rest),
            "stopped at step {stop}"
        );
        assert_eq!(state, restored);
    }
}

/// Makes some steps, and returns where each led and what it told of itself.
fn advance(transition: &mut dyn Transition, state: &mut State, steps: std::ops::Range<usize>) -> Vec<f64> {
    let (mut row, mut all) = (vec![0.0; transition.columns().len()], Vec::new());
    for step in steps {
        let phase = if step < STEPS.0 {
            Phase::Warmup { step, of: STEPS.0 }
        } else {
            Phase::Sampling
        };
        let mut rng = Key::new(9).split(step as u64).generator();
        let stepped = transition.step(&mut Bent, state, phase, &mut rng, &mut row);
        stepped.expect("the density is known everywhere");
        all.extend_from_slice(&row);
        all.extend_from_slice(state.position());
    }
    all
}
