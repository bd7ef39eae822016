//! The mistakes found in one function, each reported once, at its token.

use proc_macro2::{Span, TokenStream};

/// Mistakes in the order in which they were found.
#[derive(Default)]
pub struct Errors(Vec<syn::Error>);

impl Errors {
    /// Adds a mistake.
    pub fn push(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Returns whether there is no mistake.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a `compile_error!` for each mistake.
    pub fn to_tokens(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}
