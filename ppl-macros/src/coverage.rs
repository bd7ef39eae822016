//! The comparison of a guide with its model: a literal of the model's latents, one field for each site of the guide.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::sites::Sites;

/// Returns code that compiles only if the guide draws each latent site of the model, from the same support, and no other.
pub fn coverage(private: &TokenStream, model: &Path, sites: &Sites) -> TokenStream {
    let fields = sites.latent_families().into_iter().map(|site| {
        let (ident, support) = (site.ident(), site.support.to_type(private));
        quote!(#ident: #private::covers::<#support, _>(),)
    });
    let fields: TokenStream = fields.collect();
    let literal = quote_spanned!(model.span()=> #model::Latents { #fields });
    quote!(const _: fn() = || { let _ = #literal; };)
}
