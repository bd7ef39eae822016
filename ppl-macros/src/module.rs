//! `#[derive(Module)]`: a struct of layers becomes a module whose parts are named by their fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::visit::{Visit, visit_ident};
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Generics, Ident, Path, Token, Type};

use crate::names::plain;

/// Expands `#[derive(Module)]`.
pub fn module(item: TokenStream) -> TokenStream {
    syn::parse2::<DeriveInput>(item)
        .and_then(|input| expand(&input))
        .unwrap_or_else(|error| error.to_compile_error())
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        let message = "a module is a struct of layers; a choice between networks is made before the model is called";
        return Err(syn::Error::new(input.ident.span(), message));
    };
    let Some(parameter) = parameter_of(&input.generics) else {
        let name = &input.ident;
        let message = format!(
            "a module is generic over its parameters: write `struct {name}<P = Parameter>`, and `Linear<P>` for its layers"
        );
        return Err(syn::Error::new(name.span(), message));
    };
    let krate = crate_of(&input.attrs)?;
    let name = &input.ident;
    let (value, error) = (format_ident!("__Q"), format_ident!("__E"));
    let described = arguments(&input.generics, parameter, &quote!(#krate::Parameter));
    let with = arguments(&input.generics, parameter, &quote!(#value));
    let others = without(&input.generics, parameter);
    let (header, _, clause) = others.split_for_impl();
    let fields = mapped(&krate, &data.fields, parameter);
    let result = quote!(::core::result::Result);
    Ok(quote! {
        #[automatically_derived]
        impl #header #krate::Module for #name #described #clause {
            type With<#value> = #name #with;

            fn map_parameters<#value, #error>(
                &self,
                path: &#krate::Path<'_>,
                each: &mut dyn ::core::ops::FnMut(&#krate::Parameter) -> #result<#value, #error>,
            ) -> #result<#name #with, #error> {
                #result::Ok(#name { #fields })
            }
        }
    })
}

/// Returns the first type parameter, which stands for what is in place of the parameters of the module.
fn parameter_of(generics: &Generics) -> Option<&Ident> {
    generics.type_params().next().map(|parameter| &parameter.ident)
}

/// Returns the crate of the attribute `#[module(crate = path)]`, or `::posterior::nn`.
fn crate_of(attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let mut krate = quote!(::posterior::nn);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("`#[module]` has one option: `crate = path`"));
            }
            let path = meta.value()?.call(Path::parse_mod_style)?;
            krate = quote!(#path);
            Ok(())
        })?;
    }
    Ok(krate)
}

/// Returns the arguments of the struct with `ty` for the parameter of the module.
fn arguments(generics: &Generics, parameter: &Ident, ty: &TokenStream) -> TokenStream {
    let all = generics.params.iter().map(|param| match param {
        GenericParam::Type(t) if t.ident == *parameter => ty.clone(),
        GenericParam::Type(t) => {
            let ident = &t.ident;
            quote!(#ident)
        }
        GenericParam::Lifetime(l) => {
            let lifetime = &l.lifetime;
            quote!(#lifetime)
        }
        GenericParam::Const(c) => {
            let ident = &c.ident;
            quote!(#ident)
        }
    });
    quote!(<#(#all),*>)
}

/// Returns the generics without the parameter of the module.
fn without(generics: &Generics, parameter: &Ident) -> Generics {
    let mut others = generics.clone();
    others.params = generics
        .params
        .iter()
        .filter(|param| !matches!(param, GenericParam::Type(t) if t.ident == *parameter))
        .cloned()
        .collect::<Punctuated<_, Token![,]>>();
    others
}

/// Returns the fields of the mapped struct: those that hold parameters are visited, others are cloned.
fn mapped(krate: &TokenStream, fields: &Fields, parameter: &Ident) -> TokenStream {
    let mapped = fields.iter().zip(fields.members()).enumerate();
    let mapped = mapped.map(|(i, (field, member))| {
        if !mentions(&field.ty, parameter) {
            return quote!(#member: ::core::clone::Clone::clone(&self.#member),);
        }
        let part = match &field.ident {
            Some(ident) => {
                let text = plain(ident);
                quote!(field(#text))
            }
            None => quote!(number(#i)),
        };
        quote!(#member: #krate::Module::map_parameters(&self.#member, &path.#part, each)?,)
    });
    mapped.collect()
}

/// Returns whether a type mentions a type parameter.
fn mentions(ty: &Type, parameter: &Ident) -> bool {
    struct Search<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.1 |= ident == self.0;
            visit_ident(self, ident);
        }
    }
    let mut search = Search(parameter, false);
    search.visit_type(ty);
    search.1
}
