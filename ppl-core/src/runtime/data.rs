//! Arguments of models that are data: arrays of numbers that become slots of the recorded program.

use ndarray::{Array, ArrayView, Dimension};

use crate::tape::store::Buffer;
use crate::tensor::element::Element;
use crate::tensor::shape::Shape;

/// An array of numbers or truth values that a model can take by reference.
///
/// It is implemented for arrays, vectors, slices and scalars of `f64`, `f32`, `bool` and integers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data: a borrowed argument of a model is an array of numbers",
    label = "not an array, vector or slice of numbers or bool",
    note = "take it by value to make it part of the model's structure, as `k: usize` or `net: Mlp`"
)]
pub trait Data: Send + Sync {
    /// Returns the lengths of the axes; `[]` for a scalar.
    fn shape(&self) -> Shape;
    /// Writes all elements, row-major; false and true are zero and one.
    ///
    /// # Panics
    ///
    /// If `out` has another length than the data.
    fn write_f64(&self, out: &mut [f64]);
    /// Writes all elements, row-major and rounded to single precision; panics as [`Data::write_f64`] does.
    fn write_f32(&self, out: &mut [f32]);

    /// Returns what is wrong with the data, if they cannot be used as they are.
    #[doc(hidden)]
    fn fault(&self) -> Option<String> {
        None
    }

    /// Writes all elements in the precision of the buffer; panics as [`Data::write_f64`] does.
    fn write(&self, out: Buffer<'_>) {
        match out {
            Buffer::F64(out) => self.write_f64(out),
            Buffer::F32(out) => self.write_f32(out),
        }
    }
}

macro_rules! scalar_data {
    ($($t:ty),*) => {$(
        impl Data for $t {
            fn shape(&self) -> Shape {
                Shape::new()
            }
            fn write_f64(&self, out: &mut [f64]) {
                fill(out, std::iter::once(self.to_f64()));
            }
            fn write_f32(&self, out: &mut [f32]) {
                fill(out, std::iter::once(self.to_f32()));
            }
        }
    )*};
}

scalar_data!(f64, f32, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

macro_rules! array_data {
    ($([$($generics:tt)*] $t:ty, $data:ident => $shape:expr, $slice:expr;)*) => {$(
        impl<$($generics)*> Data for $t {
            fn shape(&self) -> Shape {
                let $data = self;
                $shape
            }
            fn write_f64(&self, out: &mut [f64]) {
                let $data = self;
                match $slice {
                    Some(slice) => fill(out, slice.iter().map(|x| x.to_f64())),
                    None => fill(out, self.iter().map(|x| x.to_f64())),
                }
            }
            fn write_f32(&self, out: &mut [f32]) {
                let $data = self;
                match $slice {
                    Some(slice) => fill(out, slice.iter().map(|x| x.to_f32())),
                    None => fill(out, self.iter().map(|x| x.to_f32())),
                }
            }
        }
    )*};
}

array_data! {
    [T: Element, D: Dimension] Array<T, D>, data => Shape::from_slice(data.shape()), data.as_slice();
    [T: Element, D: Dimension] ArrayView<'_, T, D>, data => Shape::from_slice(data.shape()), data.as_slice();
    [T: Element] [T], data => Shape::from_slice(&[data.len()]), Some(data);
    [T: Element] Vec<T>, data => Shape::from_slice(&[data.len()]), Some(data);
    [T: Element, const N: usize] [T; N], data => Shape::from_slice(&[data.len()]), Some(data);
}

impl<A: Data + ?Sized> Data for &A {
    fn shape(&self) -> Shape {
        (**self).shape()
    }
    fn write_f64(&self, out: &mut [f64]) {
        (**self).write_f64(out);
    }
    fn write_f32(&self, out: &mut [f32]) {
        (**self).write_f32(out);
    }
}

/// Looks at the data arguments of a model.
pub trait DataVisitor {
    /// Takes an argument with its name, or a column with that of its field; its data are `None` where they are missing or come from an enclosing model.
    fn visit(&mut self, argument: &'static str, data: Option<&dyn Data>);
}

/// Does nothing, and compiles only for data; the macros check the observed arguments of a model with it.
pub fn is_data<A: Data + ?Sized>() {}

fn fill<F>(out: &mut [F], values: impl ExactSizeIterator<Item = F>) {
    assert_eq!(
        out.len(),
        values.len(),
        "the slot has {} elements, the data {}",
        out.len(),
        values.len()
    );
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn elements_are_written_row_major() {
        let transposed: Array2<i32> = array![[1, 2], [3, 4], [5, 6]].reversed_axes();
        let mut out = [0.0; 6];
        transposed.write_f64(&mut out);
        assert_eq!(transposed.shape(), [2, 3]);
        assert_eq!(out, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn truth_values_are_zero_and_one() {
        let mut out = [7.0f32; 2];
        vec![true, false].write_f32(&mut out);
        assert_eq!(out, [1.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "the slot has 3 elements, the data 2")]
    fn a_slot_of_another_length_panics() {
        [1.0, 2.0].write_f64(&mut [0.0; 3]);
    }
}
