//! What arrays of the user's are made of: numbers and truth values.

use num_traits::AsPrimitive;

/// A number or a truth value: an element of data, of a parameter, of an array in an expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no element of data: a borrowed argument of a model is an array of numbers",
    label = "its elements are neither numbers nor bool"
)]
pub trait Element: Copy + Send + Sync + 'static {
    /// Returns the value in double precision; true is one.
    fn to_f64(self) -> f64;
    /// Returns the value in single precision; true is one.
    fn to_f32(self) -> f32;
}

macro_rules! elements {
    ($($t:ty),*) => {$(
        impl Element for $t {
            fn to_f64(self) -> f64 {
                self.as_()
            }
            fn to_f32(self) -> f32 {
                self.as_()
            }
        }
    )*};
}

elements!(f64, f32, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Element for bool {
    fn to_f64(self) -> f64 {
        self as u8 as f64
    }
    fn to_f32(self) -> f32 {
        self as u8 as f32
    }
}
