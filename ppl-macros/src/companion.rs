//! The module beside a model: a type for each site, and the typed names that handlers and fits are used with.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, Visibility};

use crate::rewrite::Kind;
use crate::sites::{Role, SiteUse, Sites};

/// Returns the module, and the supports of the sites, which stand beside it so that the user's paths resolve.
pub fn companion(
    private: &TokenStream,
    kind: Kind,
    name: &Ident,
    vis: &Visibility,
    cfg: &[&Attribute],
    sites: &Sites,
) -> TokenStream {
    let latents = match kind {
        Kind::Model => sites.latent_families(),
        Kind::Guide => Vec::new(),
    };
    let markers = markers(private, &latents);
    let supports = latents.iter().map(|site| {
        let (marker, support) = (site.ident(), site.support.to_type(private));
        quote!(#(#cfg)* impl #private::SiteSupport for #name::sites::#marker { type Support = #support; })
    });
    let values = values(private, &sites.with_roles(&[Role::Latent]));
    let names = names(private, &sites.with_roles(&[Role::Latent, Role::Observed]));
    let accessors = accessors(private, sites);
    let text = format!("Typed names of the sites of [`{name}`]({name}()).");
    quote! {
        #(#cfg)*
        #[doc = #text]
        #[allow(dead_code, missing_docs, non_camel_case_types, non_snake_case, clippy::all, clippy::pedantic)]
        #vis mod #name {
            #markers
            #values
            #names
            #accessors
        }
        #(#supports)*
    }
}

fn markers(private: &TokenStream, latents: &[SiteUse]) -> TokenStream {
    if latents.is_empty() {
        return quote! {
            #[doc(hidden)]
            pub struct Latents {}
        };
    }
    let idents: Vec<_> = latents.iter().map(SiteUse::ident).collect();
    quote! {
        #[doc(hidden)]
        pub mod sites { #(pub struct #idents {})* }
        #[doc(hidden)]
        pub struct Latents { #(pub #idents: #private::Covered<sites::#idents>,)* }
    }
}

fn values(private: &TokenStream, sites: &[&SiteUse]) -> TokenStream {
    let methods = sites.iter().map(|site| {
        let (ident, name, text) = (
            site.ident(),
            &site.name,
            format!("Gives the site `{}` a value.", site.name),
        );
        quote! {
            #[doc = #text]
            pub fn #ident(self, value: impl ::core::convert::Into<#private::SiteValue>) -> Self {
                Values(self.0.with(#name, value))
            }
        }
    });
    let conversions = conversions(private, "Values", "SiteValues");
    quote! {
        #[doc = "Values for sites, by name."]
        #[derive(Clone, Debug, Default)]
        pub struct Values(#private::SiteValues);
        impl Values { #(#methods)* }
        #conversions
    }
}

fn names(private: &TokenStream, sites: &[&SiteUse]) -> TokenStream {
    let methods = sites.iter().map(|site| {
        let (ident, name, text) = (site.ident(), &site.name, format!("Chooses the site `{}`.", site.name));
        quote! {
            #[doc = #text]
            pub fn #ident(self) -> Self {
                Names(self.0.with(#name))
            }
        }
    });
    let conversions = conversions(private, "Names", "SiteNames");
    quote! {
        #[doc = "A choice of sites, by name."]
        #[derive(Clone, Debug, Default)]
        pub struct Names(#private::SiteNames);
        impl Names { #(#methods)* }
        #conversions
    }
}

fn conversions(private: &TokenStream, own: &str, foreign: &str) -> TokenStream {
    let (own, foreign) = (quote::format_ident!("{own}"), quote::format_ident!("{foreign}"));
    quote! {
        impl ::core::convert::From<#private::#foreign> for #own {
            fn from(inner: #private::#foreign) -> Self {
                #own(inner)
            }
        }
        impl ::core::convert::From<#own> for #private::#foreign {
            fn from(outer: #own) -> Self {
                outer.0
            }
        }
    }
}

fn accessors(private: &TokenStream, sites: &Sites) -> TokenStream {
    let latents = sites.with_roles(&[Role::Latent, Role::Tracked]);
    let is_latent = |site: &SiteUse| latents.iter().any(|latent| latent.name == site.name);
    let all = sites.with_roles(&[Role::Latent, Role::Observed, Role::Tracked]);
    let methods = all.into_iter().map(|site| {
        let (ident, name) = (site.ident(), &site.name);
        let (text, method) = match is_latent(site) {
            true => (LATENT, quote!(draws_of_latent)),
            false => (OBSERVED, quote!(draws_of)),
        };
        let text = text.replace("{}", name);
        quote! {
            #[doc = #text]
            pub fn #ident(&self) -> #private::ArrayViewD<'_, f64> {
                self.0.#method(#name)
            }
        }
    });
    quote! {
        #[doc = "Draws of the sites, by name."]
        #[derive(Clone)]
        pub struct Accessors(::std::sync::Arc<dyn #private::DrawsBySite>);
        impl Accessors { #(#methods)* }
        impl ::core::convert::From<::std::sync::Arc<dyn #private::DrawsBySite>> for Accessors {
            fn from(draws: ::std::sync::Arc<dyn #private::DrawsBySite>) -> Self {
                Accessors(draws)
            }
        }
        impl #private::SiteAccessors for Accessors {
            type Names = Names;
        }
    }
}

/// The documentation of an accessor to a latent or tracked site.
const LATENT: &str = "Returns the draws of `{}`: `[chain, draw, event…]`, or `[chain, draw, 0]` if no draw has met it.

# Panics

If `{}` is a submodel, a module or a loop whose sites differ in shape: their sites are read from `draws()`. In the result of \
SVI also if its sites are fixed and `{}` is no latent among them.";

/// The documentation of an accessor to an observed site.
const OBSERVED: &str = "Returns the draws of `{}` in place of missing data: `[chain, draw, event…]`.

# Panics

If there are none, as where `{}` has data.";
