//! What all transitions have in common whose step size and metric a warm-up learns.

/// Makes a type with a method `transition` and a field `adapted` a transition that learns step size and metric; each column
/// stands beside the number of the step's info that it gets.
macro_rules! learning_transition {
    ($name:ident, |$info:ident| $($column:expr => $value:expr;)*) => {
        impl $crate::inference::transition::Transition for $name {
            fn columns(&self) -> Vec<Column> {
                vec![$($column),*]
            }

            fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
                self.adapted.start(density, state, rng)
            }

            fn step(
                &mut self,
                density: &mut dyn LogDensity,
                state: &mut State,
                phase: $crate::inference::transition::Phase,
                rng: &mut Generator,
                row: &mut [f64],
            ) -> Result<()> {
                let $info = self.transition(density, state, rng)?;
                row.copy_from_slice(&[$($value),*]);
                if let $crate::inference::transition::Phase::Warmup { step, of } = phase {
                    self.adapted.learn($info.acceptance_rate, step, of, density, state, rng)?;
                }
                Ok(())
            }

            fn visit(&mut self, fields: &mut dyn $crate::inference::persist::Fields) {
                self.adapted.visit(fields);
            }
        }
    };
}

pub(super) use learning_transition;
