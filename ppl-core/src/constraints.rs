//! Sets of values: supports of distributions and domains of parameters, as types that the compiler compares.

macro_rules! sets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        relations!($name);
    )*};
}

macro_rules! relations {
    ($name:ident) => {
        impl Covers<$name> for $name {}
        impl Covers<Unknown> for $name {}
        impl SameSupport<$name> for $name {}
        impl SameSupport<Unknown> for $name {}
    };
}

sets! {
    /// All real numbers; elementwise for arrays.
    Real;
    /// The numbers above zero.
    Positive;
    /// The numbers between zero and one.
    UnitInterval;
    /// Vectors of numbers above zero that sum to one.
    Simplex;
    /// Vectors whose elements ascend.
    Ordered;
    /// Lower triangular matrices with a positive diagonal.
    LowerCholesky;
    /// False and true, as zero and one.
    Boolean;
    /// The categories 0, …, k − 1.
    Category;
    /// Vectors of zeros with a single one.
    OneHot;
    /// The numbers 0, 1, 2, …
    Count;
}

/// The numbers between two bounds. Bounds are compared at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval(pub f64, pub f64);

relations!(Interval);

/// A set that cannot be read off the source; it is compared at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown;

impl<S> Covers<S> for Unknown {}
impl<S> SameSupport<S> for Unknown {}

/// A guide's site with support `Self` can stand for a model's site with support `S`.
///
/// Each set implements it for itself and for [`Unknown`]; with a single implementation the compiler would report a type
/// mismatch in place of the text below.
#[diagnostic::on_unimplemented(
    message = "the guide draws this site from `{Self}`, and the model's site lives on `{S}`",
    label = "support `{Self}`, the model needs `{S}`",
    note = "choose a distribution with the support of the model's site, as `LogNormal` for `Positive`"
)]
pub trait Covers<S> {}

/// Two draws of one site come from the same set: in the arms of an `if` or `match`, or before a loop and in it.
#[diagnostic::on_unimplemented(
    message = "one site is drawn from different sets: `{S}` and `{Self}`",
    label = "support `{Self}`, before it was `{S}`",
    note = "give the sites different names, or distributions with the same support"
)]
pub trait SameSupport<S> {}

/// A set with finitely many elements, which can be summed over.
#[diagnostic::on_unimplemented(
    message = "`enumerate` sums over finitely many values, and this distribution's support `{Self}` is infinite",
    label = "cannot be enumerated",
    note = "`Bernoulli`, `Categorical` and `OneHotCategorical` can be enumerated"
)]
pub trait FiniteSupport {}

impl FiniteSupport for Boolean {}
impl FiniteSupport for Category {}
impl FiniteSupport for OneHot {}
