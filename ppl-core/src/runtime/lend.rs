//! What can be passed to the arguments of a model: references, views, values of an enclosing model, missing observations.

use ndarray::{Array, Array1, ArrayView, Dimension};

use crate::runtime::argument::{DataArg, Obs, ObsArg};
use crate::runtime::columns::{Column, Columns};
use crate::runtime::data::Data;
use crate::runtime::data_source::DataSource;
use crate::tape::var::Var;
use crate::tensor::element::Element;

/// What can be passed to an argument `x: &A` of a model.
#[diagnostic::on_unimplemented(
    message = "an argument of the model borrows a `{A}`, and gets a `{Self}`",
    label = "not lent: write `&y`, of the type that the model names",
    note = "an argument `x: &A` takes `&x`, a view of an array or, inside another model, a value of that model"
)]
pub trait LendData<'a, A: ?Sized> {
    /// Returns the argument.
    fn lend_data(self) -> DataArg<'a, A>;
}

/// What can be passed to an argument `y: Obs<A>` of a model.
#[diagnostic::on_unimplemented(
    message = "an argument of the model borrows a `{A}` that may be missing, and gets a `{Self}`",
    label = "not lent: write `&y`, of the type that the model names",
    note = "an argument `y: Obs<A>` takes `&y`, a view of an array, `Some(&y)`, `None` or `Obs::missing()` or, inside another model, \
            a value of that model"
)]
pub trait LendObs<'a, A: ?Sized> {
    /// Returns the argument.
    fn lend_observed(self) -> ObsArg<'a, A>;
}

impl<'a, A> LendData<'a, A> for &'a A
where
    A: Columns<Of<DataSource<'a>>: Send + Sync + 'a> + ?Sized,
{
    fn lend_data(self) -> DataArg<'a, A> {
        DataArg::new(self.sources())
    }
}

impl<'a, A: Data + ?Sized> LendObs<'a, A> for &'a A {
    fn lend_observed(self) -> ObsArg<'a, A> {
        ObsArg::new(self.sources())
    }
}

impl<'a, A: Data + ?Sized> LendObs<'a, A> for Option<&'a A> {
    fn lend_observed(self) -> ObsArg<'a, A> {
        ObsArg::new(self.map_or(DataSource::Missing(None), A::sources))
    }
}

impl<'a, A: Data + 'a> LendObs<'a, A> for Obs<A> {
    fn lend_observed(self) -> ObsArg<'a, A> {
        ObsArg::new(self.into_source())
    }
}

impl<'a, A: Data + ?Sized> LendObs<'a, A> for &'a Obs<A> {
    fn lend_observed(self) -> ObsArg<'a, A> {
        ObsArg::new(Column::source(self))
    }
}

impl<'a, A: ?Sized> LendObs<'a, A> for ObsArg<'a, A> {
    fn lend_observed(self) -> ObsArg<'a, A> {
        self
    }
}

macro_rules! lend {
    ($([$($generics:tt)*] $t:ty => $data:ty, |$x:ident| $source:expr;)*) => {$(
        lend!(@each LendData lend_data DataArg [$($generics)*] $t => $data, |$x| $source);
        lend!(@each LendObs lend_observed ObsArg [$($generics)*] $t => $data, |$x| $source);
    )*};
    (@each $name:ident $method:ident $argument:ident [$($generics:tt)*] $t:ty => $data:ty, |$x:ident| $source:expr) => {
        #[diagnostic::do_not_recommend]
        impl<'a, $($generics)*> $name<'a, $data> for $t {
            fn $method(self) -> $argument<'a, $data> {
                let $x = self;
                $argument::new($source)
            }
        }
    };
}

lend! {
    [T: Element] &'a Vec<T> => [T], |x| DataSource::Array(Box::new(x));
    [T: Element, const N: usize] &'a [T; N] => [T], |x| DataSource::Array(Box::new(x));
    [T: Element] &'a Vec<T> => Array1<T>, |x| DataSource::Array(Box::new(x));
    [T: Element] &'a [T] => Array1<T>, |x| DataSource::Array(Box::new(x));
    [T: Element, const N: usize] &'a [T; N] => Array1<T>, |x| DataSource::Array(Box::new(x));
    [T: Element, D: Dimension + 'a] ArrayView<'a, T, D> => Array<T, D>, |x| DataSource::Array(Box::new(x));
    [T: Element, D: Dimension + 'a] ArrayView<'a, T, D> => ArrayView<'a, T, D>, |x| DataSource::Array(Box::new(x));
    [T: Element, D: Dimension + 'a] &'a Array<T, D> => ArrayView<'a, T, D>, |x| DataSource::Array(Box::new(x));
    [T: Element + Data + 'a] T => T, |x| DataSource::Array(Box::new(x));
    [A: Data + ?Sized + 'a] Var<'a> => A, |x| DataSource::Value(x.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn elements<'a>(argument: &ObsArg<'a, impl ?Sized>) -> Option<(Vec<usize>, Vec<f64>)> {
        let data = argument.source().data()?;
        let shape = data.shape().to_vec();
        let mut out = vec![f64::NAN; shape.iter().product()];
        data.write_f64(&mut out);
        Some((shape, out))
    }

    #[test]
    fn vectors_slices_arrays_and_views_lend_the_same_numbers() {
        let (vector, array) = (vec![1.0, 2.0], array![1.0, 2.0]);
        let wanted = Some((vec![2], vec![1.0, 2.0]));
        let of_array: [ObsArg<'_, Array1<f64>>; 6] = [
            (&array).lend_observed(),
            array.view().lend_observed(),
            (&vector).lend_observed(),
            vector[..].lend_observed(),
            (&[1.0, 2.0]).lend_observed(),
            Obs::from(array.clone()).lend_observed(),
        ];
        for argument in &of_array {
            assert_eq!(elements(argument), wanted);
        }
        let of_slice: [ObsArg<'_, [f64]>; 3] = [
            (&vector).lend_observed(),
            vector[..].lend_observed(),
            (&[1.0, 2.0]).lend_observed(),
        ];
        for argument in &of_slice {
            assert_eq!(elements(argument), wanted);
        }
    }

    #[test]
    fn missing_observations_lend_no_numbers() {
        let none: ObsArg<'_, Array1<f64>> = None.lend_observed();
        let missing: ObsArg<'_, Array1<f64>> = Obs::missing().lend_observed();
        assert_eq!(elements(&none), None);
        assert_eq!(elements(&missing), None);
        assert!(matches!(missing.source(), DataSource::Missing(None)));
        let like: ObsArg<'_, Array1<f64>> = Obs::missing_like(&[3]).lend_observed();
        assert!(matches!(like.source(), DataSource::Missing(Some(shape)) if shape[..] == [3]));
    }
}
