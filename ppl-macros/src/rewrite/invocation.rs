//! Calls of words, and macros whose arguments hold some.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, Ident, Macro, Token};

use super::Rewriter;

/// The words of the language.
const WORDS: [&str; 7] = ["sample", "observe", "param", "plate", "markov", "track", "factor"];

/// The macros that never return.
const PANICS: [&str; 4] = ["panic", "unreachable", "todo", "unimplemented"];

/// Returns the word that a call is of, if any: a path of one segment.
pub fn word(call: &ExprCall) -> Option<Ident> {
    match &*call.func {
        Expr::Path(f) if f.qself.is_none() => f.path.get_ident().filter(|ident| is_word(ident)).cloned(),
        _ => None,
    }
}

/// Returns whether tokens hold a call of a word.
pub fn holds_word(tokens: TokenStream) -> bool {
    let mut callee: Option<bool> = None;
    let mut after_path_or_dot = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                callee = Some(is_word(&ident) && !after_path_or_dot);
                after_path_or_dot = false;
            }
            TokenTree::Group(group) => {
                let is_call = group.delimiter() == proc_macro2::Delimiter::Parenthesis && callee == Some(true);
                if is_call || holds_word(group.stream()) {
                    return true;
                }
                callee = None;
                after_path_or_dot = false;
            }
            TokenTree::Punct(punct) => {
                callee = None;
                after_path_or_dot = matches!(punct.as_char(), '.' | ':');
            }
            TokenTree::Literal(_) => {
                callee = None;
                after_path_or_dot = false;
            }
        }
    }
    false
}

fn is_word(ident: &Ident) -> bool {
    WORDS.iter().any(|word| ident == word)
}

impl Rewriter<'_> {
    /// Rewrites the arguments of a macro; returns what stands in for a macro that cannot be read.
    pub(super) fn invocation(&mut self, mac: &mut Macro) -> Option<Expr> {
        let ends = PANICS.iter().any(|name| mac.path.is_ident(name));
        let hole = self.words_in_macro(mac);
        if ends {
            self.sites.end();
        }
        hole
    }

    fn words_in_macro(&mut self, mac: &mut Macro) -> Option<Expr> {
        if !holds_word(mac.tokens.clone()) {
            return None;
        }
        match mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(mut arguments) => {
                for argument in &mut arguments {
                    match argument {
                        // A named argument of a format string.
                        Expr::Assign(named) => self.expr(&mut named.right, None),
                        other => self.expr(other, None),
                    }
                }
                mac.tokens = arguments.into_token_stream();
                None
            }
            Err(_) => {
                let message =
                    "words work only in macros whose arguments are expressions: move this one into a `let` before it";
                self.errors.push(mac.path.span(), message);
                Some(self.hole(mac.path.span()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn only_calls_of_bare_words_count() {
        assert!(holds_word(quote!(q => sample(Normal(0, 1)))));
        assert!(holds_word(quote!([observe(y, d); 3])));
        assert!(!holds_word(quote!(rng.sample(d), rand::sample(d), sample, "sample(x)")));
    }
}
