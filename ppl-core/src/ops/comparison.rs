//! Comparisons: masks of zeros and ones for every element, and truth values that read a scalar out of the tape.

use std::cmp::Ordering;

use crate::ops::elementwise::binary_op;
use crate::ops::param::Operand;
use crate::tape::var::Var;
use crate::tensor::element::Element;

binary_op! { Gt, "gt", |x, y, out| F::select(x > y, F::ONE, F::ZERO), no_grad }
binary_op! { Ge, "ge", |x, y, out| F::select(x >= y, F::ONE, F::ZERO), no_grad }
binary_op! { EqMask, "eq_mask", |x, y, out| F::select(x == y, F::ONE, F::ZERO), no_grad }
binary_op! { NeMask, "ne_mask", |x, y, out| F::select(x == y, F::ZERO, F::ONE), no_grad }

impl<'t> Var<'t> {
    /// Returns 1 where x > y and 0 elsewhere. A mask has no derivative.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(2.0).gt(1).value(), 1.0);
    /// ```
    #[track_caller]
    pub fn gt(self, y: impl Operand<'t>) -> Var<'t> {
        Gt::of(self, y.into_param().beside(self))
    }

    /// Returns 1 where x ≥ y and 0 elsewhere.
    #[track_caller]
    pub fn ge(self, y: impl Operand<'t>) -> Var<'t> {
        Ge::of(self, y.into_param().beside(self))
    }

    /// Returns 1 where x < y and 0 elsewhere.
    #[track_caller]
    pub fn lt(self, y: impl Operand<'t>) -> Var<'t> {
        Gt::of(y.into_param().beside(self), self)
    }

    /// Returns 1 where x ≤ y and 0 elsewhere.
    #[track_caller]
    pub fn le(self, y: impl Operand<'t>) -> Var<'t> {
        Ge::of(y.into_param().beside(self), self)
    }

    /// Returns 1 where x = y and 0 elsewhere.
    #[track_caller]
    pub fn eq_mask(self, y: impl Operand<'t>) -> Var<'t> {
        EqMask::of(self, y.into_param().beside(self))
    }

    /// Returns 1 where x ≠ y and 0 elsewhere.
    #[track_caller]
    pub fn ne_mask(self, y: impl Operand<'t>) -> Var<'t> {
        NeMask::of(self, y.into_param().beside(self))
    }
}

/// What a value can be compared with in Rust: a number or another value, which is read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a value of the model",
    label = "neither a number nor a value of the model",
    note = "for a mask of all elements write `x.gt(array)`, `x.eq_mask(array)` and the like"
)]
pub trait Readable: Copy {
    /// Returns the number, reading it as [`Var::value`] does.
    #[track_caller]
    fn read(self) -> f64;
}

impl Readable for Var<'_> {
    #[track_caller]
    fn read(self) -> f64 {
        self.value()
    }
}

macro_rules! readable {
    ($($t:ty),*) => {$(
        impl Readable for $t {
            fn read(self) -> f64 {
                self.to_f64()
            }
        }
    )*};
}

readable!(f64, f32, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

/// Comparisons that read both sides; the four operators of `PartialOrd` are written out so that the place of an error is
/// the caller's, not the trait's.
macro_rules! reads_both {
    ($([$($generics:tt)*] $left:ty, $right:ty;)*) => {$(
        impl<$($generics)*> PartialEq<$right> for $left {
            #[track_caller]
            fn eq(&self, other: &$right) -> bool {
                self.read() == other.read()
            }
        }

        impl<$($generics)*> PartialOrd<$right> for $left {
            #[track_caller]
            fn partial_cmp(&self, other: &$right) -> Option<Ordering> {
                self.read().partial_cmp(&other.read())
            }

            reads_both!(@ $right, lt <, le <=, gt >, ge >=);
        }
    )*};
    (@ $right:ty, $($method:ident $operator:tt),*) => {$(
        #[track_caller]
        fn $method(&self, other: &$right) -> bool {
            self.read() $operator other.read()
        }
    )*};
}

reads_both! {
    ['t, T: Readable] Var<'t>, T;
    ['t] f64, Var<'t>;
    ['t] i32, Var<'t>;
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::dims::Dim;

    fn tape() -> Tape {
        Tape::new(Precision::F64, Key::new(1))
    }

    #[test]
    fn masks_compare_each_element() {
        let tape = tape();
        let x = tape.input(0, &[], &[4], &[1.0, 2.0, 3.0, f64::NAN], false);
        assert_eq!(x.gt(2).elements(), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(x.ge(2).elements(), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(x.lt(2).elements(), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(x.le(2).elements(), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(x.eq_mask(2).elements(), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(x.ne_mask(2).elements(), [1.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn comparing_reads_the_tape_and_marks_it() {
        let tape = tape();
        let x = tape.input(0, &[], &[], &[1.5], false);
        assert!(!tape.is_tainted());
        assert!(x > 1 && 2.0 > x && x == 1.5 && x < x + 1 && 1 != x);
        assert!(tape.is_tainted());
    }

    #[test]
    fn comparing_a_value_of_a_plate_is_an_error_with_the_remedy() {
        let tape = tape();
        let place = (file!(), line!());
        let i = tape.open_dim(Dim {
            name: "i".into(),
            place,
            len: 2,
            in_memory: 2,
            full: 2,
            rows: None,
            open: true,
        });
        let x = tape.input(0, &[i], &[], &[1.0, 2.0], false);
        let is_greater = x > 0.0;
        let line = line!() - 1;
        assert!(!is_greater);
        match tape.take_error() {
            Some(Error::Plate { place, message }) => {
                assert_eq!((place.file, place.line), (file!(), line));
                assert!(
                    message.contains("inside plate `i`") && message.contains("where_(mask, a, b)"),
                    "{message}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
