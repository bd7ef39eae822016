//! How data reach a model: borrowed arrays, observations that may be missing, and handles from an enclosing model.

use std::marker::PhantomData;

use ndarray::{Array, ArrayView, Dimension};

use crate::runtime::data::Data;
use crate::runtime::partial_data::Masked;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::element::Element;
use crate::tensor::shape::Shape;

/// Where the values of a data argument come from.
pub enum Source<'a> {
    /// From an array in memory.
    Array(Box<dyn Data + 'a>),
    /// From an array in memory, in which NaN stands for an element that is missing.
    Partly(Box<dyn Data + 'a>),
    /// From the model that samples this one.
    Value(Handle<'a>),
    /// From nowhere: the observation is missing; the shape is known if it was given.
    Missing(Option<Shape>),
}

impl<'a> Source<'a> {
    /// Returns the array in memory, if there is one.
    pub fn data(&self) -> Option<&dyn Data> {
        match self {
            Source::Array(data) | Source::Partly(data) => Some(&**data),
            _ => None,
        }
    }
}

/// A value of a recording without a borrow of its tape, so that a bound model stays `Send` and `Sync`.
#[derive(Clone, Copy, Debug)]
pub struct Handle<'a> {
    pub(super) value: Detached,
    lifetime: PhantomData<&'a ()>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Detached {
    Constant(f64),
    Node { tape: usize, node: u32 },
}

impl<'a> From<Var<'a>> for Handle<'a> {
    fn from(value: Var<'a>) -> Self {
        let value = match (value.as_constant(), value.tape()) {
            (None, Some(tape)) => Detached::Node {
                tape: std::ptr::from_ref(tape).addr(),
                node: value.node(),
            },
            (constant, _) => Detached::Constant(constant.unwrap_or(f64::NAN)),
        };
        Handle {
            value,
            lifetime: PhantomData,
        }
    }
}

impl Handle<'_> {
    /// Returns the value on `tape`, or `None` if it belongs to another recording.
    pub(crate) fn attach<'t>(&self, tape: &'t Tape) -> Option<Var<'t>> {
        match self.value {
            Detached::Constant(value) => Some(Var::constant(value)),
            Detached::Node { tape: own, node } => (own == std::ptr::from_ref(tape).addr()).then(|| Var::on(tape, node)),
        }
    }
}

/// A borrowed argument of a model: `sigma: &Array1<f64>` takes `&sigma`, a view, or a value of an enclosing model.
pub struct DataArg<'a, A: ?Sized> {
    source: Source<'a>,
    data: PhantomData<fn() -> Box<A>>,
}

/// An observed argument of a model, which may be missing.
///
/// A model declares it as `y: Obs<Array1<f64>>` and is called with `&y`, `Some(&y)`, `None`, [`Obs::missing()`] or
/// [`Obs::missing_like`], and inside another model with a value of that model.
///
/// ```
/// use ndarray::{Array1, array};
/// use ppl_core::runtime::argument::Obs;
///
/// let y = array![1.0, 2.0];
/// let observed: Obs<Array1<f64>> = (&y).into();
/// assert!(!observed.is_missing());
/// assert!(Obs::<Array1<f64>>::missing_like(&[8]).is_missing());
/// ```
pub struct Obs<'a, A: ?Sized> {
    source: Source<'a>,
    data: PhantomData<fn() -> Box<A>>,
}

impl<'a, A: ?Sized> DataArg<'a, A> {
    /// Returns where the values come from.
    pub fn source(&self) -> &Source<'a> {
        &self.source
    }
}

impl<'a, A: ?Sized> Obs<'a, A> {
    /// Returns a missing observation: `observe` draws in its place. A plate cannot run over it.
    pub fn missing() -> Self {
        Source::Missing(None).into()
    }

    /// Returns a missing observation of this shape, over which a plate can run.
    pub fn missing_like(shape: &[usize]) -> Self {
        Source::Missing(Some(Shape::from_slice(shape))).into()
    }

    /// Returns an observation of which some elements are missing: those that are NaN.
    ///
    /// Elements that are there are scored, and the others are drawn where a model runs forward: by `Prior`, `trace` and
    /// `predict`, whose results hold the whole array. In the density of `Mh` and `Svi` what is missing is integrated out, which
    /// leaves the other elements: given the latents they are independent. Unless the model reads what is missing, as
    /// `phi * y[t - 1]` does: it is then imputed, a latent like any other, and the draws hold the whole array.
    ///
    /// A draw of several numbers, such as a row of a `MultivariateNormal`, is there or missing as a whole.
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
    pub fn partly(data: &'a A) -> Self
    where
        A: Data,
    {
        Source::Partly(Box::new(data)).into()
    }

    /// Returns an observation of which some elements are missing: those for which the mask is false or zero. It is treated as
    /// that of [`Obs::partly`]; what the data say there does not matter, so that counts and truth values can be missing too.
    ///
    /// A mask of another shape than the data is an error of the run.
    pub fn masked(data: &'a A, is_there: &'a (impl Data + ?Sized)) -> Self
    where
        A: Data,
    {
        Source::Partly(Box::new(Masked::new(data, is_there))).into()
    }

    /// Returns whether there are no data.
    pub fn is_missing(&self) -> bool {
        matches!(self.source, Source::Missing(_))
    }

    /// Returns where the values come from.
    pub fn source(&self) -> &Source<'a> {
        &self.source
    }
}

impl<'a, A: Data + ?Sized> From<Option<&'a A>> for Obs<'a, A> {
    fn from(data: Option<&'a A>) -> Self {
        data.map_or_else(Obs::missing, Obs::from)
    }
}

macro_rules! arguments {
    ($($name:ident)*) => {$(
        impl<'a, A: ?Sized> From<Source<'a>> for $name<'a, A> {
            fn from(source: Source<'a>) -> Self {
                $name { source, data: PhantomData }
            }
        }

        impl<'a, A: Data + ?Sized> From<&'a A> for $name<'a, A> {
            fn from(data: &'a A) -> Self {
                Source::Array(Box::new(data)).into()
            }
        }

        impl<'a, T: Element> From<&'a Vec<T>> for $name<'a, [T]> {
            fn from(data: &'a Vec<T>) -> Self {
                Source::Array(Box::new(data)).into()
            }
        }

        impl<'a, T: Element, const N: usize> From<&'a [T; N]> for $name<'a, [T]> {
            fn from(data: &'a [T; N]) -> Self {
                Source::Array(Box::new(data)).into()
            }
        }

        impl<'a, T: Element, D: Dimension + 'a> From<ArrayView<'a, T, D>> for $name<'a, Array<T, D>> {
            fn from(data: ArrayView<'a, T, D>) -> Self {
                Source::Array(Box::new(data)).into()
            }
        }

        impl<'a, T: Element + Data> From<T> for $name<'a, T> {
            fn from(data: T) -> Self {
                Source::Array(Box::new(data)).into()
            }
        }

        impl<'a, A: ?Sized> From<Var<'a>> for $name<'a, A> {
            fn from(value: Var<'a>) -> Self {
                Source::Value(value.into()).into()
            }
        }
    )*};
}

arguments!(DataArg Obs);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::tape::store::Precision;

    #[test]
    fn a_handle_returns_to_its_own_tape_only() {
        let (own, other) = (
            Tape::new(Precision::F64, Key::new(1)),
            Tape::new(Precision::F64, Key::new(1)),
        );
        let x = own.constant_array(&[2], [3.0, 4.0].into_iter());
        let handle = Handle::from(x);
        assert_eq!(handle.attach(&own).map(Var::elements), Some(vec![3.0, 4.0]));
        assert!(handle.attach(&other).is_none());
    }

    #[test]
    fn none_is_a_missing_observation() {
        let y: Obs<Vec<f64>> = None::<&Vec<f64>>.into();
        assert!(y.is_missing());
        let y: Obs<f64> = Some(&2.0).into();
        assert!(!y.is_missing());
    }
}
