//! Structs of columns: several arrays in one argument, each of them data with all its checks.

use std::marker::PhantomData;

use crate::distributions::family::ObsKind;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::data::Data;
use crate::runtime::data_source::DataSource;

/// What a model can borrow: an array of numbers, or a struct with `#[derive(Data)]`, whose fields are arrays.
///
/// An argument `d: &Schools` of a model is `Schools::Of<Var>` in its body: the same struct with a value in place of each
/// column. The derive calls that struct `SchoolsColumns`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no data: a borrowed argument of a model is an array of numbers or a struct with `#[derive(Data)]`",
    label = "neither an array, vector or slice of numbers or bool, nor a struct of them",
    note = "take it by value to make it part of the model's structure, as `k: usize` or `net: Mlp`"
)]
pub trait Columns {
    /// The struct with a `V` in place of each column; for an array it is `V` itself.
    type Of<V>;

    /// Returns where the columns come from.
    fn sources(&self) -> Self::Of<DataSource<'_>>;

    /// Returns the struct with something else in place of each column; `each` gets the names of the fields, and an empty one
    /// for an array.
    fn map<V, W>(columns: &Self::Of<V>, each: &mut dyn FnMut(&'static str, &V) -> W) -> Self::Of<W>;

    /// Adds to `key` the fields that are no columns: they are baked into the recording.
    fn hash_structure<V>(columns: &Self::Of<V>, key: &mut ArgumentsKey);
}

impl<A: Data + ?Sized> Columns for A {
    type Of<V> = V;

    fn sources(&self) -> DataSource<'_> {
        DataSource::Array(Box::new(self))
    }

    fn map<V, W>(column: &V, each: &mut dyn FnMut(&'static str, &V) -> W) -> W {
        each("", column)
    }

    fn hash_structure<V>(_: &V, _: &mut ArgumentsKey) {}
}

/// What a field of a struct of columns can be: data, owned or borrowed, or an [`Obs`](crate::runtime::argument::Obs).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column: a field of a struct with `#[derive(Data)]` is an array of numbers or an `Obs` of one",
    label = "not an array, vector or slice of numbers or bool",
    note = "mark the field `#[data(structure)]` to bake it into the model, as owned arguments are"
)]
pub trait Column {
    /// Returns where its values come from.
    fn source(&self) -> DataSource<'_>;
}

impl<A: Data + ?Sized> Column for A {
    fn source(&self) -> DataSource<'_> {
        DataSource::Array(Box::new(self))
    }
}

/// The type of the field whose name has the hash `NAME`: the macros look it up where a column is observed.
pub trait Field<const NAME: u64> {
    /// The type of the field.
    type Data: ?Sized;
}

/// A field of an argument of type `A`, which may have no such field.
///
/// `(&&FieldOf::<A, NAME>::new()).kind()` is the kind of its data if there is one, and otherwise fits every distribution.
pub struct FieldOf<A: ?Sized, const NAME: u64>(PhantomData<fn() -> Box<A>>);

impl<A: ?Sized, const NAME: u64> FieldOf<A, NAME> {
    /// Returns the field.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        FieldOf(PhantomData)
    }
}

/// The type of observed data, as a value.
pub struct KindOf<A: ?Sized>(PhantomData<fn() -> Box<A>>);

/// Fields of a struct of columns.
pub trait ByField {
    /// The type of the field.
    type Data: ?Sized;

    /// Returns the type of the field.
    fn kind(&self) -> KindOf<Self::Data> {
        KindOf(PhantomData)
    }
}

impl<A: Field<NAME> + ?Sized, const NAME: u64> ByField for &FieldOf<A, NAME> {
    type Data = A::Data;
}

/// Whatever else stands behind a dot.
pub trait ByGuess {
    /// Returns a type that fits every distribution.
    fn kind(&self) -> KindOf<AnyKind> {
        KindOf(PhantomData)
    }
}

impl<A: ?Sized, const NAME: u64> ByGuess for FieldOf<A, NAME> {}

/// Data of which nothing is known when the program is compiled.
pub struct AnyKind;

impl<K> ObsKind<K> for AnyKind {}
