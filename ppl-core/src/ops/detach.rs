//! Detach: a value whose derivative is not wanted.

use crate::ops::elementwise::{unary, unary_op};
use crate::tape::var::Var;

unary_op! { Detach, "detach", |x, out| x, no_grad }

impl<'t> Var<'t> {
    /// Returns the value as if it were a constant: no derivative flows back through it.
    pub fn detach(self) -> Var<'t> {
        unary::<Detach>(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::testing::op_check::check_recording;

    #[test]
    fn the_value_stays_and_the_derivative_stops() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[2], &[3.0, -4.0], false);
        tape.term(SumTerm::DEF, &[x * x.detach()], &[], 0, 1.0, 0);
        assert_eq!(tape.log_density(), 25.0);
        assert_eq!(gradient(&tape), [3.0, -4.0]);
        check_recording(&tape);
    }
}
