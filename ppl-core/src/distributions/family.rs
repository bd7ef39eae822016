//! What is known of a distribution from its name alone: its support and the kind of data it explains.

use std::marker::PhantomData;

use ndarray::{Array, ArrayView, Dimension};

use crate::constraints::{Covers, SameSupport};

/// The type-level facts of a distribution.
///
/// The macros read the constructor's name at a site (`Normal(…)`, `Bernoulli::logits(…)`) and look these types up, so that
/// guides are compared with models, and data with distributions, when the program is compiled.
pub trait Family {
    /// The set of its values: a type of [`constraints`](crate::constraints).
    type Support;
    /// The kind of data that can be observed under it: [`Continuous`], [`Binary`], [`Categories`] or [`Counts`].
    type Kind;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
    )*};
}

kinds! {
    /// Data that are real numbers: `f64` and `f32`.
    Continuous;
    /// Data that are false or true: `bool`, or integers that are zero or one.
    Binary;
    /// Data that are categories 0, …, k − 1: integers.
    Categories;
    /// Data that count: integers.
    Counts;
    /// No kind at all: keeps the message of [`ObsKind`] in use where a type has one kind only.
    NoKind;
}

/// Data of type `Self` can be observed under distributions of kind `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be observed under a distribution of kind `{K}`",
    label = "explains `{K}` data, the observed argument is `{Self}`",
    note = "`Continuous` takes f64 and f32, `Binary` takes bool and integers, `Categories` and `Counts` take integers"
)]
pub trait ObsKind<K> {}

macro_rules! observed {
    ($($t:ty: $($kind:ident)*;)*) => {$(
        observed!(@each $t; $($kind)* NoKind);
    )*};
    (@each $t:ty; $($kind:ident)*) => {$(
        impl ObsKind<$kind> for $t {}
        impl<D: Dimension> ObsKind<$kind> for Array<$t, D> {}
        impl<D: Dimension> ObsKind<$kind> for ArrayView<'_, $t, D> {}
        impl ObsKind<$kind> for Vec<$t> {}
        impl ObsKind<$kind> for [$t] {}
        impl<const N: usize> ObsKind<$kind> for [$t; N] {}
    )*};
}

impl<K, A: ObsKind<K> + ?Sized> ObsKind<K> for &A {}

observed! {
    f64: Continuous;
    f32: Continuous;
    bool: Binary;
    usize: Binary Categories Counts;
    isize: Binary Categories Counts;
    u8: Binary Categories Counts;
    u16: Binary Categories Counts;
    u32: Binary Categories Counts;
    u64: Binary Categories Counts;
    i8: Binary Categories Counts;
    i16: Binary Categories Counts;
    i32: Binary Categories Counts;
    i64: Binary Categories Counts;
}

/// The support of a model's site; the macros implement it for the marker type of the site.
pub trait SiteSupport {
    /// The set of its values.
    type Support;
}

/// The proof that a guide's site covers the model's site `M`.
#[derive(Debug)]
pub struct Covered<M>(PhantomData<fn() -> M>);

/// Returns the proof that support `G` covers the site `M`; it does not compile where it does not.
pub fn covers<G, M>() -> Covered<M>
where
    G: Covers<M::Support>,
    M: SiteSupport,
{
    Covered(PhantomData)
}

/// Does nothing, and compiles only if two arms draw a site from the same set.
pub fn same_support<A: SameSupport<B>, B>() {}
