//! The macros `#[model]`, `#[guide]` and `#[derive(Module)]`: functions with words become models, structs of layers modules.
//!
//! In reading order: the options of the attribute (`options`), the arguments of the function (`signature`), the rewriting
//! of the words (`rewrite`), the record of sites and the checks on it (`sites`), supports read off tokens (`support`),
//! and what is put together from them: the function (`expand`), the module of typed names (`companion`) and the
//! comparison of a guide with its model (`coverage`). The derive stands by itself (`module`).

use proc_macro::TokenStream;

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
