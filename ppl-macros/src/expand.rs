//! What a model or guide becomes: a function that binds data, a struct inside it that runs, and a module of typed names.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, ItemFn, parse_quote, parse2};

use crate::companion::companion;
use crate::coverage::coverage;
use crate::errors::Errors;
use crate::options::Options;
use crate::rewrite::{Kind, Rewriter, context};
use crate::signature::{Parts, complete, type_parameters};

/// Expands `#[model]`.
pub fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Kind::Model, options, item)
}

/// Expands `#[guide(…)]`.
pub fn guide(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Kind::Guide, options, item)
}

/// On a mistake in the form of the input, the message and the item itself.
fn attribute(kind: Kind, options: TokenStream, item: TokenStream) -> TokenStream {
    let read = |options: TokenStream| -> syn::Result<Options> {
        let read = parse2::<Options>(options)?;
        match (kind, &read.model) {
            (Kind::Model, Some(path)) => Err(syn::Error::new(
                path.span(),
                "`#[model]` has one option: `crate = path`",
            )),
            (Kind::Guide, None) => Err(syn::Error::new(
                Span::call_site(),
                "name the model that this guide approximates: `#[guide(model)]`",
            )),
            _ => Ok(read),
        }
    };
    let options = match read(options) {
        Ok(options) => options,
        Err(error) => return with_stub(error, item),
    };
    match parse2::<ItemFn>(item.clone()) {
        Ok(function) => expand(kind, &options, function),
        Err(error) => {
            let error = match parse2::<syn::Item>(item.clone()) {
                Ok(other) => syn::Error::new(other.span(), "models and guides are functions with a body"),
                Err(_) => error,
            };
            let message = error.to_compile_error();
            quote!(#message #item)
        }
    }
}

fn with_stub(error: syn::Error, item: TokenStream) -> TokenStream {
    let message = error.to_compile_error();
    let stub = parse2::<ItemFn>(item)
        .map(|function| stub(&function))
        .unwrap_or_default();
    quote!(#message #stub)
}

/// Returns the function with its signature and no body.
fn stub(function: &ItemFn) -> TokenStream {
    let ItemFn {
        attrs, vis, mut sig, ..
    } = function.clone();
    complete(&mut sig);
    quote!(#(#attrs)* #[allow(unused_variables)] #vis #sig { ::core::unreachable!() })
}

fn expand(kind: Kind, options: &Options, mut function: ItemFn) -> TokenStream {
    let private = &options.private;
    let mut errors = Errors::default();
    let parts = Parts::read(&function, &mut errors);
    if !errors.is_empty() {
        let (messages, stub) = (errors.to_tokens(), stub(&function));
        return quote!(#messages #stub);
    }
    let mut rewriter = Rewriter::new(private, kind);
    for argument in &parts.arguments {
        // Nothing is known of the data where it is for `cfg` to choose.
        if let (Some(ty), true) = (argument.data(), argument.cfg.is_empty()) {
            rewriter.data.insert(argument.pat.ident.to_string(), ty.clone());
        }
    }
    rewriter.generics = type_parameters(&parts.generics)
        .iter()
        .map(ToString::to_string)
        .collect();
    rewriter.body(&mut function.block, parts.has_value());
    let Rewriter { errors, sites, .. } = rewriter;

    let messages = errors.to_tokens();
    let cfg: Vec<&Attribute> = function
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect();
    let same = sites.same_supports(private);
    let runner = runner(kind, options, &function, &parts, &same);
    let module = companion(private, kind, &function.sig.ident, &function.vis, &cfg, &sites);
    let check = match &options.model {
        Some(model) if errors.is_empty() => coverage(private, model, &sites),
        _ => TokenStream::new(),
    };
    quote!(#messages #module #runner #(#cfg)* #check)
}

/// Returns the function.
fn runner(kind: Kind, options: &Options, function: &ItemFn, parts: &Parts, same: &TokenStream) -> TokenStream {
    let private = &options.private;
    let ItemFn { attrs, vis, sig, .. } = function;
    let name = &sig.ident;
    let generics = with_data_lifetime(&parts.generics);
    let (_, arguments, clause) = generics.split_for_impl();
    let declared = parts.arguments.iter().map(|argument| argument.declaration(private));
    let bound = parts.arguments.iter().map(|argument| argument.binding(private));
    let out = parts.output_for(private, "'__data");
    let (interface, target) = match &options.model {
        Some(model) if kind == Kind::Guide => (quote!(Guide), quote!(, Target = #model::Names)),
        _ => (quote!(Model), TokenStream::new()),
    };
    let imp = implementation(options, function, parts, &generics, same);
    let fn_token = &sig.fn_token;
    let params = &generics.params;
    let turbofish = arguments.as_turbofish();
    quote! {
        #(#attrs)*
        #vis #fn_token #name<#params>(#(#declared),*) -> impl #private::#interface<
            Values = #name::Values, Names = #name::Names, Accessors = #name::Accessors #target
        > + #private::Sample<'__data, Out = #out> #clause {
            #imp
            __Model #turbofish { #(#bound,)* __types: ::core::marker::PhantomData }
        }
    }
}

/// Returns the struct that holds the arguments, with what makes it a model.
fn implementation(
    options: &Options,
    function: &ItemFn,
    parts: &Parts,
    generics: &Generics,
    same: &TokenStream,
) -> TokenStream {
    let private = &options.private;
    let (name, block) = (&function.sig.ident, &function.block);
    let (header, arguments, clause) = generics.split_for_impl();
    let params = &generics.params;
    let types = type_parameters(generics);
    let lifetimes = generics.lifetimes().map(|param| &param.lifetime);
    let fields = parts.arguments.iter().map(|argument| argument.field(private));
    let unpacked = parts.arguments.iter().map(|argument| argument.unpacking(private));
    let visits = parts.arguments.iter().map(|argument| argument.visit());
    let hashes = parts.arguments.iter().map(|argument| argument.hashing(private));
    let (out_tape, out_data) = (
        parts.output_for(private, "'__tape"),
        parts.output_for(private, "'__data"),
    );
    let (ctx, text) = (context(), crate::names::plain(name));
    let ok = quote_spanned!(Span::mixed_site()=> ::core::result::Result::Ok);
    let guide = options.model.as_ref().map(
        |model| quote!(impl #header #private::Guide for __Model #arguments #clause { type Target = #model::Names; }),
    );
    quote! {
        struct __Model<#params> #clause {
            #(#fields,)*
            __types: ::core::marker::PhantomData<fn() -> (#(&#lifetimes (),)* #(#types,)*)>,
        }
        impl #header __Model #arguments #clause {
            #[allow(clippy::let_unit_value)] // The binding names a submodel without a value.
            fn body<'__tape>(&self, #ctx: #private::Ctx<'__tape>) -> #private::Res<#out_tape> where '__data: '__tape {
                #(#unpacked)*
                #same
                #ok(#block)
            }
        }
        impl #header #private::Model for __Model #arguments #clause {
            type Out<'__tape> = #out_tape where Self: '__tape;
            type Values = #name::Values;
            type Names = #name::Names;
            type Accessors = #name::Accessors;
            fn run<'__tape>(&'__tape self, ctx: #private::Ctx<'__tape>) -> #private::Res<#out_tape> {
                self.body(ctx)
            }
            fn visit_data(&self, visitor: &mut dyn #private::DataVisitor) {
                let _ = &visitor;
                #(#visits)*
            }
            #[allow(unused_imports, clippy::needless_borrow)]
            fn hash_arguments(&self, key: &mut #private::ArgumentsKey) {
                use #private::{ByBits as _, ByHash as _, ByNothing as _};
                let _ = &key;
                #(#hashes)*
            }
            fn name(&self) -> &'static str {
                #text
            }
        }
        impl #header #private::Sample<'__data> for __Model #arguments #clause {
            type Out = #out_data;
            fn draw(self, ctx: #private::Ctx<'__data>, site: #private::Site) -> #private::Res<#out_data> {
                ctx.submodel(site, |ctx| self.body(ctx))
            }
        }
        #guide
    }
}

/// Returns the generics with the lifetime of borrowed data in front.
fn with_data_lifetime(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    generics.params.insert(0, parse_quote!('__data));
    generics.lt_token.get_or_insert_with(Default::default);
    generics.gt_token.get_or_insert_with(Default::default);
    generics
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares an expansion with a formatted file; spaces and commas, which the formatter changes, do not count.
    fn assert_expands(expansion: TokenStream, snapshot: &str) {
        let code = snapshot.lines().filter(|line| !line.trim_start().starts_with("//"));
        let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == ',', "");
        let (got, wanted) = (bare(&expansion.to_string()), bare(&code.collect::<String>()));
        let same = got.chars().zip(wanted.chars()).take_while(|(a, b)| a == b).count();
        let rest = |text: &str| text.chars().skip(same).take(200).collect::<String>();
        assert!(
            got == wanted,
            "after {same} characters\ngot      {}\nexpected {}",
            rest(&got),
            rest(&wanted)
        );
    }

    #[test]
    fn a_model_expands_as_in_the_snapshot() {
        let item = quote! {
            pub fn schools(sigma: &Array1<f64>, k: usize, y: Obs<Array1<f64>>) -> Var {
                let mut mu = sample(Normal(0, k));
                for j in plate(sigma) {
                    observe(y[j], Normal(mu, sigma[j]));
                }
                while mu.is_true() {
                    mu = sample(Normal(mu, 1));
                }
                mu
            }
        };
        assert_expands(model(quote!(), item), include_str!("../snapshots/model.rs"));
    }

    #[test]
    fn a_guide_expands_as_in_the_snapshot() {
        let item = quote! {
            fn family() {
                let mu = sample(Normal(param(0.0), 1));
            }
        };
        assert_expands(
            guide(quote!(schools, crate = ppl_core), item),
            include_str!("../snapshots/guide.rs"),
        );
    }

    #[test]
    fn mistakes_leave_the_rest_of_the_body_in_place() {
        let item = quote! {
            fn m() {
                sample(Normal(0, 1));
                let a = sample(Normal(0, 1));
            }
        };
        let text = model(quote!(), item).to_string();
        assert!(
            text.starts_with(":: core :: compile_error ! { \"this site has no name"),
            "{text}"
        );
        assert!(
            text.contains("__ctx . hole ()") && text.contains("name : \"a\""),
            "{text}"
        );
    }
}
