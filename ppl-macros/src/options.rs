//! The options of the attributes: `#[model(crate = path)]` and `#[guide(model, crate = path)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Path, Token};

/// What stands in the parentheses of an attribute.
pub struct Options {
    /// The path of the module that the expansion refers to: `::posterior::__private`.
    pub private: TokenStream,
    /// The model that a guide approximates.
    pub model: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut options = Options {
            private: quote!(::posterior::__private),
            model: None,
        };
        while !input.is_empty() {
            if input.peek(Token![crate]) && input.peek2(Token![=]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                let path = input.call(Path::parse_mod_style)?.into_token_stream();
                options.private = quote!(#path::__private);
            } else if options.model.is_none() {
                options.model = Some(input.call(Path::parse_mod_style)?);
            } else {
                return Err(input.error("a guide approximates one model"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_can_be_renamed() {
        let options: Options = syn::parse_quote!(models::eight_schools, crate = ppl_core);
        assert_eq!(options.private.to_string(), "ppl_core :: __private");
        let model = options.model.map(|path| path.into_token_stream().to_string());
        assert_eq!(model.as_deref(), Some("models :: eight_schools"));
    }

    #[test]
    fn two_models_are_refused() {
        let error = syn::parse2::<Options>(quote!(a, b))
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("a guide approximates one model"));
    }
}
