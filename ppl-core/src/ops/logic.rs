//! Logic on masks: and, or, not, where zero is false and anything else true.

use std::ops::{BitAnd, BitOr, Not};

use crate::kernels::real::Real;
use crate::ops::elementwise::{binary_op, unary, unary_op};
use crate::ops::param::Operand;
use crate::tape::var::Var;

binary_op! { And, "and", |x, y, out| truth(x != F::ZERO && y != F::ZERO), no_grad }
binary_op! { Or, "or", |x, y, out| truth(x != F::ZERO || y != F::ZERO), no_grad }
unary_op! { Negated, "not", |x, out| truth(x == F::ZERO), no_grad }

#[inline(always)]
fn truth<F: Real>(mask: bool) -> F {
    F::select(mask, F::ONE, F::ZERO)
}

impl<'t, T: Operand<'t>> BitAnd<T> for Var<'t> {
    type Output = Var<'t>;

    /// Returns 1 where both masks hold and 0 elsewhere.
    #[track_caller]
    fn bitand(self, other: T) -> Var<'t> {
        And::of(self, other.into_param().beside(self))
    }
}

impl<'t, T: Operand<'t>> BitOr<T> for Var<'t> {
    type Output = Var<'t>;

    /// Returns 1 where either mask holds and 0 elsewhere.
    #[track_caller]
    fn bitor(self, other: T) -> Var<'t> {
        Or::of(self, other.into_param().beside(self))
    }
}

impl<'t> Not for Var<'t> {
    type Output = Var<'t>;

    /// Returns 1 where the mask does not hold and 0 elsewhere.
    fn not(self) -> Var<'t> {
        unary::<Negated>(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::where_::where_;
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn masks_follow_their_truth_tables() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[4], &[0.0, 0.0, 2.0, 2.0], false);
        let y = tape.input(4, &[], &[4], &[0.0, 3.0, 0.0, 3.0], false);
        assert_eq!((x & y).elements(), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!((x | y).elements(), [0.0, 1.0, 1.0, 1.0]);
        assert_eq!((!x).elements(), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(where_(!(x & y), x, -1).elements(), [0.0, 0.0, 2.0, -1.0]);
    }
}
