//! `#[derive(Data)]`: a struct of arrays becomes one argument of a model, each field a column.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericParam, Generics, Ident, Lifetime, Path, Type, WherePredicate,
    parse_quote,
};

use crate::errors::Errors;
use crate::names::{number, plain};

/// Expands `#[derive(Data)]`.
pub fn data(item: TokenStream) -> TokenStream {
    syn::parse2::<DeriveInput>(item)
        .and_then(|input| expand(&input))
        .unwrap_or_else(|error| error.to_compile_error())
}

/// A field of the struct.
struct Column<'a> {
    field: &'a Field,
    ident: &'a Ident,
    /// Whether it is baked into the model.
    is_structure: bool,
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let private = private_of(&input.attrs)?;
    let Data::Struct(data) = &input.data else {
        let message = "data are a struct of columns: a struct with one array for each field";
        return Err(syn::Error::new(input.ident.span(), message));
    };
    let Fields::Named(_) = &data.fields else {
        let message = "columns have names: write `struct Name { x: Array1<f64>, y: Obs<Array1<f64>> }`";
        return Err(syn::Error::new(input.ident.span(), message));
    };
    let named = data
        .fields
        .iter()
        .filter_map(|field| field.ident.as_ref().map(|ident| (field, ident)));
    let columns: Vec<Column<'_>> = named
        .map(|(field, ident)| Column {
            field,
            ident,
            is_structure: is_marked(&field.attrs, &mut errors) || is_bare(&field.ty),
        })
        .collect();
    if columns.iter().all(|column| column.is_structure) {
        let message = "no field is a column: one that is baked into the model is passed by value";
        errors.push(input.ident.span(), message);
    }
    if !errors.is_empty() {
        return Ok(errors.to_tokens());
    }
    let (declared, implemented) = (declaration(input, &columns), implementation(&private, input, &columns));
    Ok(quote!(#declared #implemented))
}

/// Returns the struct that the body of a model sees.
fn declaration(input: &DeriveInput, columns: &[Column<'_>]) -> TokenStream {
    let (name, vis) = (&input.ident, &input.vis);
    let of = columns_ident(name);
    let kept = Kept::of(&input.generics, columns);
    let params = kept.params(&quote!(__V));
    let fields = columns.iter().map(|column| {
        let (ident, vis, ty) = (column.ident, &column.field.vis, &column.field.ty);
        let docs = column.field.attrs.iter().filter(|a| a.path().is_ident("doc"));
        let ty = match column.is_structure {
            true => quote!(#ty),
            false => quote!(__V),
        };
        quote!(#(#docs)* #vis #ident: #ty)
    });
    let marked = columns
        .iter()
        .any(|column| column.is_structure && !is_bare(&column.field.ty));
    let derives = (!marked).then(|| quote!(#[derive(Clone, Copy, Debug)]));
    let cloned = marked.then(|| clone(&of, &kept, columns, &input.generics));
    let text = format!("[`{name}`] in the body of a model: a value in place of each column.");
    quote! {
        #[doc = #text]
        #derives
        #[allow(dead_code, missing_docs)]
        #vis struct #of #params { #(#fields,)* }
        #cloned
    }
}

/// Returns `Clone` for a struct with fields that are baked in: a field that cannot be cloned is one mistake, at its type.
fn clone(of: &Ident, kept: &Kept<'_>, columns: &[Column<'_>], generics: &Generics) -> TokenStream {
    let (params, arguments) = (
        kept.params(&quote!(__V: ::core::clone::Clone)),
        kept.arguments(&quote!(__V)),
    );
    let types = generics
        .params
        .iter()
        .filter(|param| matches!(param, GenericParam::Type(_)));
    let types: Vec<&GenericParam> = types.collect();
    let structure = columns
        .iter()
        .filter(|column| column.is_structure)
        .map(|column| &column.field.ty);
    let generic = structure.filter(|ty| types.iter().any(|param| mentions(ty, param)));
    let fields = columns.iter().map(|column| {
        let (ident, ty) = (column.ident, &column.field.ty);
        quote_spanned!(ty.span()=> #ident: ::core::clone::Clone::clone(&self.#ident),)
    });
    quote! {
        #[automatically_derived]
        impl #params ::core::clone::Clone for #of #arguments where #(#generic: ::core::clone::Clone,)* {
            fn clone(&self) -> Self {
                #of { #(#fields)* }
            }
        }
    }
}

/// Returns what makes the struct data.
fn implementation(private: &TokenStream, input: &DeriveInput, columns: &[Column<'_>]) -> TokenStream {
    let name = &input.ident;
    let of = columns_ident(name);
    let bounded = bounded(private, &input.generics, columns);
    let (header, arguments, clause) = bounded.split_for_impl();
    let kept = Kept::of(&input.generics, columns);
    let (of_v, of_w) = (kept.arguments(&quote!(__V)), kept.arguments(&quote!(__W)));
    let of_sources = kept.arguments(&quote!(#private::DataSource<'_>));
    let of_values = kept.arguments(&quote!(#private::Var<'__data>));
    let sources = columns.iter().map(|column| {
        let (ident, ty) = (column.ident, &column.field.ty);
        match column.is_structure {
            true => quote_spanned!(ty.span()=> #ident: ::core::clone::Clone::clone(&self.#ident),),
            false => quote_spanned!(ty.span()=> #ident: #private::Column::source(&self.#ident),),
        }
    });
    let mapped = columns.iter().map(|column| {
        let (ident, text) = (column.ident, plain(column.ident));
        match column.is_structure {
            true => quote_spanned!(column.field.ty.span()=> #ident: ::core::clone::Clone::clone(&columns.#ident),),
            false => quote!(#ident: each(#text, &columns.#ident),),
        }
    });
    let hashed = columns.iter().filter(|column| column.is_structure).map(|column| {
        let ident = column.ident;
        quote!((&&&#private::Owned(&columns.#ident)).hash_into(key);)
    });
    let kinds = columns.iter().filter(|column| !column.is_structure).map(|column| {
        let (number, ty) = (number(column.ident), &column.field.ty);
        quote!(
            #[automatically_derived]
            impl #header #private::Field<#number> for #name #arguments #clause { type Data = #ty; }
        )
    });
    let with_data = with_data_lifetime(&bounded);
    let (lent, _, _) = with_data.split_for_impl();
    let mut outliving = bounded.clone();
    let own: WherePredicate = parse_quote!(#name #arguments: '__data);
    outliving.make_where_clause().predicates.push(own);
    let outlives = &outliving.where_clause;
    quote! {
        #[automatically_derived]
        impl #header #private::Columns for #name #arguments #clause {
            type Of<__V> = #of #of_v;

            fn sources(&self) -> #of #of_sources {
                #of { #(#sources)* }
            }

            fn map<__V, __W>(
                columns: &#of #of_v,
                each: &mut dyn ::core::ops::FnMut(&'static str, &__V) -> __W,
            ) -> #of #of_w {
                #of { #(#mapped)* }
            }

            #[allow(unused_imports, clippy::needless_borrow)]
            fn hash_structure<__V>(columns: &#of #of_v, key: &mut #private::ArgumentsKey) {
                use #private::{ByBits as _, ByHash as _, ByNothing as _};
                let _ = (columns, &key);
                #(#hashed)*
            }
        }
        #(#kinds)*
        #[automatically_derived]
        impl #lent #private::LendData<'__data, #name #arguments> for #of #of_values #outlives {
            fn lend_data(self) -> #private::DataArg<'__data, #name #arguments> {
                #private::DataArg::of_values(&self)
            }
        }
    }
}

/// Returns the name of the struct that the body of a model sees.
fn columns_ident(name: &Ident) -> Ident {
    format_ident!("{name}Columns", span = name.span())
}

/// Returns the path that the expansion refers to: `::posterior::__private`, or that of `#[data(crate = path)]`.
fn private_of(attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let mut private = quote!(::posterior::__private);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("data")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("`#[data]` of a struct has one option: `crate = path`"));
            }
            let path = meta.value()?.call(Path::parse_mod_style)?;
            private = quote!(#path::__private);
            Ok(())
        })?;
    }
    Ok(private)
}

/// Returns whether a field is marked `#[data(structure)]`; other options are reported.
fn is_marked(attributes: &[Attribute], errors: &mut Errors) -> bool {
    let mut is_structure = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("data")) {
        let read = attribute.parse_nested_meta(|meta| match meta.path.is_ident("structure") {
            true => {
                is_structure = true;
                Ok(())
            }
            false => Err(meta.error("`#[data]` of a field has one option: `structure`")),
        });
        if let Err(error) = read {
            errors.push(error.span(), error);
        }
    }
    is_structure
}

/// Returns whether a type is `usize` or `bool`, of which a single one is structure.
fn is_bare(ty: &Type) -> bool {
    matches!(ty, Type::Path(ty) if ty.path.is_ident("usize") || ty.path.is_ident("bool"))
}

/// The generics that the fields mention which are no columns.
struct Kept<'a> {
    lifetimes: Vec<&'a GenericParam>,
    others: Vec<&'a GenericParam>,
}

impl<'a> Kept<'a> {
    fn of(generics: &'a Generics, columns: &[Column<'_>]) -> Self {
        let structure: Vec<&Type> = columns
            .iter()
            .filter(|column| column.is_structure)
            .map(|column| &column.field.ty)
            .collect();
        let mentioned = |param: &&GenericParam| structure.iter().any(|ty| mentions(ty, param));
        let all = generics.params.iter().filter(mentioned);
        let (lifetimes, others) = all.partition(|param| matches!(param, GenericParam::Lifetime(_)));
        Kept { lifetimes, others }
    }

    /// Returns them as parameters, with one more for what stands in place of a column.
    fn params(&self, value: &TokenStream) -> TokenStream {
        let (lifetimes, others) = (&self.lifetimes, &self.others);
        quote!(<#(#lifetimes,)* #value, #(#others,)*>)
    }

    /// Returns them as arguments, with what stands in place of a column.
    fn arguments(&self, value: &TokenStream) -> TokenStream {
        let lifetimes = self.lifetimes.iter().map(|param| argument(param));
        let others = self.others.iter().map(|param| argument(param));
        quote!(<#(#lifetimes,)* #value, #(#others,)*>)
    }
}

/// Returns a parameter as an argument.
fn argument(param: &GenericParam) -> TokenStream {
    match param {
        GenericParam::Type(t) => t.ident.to_token_stream(),
        GenericParam::Lifetime(l) => l.lifetime.to_token_stream(),
        GenericParam::Const(c) => c.ident.to_token_stream(),
    }
}

/// Returns the generics with the bounds that columns and structure need where their types mention a type parameter.
fn bounded(private: &TokenStream, generics: &Generics, columns: &[Column<'_>]) -> Generics {
    let mut bounded = generics.clone();
    let types: Vec<&GenericParam> = generics
        .params
        .iter()
        .filter(|param| matches!(param, GenericParam::Type(_)))
        .collect();
    let generic = columns
        .iter()
        .filter(|column| types.iter().any(|param| mentions(&column.field.ty, param)));
    for column in generic {
        let ty = &column.field.ty;
        let bound: WherePredicate = match column.is_structure {
            true => parse_quote!(#ty: ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync),
            false => parse_quote!(#ty: #private::Column),
        };
        bounded.make_where_clause().predicates.push(bound);
    }
    bounded
}

/// Returns the generics with the lifetime of borrowed data in front.
fn with_data_lifetime(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    generics.params.insert(0, parse_quote!('__data));
    generics
}

/// Returns whether a type mentions a parameter.
fn mentions(ty: &Type, param: &GenericParam) -> bool {
    struct Search<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.1 |= ident == self.0;
            visit::visit_ident(self, ident);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.visit_ident(&lifetime.ident);
        }
    }
    let ident = match param {
        GenericParam::Type(t) => &t.ident,
        GenericParam::Lifetime(l) => &l.lifetime.ident,
        GenericParam::Const(c) => &c.ident,
    };
    let mut search = Search(ident, false);
    search.visit_type(ty);
    search.1
}
