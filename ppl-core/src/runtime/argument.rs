//! The arguments of a bound model that are data: borrowed ones, and observations that may be missing.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::distributions::family::ObsKind;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::columns::{Column, Columns};
use crate::runtime::data::{Data, DataVisitor};
use crate::runtime::data_source::DataSource;
use crate::runtime::partial_data::{Mask, Masked};
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// A borrowed argument of a bound model: where each of its columns comes from. An array is a single column.
///
/// It asks nothing of `A`, so that an argument that is no data is one mistake in the body of the model.
pub struct DataArg<'a, A: ?Sized> {
    held: Box<dyn Held<A> + Send + Sync + 'a>,
}

impl<'a, A: ?Sized> DataArg<'a, A> {
    /// Returns the argument whose columns come from these sources.
    pub fn new(sources: A::Of<DataSource<'a>>) -> Self
    where
        A: Columns<Of<DataSource<'a>>: Send + Sync + 'a> + 'a,
    {
        DataArg {
            held: Box::new(Sources::<A> { sources }),
        }
    }

    /// Returns the argument whose columns are values of an enclosing model.
    pub fn of_values(values: &A::Of<Var<'a>>) -> Self
    where
        A: Columns<Of<DataSource<'a>>: Send + Sync + 'a> + 'a,
    {
        DataArg::new(A::map(values, &mut |_, &value| DataSource::Value(value.into())))
    }

    /// Returns the columns with a value in place of each.
    pub fn values<'t>(&self, each: &mut dyn FnMut(&DataSource<'_>) -> Var<'t>) -> A::Of<Var<'t>>
    where
        A: Columns,
    {
        self.held.values(each)
    }

    /// Shows the columns to a visitor, one after the other: an array by the name of the argument, the columns of a struct by
    /// those of its fields.
    pub fn visit(&self, argument: &'static str, visitor: &mut dyn DataVisitor) {
        self.held.visit(&mut |column, source| {
            let name = if column.is_empty() { argument } else { column };
            visitor.visit(name, source.data());
        });
    }

    /// Adds to `key` the shapes of the columns, and the fields that are no columns.
    pub fn hash_into(&self, key: &mut ArgumentsKey) {
        self.held.hash_into(key);
    }
}

/// The sources of the columns of `A`, of which nothing else is known.
trait Held<A: ?Sized> {
    fn values<'t>(&self, each: &mut dyn FnMut(&DataSource<'_>) -> Var<'t>) -> A::Of<Var<'t>>
    where
        A: Columns;
    fn visit(&self, each: &mut dyn FnMut(&'static str, &DataSource<'_>));
    fn hash_into(&self, key: &mut ArgumentsKey);
}

struct Sources<'a, A: Columns + ?Sized> {
    sources: A::Of<DataSource<'a>>,
}

impl<A: Columns + ?Sized> Held<A> for Sources<'_, A> {
    fn values<'t>(&self, each: &mut dyn FnMut(&DataSource<'_>) -> Var<'t>) -> A::Of<Var<'t>> {
        A::map(&self.sources, &mut |_, source| each(source))
    }

    fn visit(&self, each: &mut dyn FnMut(&'static str, &DataSource<'_>)) {
        A::map(&self.sources, &mut |column, source| each(column, source));
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        A::map(&self.sources, &mut |_, source| key.source(source));
        A::hash_structure(&self.sources, key);
    }
}

/// An observed argument of a bound model.
pub struct ObsArg<'a, A: ?Sized> {
    source: DataSource<'a>,
    data: PhantomData<fn() -> Box<A>>,
}

impl<'a, A: ?Sized> ObsArg<'a, A> {
    /// Returns the argument whose values come from here.
    pub fn new(source: DataSource<'a>) -> Self {
        ObsArg {
            source,
            data: PhantomData,
        }
    }

    /// Returns where the values come from.
    pub fn source(&self) -> &DataSource<'a> {
        &self.source
    }
}

/// An observation that may be missing.
///
/// A model declares an argument `y: Obs<Array1<f64>>` and is called with `&y`, `Some(&y)`, `None`, [`Obs::missing()`] or
/// [`Obs::missing_like`], and inside another model with a value of that model. The field of a struct of columns
/// (`#[derive(Data)]`) holds its array, or a reference to one: `Obs<&'a Array1<f64>>`.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::runtime::argument::Obs;
///
/// let observed = Obs::from(array![1.0, 2.0]);
/// assert!(!observed.is_missing());
/// assert!(Obs::<Array1<f64>>::missing_like(&[8]).is_missing());
/// ```
#[derive(Clone, Debug)]
pub struct Obs<A: ?Sized> {
    data: Option<Box<A>>,
    there: There,
    /// The shape of missing data, if it is known.
    shape: Option<Shape>,
}

/// Which elements of an observation are there.
#[derive(Clone, Debug)]
enum There {
    All,
    /// Those that are not NaN.
    Numbers,
    /// Those where a mask is not zero.
    Marked(Arc<Mask>),
}

impl There {
    /// Returns the source of data of which these elements are there.
    fn source<'a>(&self, data: Box<dyn Data + 'a>) -> DataSource<'a> {
        match self {
            There::All => DataSource::Array(data),
            There::Numbers => DataSource::Partly(data),
            There::Marked(mask) => DataSource::Partly(Box::new(Masked {
                data,
                mask: Arc::clone(mask),
            })),
        }
    }
}

impl<A: ?Sized> Obs<A> {
    /// Returns a missing observation: `observe` draws in its place. A plate cannot run over it.
    pub fn missing() -> Self {
        Obs {
            data: None,
            there: There::All,
            shape: None,
        }
    }

    /// Returns a missing observation of this shape, over which a plate can run.
    pub fn missing_like(shape: &[usize]) -> Self {
        Obs {
            data: None,
            there: There::All,
            shape: Some(Shape::from_slice(shape)),
        }
    }

    /// Returns whether there are no data.
    pub fn is_missing(&self) -> bool {
        self.data.is_none()
    }
}

impl<A: Data> Obs<A> {
    /// Returns an observation of which some elements are missing: those that are NaN.
    ///
    /// Elements that are there are scored, and the others are drawn where a model runs forward: by `Prior`, `trace` and
    /// `predict`, whose results hold the whole array. In the density of `Mh` and `Svi` what is missing is integrated out, which
    /// leaves the other elements: given the latents they are independent. Unless the model reads what is missing, as
    /// `phi * y[t - 1]` does: it is then imputed, a latent like any other, and the draws hold the whole array.
    ///
    /// The data are copied. A draw of several numbers, such as a row of a `MultivariateNormal`, is there or missing as a whole.
    ///
    /// ```
    /// use ndarray::{Array1, array};
    /// use ppl_core::distributions::Normal;
    /// use ppl_core::inference::mh::Mh;
    /// use ppl_core::runtime::argument::Obs;
    /// use ppl_macros::model;
    ///
    /// #[model(crate = ppl_core)]
    /// fn mean_of(y: Obs<Array1<f64>>) {
    ///     let mu = sample(Normal(0, 10));
    ///     for i in plate(y) {
    ///         observe(y[i], Normal(mu, 1));
    ///     }
    /// }
    ///
    /// let y = array![4.0, f64::NAN, 6.0];
    /// let fit = Mh::default().draws(300).seed(1).run(&mean_of(Obs::partly(&y)))?;
    /// assert!((fit.mu().mean().unwrap() - 5.0).abs() < 0.3);
    /// let ppc = fit.predict(&mean_of(Obs::partly(&y)))?;
    /// assert_eq!((ppc.y()[[0, 7, 0]], ppc.y()[[3, 9, 2]]), (4.0, 6.0));
    /// assert!((ppc.draws().mean("y")?[1] - 5.0).abs() < 0.3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn partly(data: &A) -> Self
    where
        A: Clone,
    {
        Obs {
            there: There::Numbers,
            ..Obs::from(data.clone())
        }
    }

    /// Returns an observation of which some elements are missing: those for which the mask is false or zero. It is treated as
    /// that of [`Obs::partly`]; what the data say there does not matter, so that counts and truth values can be missing too.
    ///
    /// A mask of another shape than the data is an error of the run.
    pub fn masked(data: &A, is_there: &(impl Data + ?Sized)) -> Self
    where
        A: Clone,
    {
        Obs {
            there: There::Marked(Arc::new(Mask::new(is_there))),
            ..Obs::from(data.clone())
        }
    }

    /// Returns the source of an argument that takes the observation over.
    pub(super) fn into_source<'a>(self) -> DataSource<'a>
    where
        A: 'a,
    {
        match self.data {
            Some(data) => self.there.source(data),
            None => DataSource::Missing(self.shape),
        }
    }
}

impl<A: Data + ?Sized> Column for Obs<A> {
    fn source(&self) -> DataSource<'_> {
        match &self.data {
            Some(data) => self.there.source(Box::new(&**data)),
            None => DataSource::Missing(self.shape.clone()),
        }
    }
}

impl<K, A: ObsKind<K> + ?Sized> ObsKind<K> for Obs<A> {}

impl<A: Data> From<A> for Obs<A> {
    fn from(data: A) -> Self {
        Some(data).into()
    }
}

impl<A: Data> From<Option<A>> for Obs<A> {
    fn from(data: Option<A>) -> Self {
        Obs {
            data: data.map(Box::new),
            there: There::All,
            shape: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_a_missing_observation() {
        assert!(Obs::from(None::<Vec<f64>>).is_missing());
        assert!(!Obs::from(Some(2.0)).is_missing());
    }
}
