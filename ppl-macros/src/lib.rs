//! The macros `#[model]` and `#[guide]`, which turn functions with words into models, and the derives of modules and data.
//!
//! In reading order: the options of the attribute (`options`), the arguments of the function (`signature`), the rewriting
//! of the words (`rewrite`), the record of sites and the checks on it (`sites`), supports read off tokens (`support`),
//! and what is put together from them: the function (`expand`), the module of typed names (`companion`) and the
//! comparison of a guide with its model (`coverage`). The derives stand by themselves: structs of layers (`module`) and
//! structs of columns (`columns`).

use proc_macro::TokenStream;

mod columns;
mod companion;
mod coverage;
mod errors;
mod expand;
mod module;
mod names;
mod options;
mod rewrite;
mod signature;
mod sites;
mod support;

/// Turns a function into a model: calling it binds its data, and every algorithm can run the result.
///
/// In the body the words `sample`, `observe`, `param`, `plate`, `markov`, `track` and `factor` have their meaning; all
/// else is Rust. Borrowed arguments are data, `Obs<…>` arguments are observations that may be missing, owned arguments
/// are structure. `#[model(crate = path)]` names the crate that the expansion refers to, `::posterior` by default.
#[proc_macro_attribute]
pub fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::model(options.into(), item.into()).into()
}

/// Turns a function into a guide, a variational family for the model named in the attribute: `#[guide(eight_schools)]`.
///
/// The sites of the guide and their supports are compared with those of the model when the program is compiled.
#[proc_macro_attribute]
pub fn guide(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::guide(options.into(), item.into()).into()
}

/// Turns a struct of layers into a module, whose parameters are named by the fields: `hidden.weight`.
///
/// The struct is generic over what stands in place of a parameter, which is its first type parameter. Fields whose type
/// mentions it are modules, others are kept as they are:
///
/// ```text
/// #[derive(Clone, Module)]
/// struct Net<P = Parameter> {
///     hidden: Linear<P>,
///     out: Vec<Linear<P>>,
///     activation: Activation,
/// }
/// ```
///
/// `#[module(crate = path)]` names the crate of the networks, `::posterior::nn` by default.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(item: TokenStream) -> TokenStream {
    module::module(item.into()).into()
}

/// Turns a struct of arrays into data that a model takes in one argument: `d: &Schools` gives `d.sigma[j]`.
///
/// Each field is a data argument of the model with all its checks: an array, vector or slice of numbers or truth values,
/// owned or borrowed, a number, or an `Obs` of one, which may be missing. In the body a value stands in its place.
///
/// ```text
/// #[derive(Data)]
/// struct Schools<'a> {
///     sigma: Array1<f64>,
///     prior: &'a [f64],
///     effect: Obs<Array1<f64>>,
///     n_groups: usize,
///     #[data(structure)]
///     link: Link,
/// }
/// ```
///
/// Fields of type `usize` and `bool`, and those marked `#[data(structure)]`, are no data but structure, as owned arguments
/// are: they are cloned, stay the Rust values that they were, and another value is another program.
///
/// The body sees a struct `SchoolsColumns<Var>` with the same fields: a function of one's own takes
/// `d: SchoolsColumns<Var<'t>>`, and a model that uses another with such an argument passes `d` on or makes one of its own
/// values. The name of an observed column is that of its field.
///
/// `#[data(crate = path)]` on the struct names the crate that the expansion refers to, `::posterior` by default.
#[proc_macro_derive(Data, attributes(data))]
pub fn derive_data(item: TokenStream) -> TokenStream {
    columns::data(item.into()).into()
}
