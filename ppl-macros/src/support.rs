//! The support of a site, read off the tokens of its distribution.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Expr, Path, PathArguments};

/// What the tokens of a distribution tell about its support.
#[derive(Clone)]
pub enum Support {
    /// The support of the distribution with this name.
    Of(Path),
    /// Vectors whose elements ascend: the distribution is `.ordered()`.
    Ordered(Span),
    /// Nothing: it is compared at run time.
    Unknown(Span),
}

impl Support {
    /// Reads a distribution: `Normal(0, 5).expand([k])`, `Bernoulli::logits(z)`; names in `generics` tell nothing.
    pub fn read(expr: &Expr, generics: &HashSet<String>) -> Self {
        match expr {
            Expr::MethodCall(e) if e.method == "ordered" => Support::Ordered(e.method.span()),
            Expr::MethodCall(e) if ["truncate", "transform"].iter().any(|m| e.method == m) => {
                Support::Unknown(e.method.span())
            }
            Expr::MethodCall(e) => Support::read(&e.receiver, generics),
            Expr::Paren(e) => Support::read(&e.expr, generics),
            Expr::Group(e) => Support::read(&e.expr, generics),
            Expr::Call(e) => match &*e.func {
                Expr::Path(f) if f.qself.is_none() => {
                    family(&f.path, generics).map_or(Support::Unknown(f.span()), Support::Of)
                }
                _ => Support::Unknown(expr.span()),
            },
            _ => Support::Unknown(expr.span()),
        }
    }

    /// Returns the support as a type; its first token stands where an error about it belongs.
    pub fn to_type(&self, private: &TokenStream) -> TokenStream {
        match self {
            Support::Of(path) => {
                let span = path.segments.last().map_or_else(Span::call_site, |s| s.ident.span());
                quote_spanned!(span=> <#path<'static> as #private::Family>::Support)
            }
            Support::Ordered(span) => quote_spanned!(*span=> #private::Ordered),
            Support::Unknown(span) => quote_spanned!(*span=> #private::Unknown),
        }
    }

    /// Returns whether something is known.
    pub fn is_known(&self) -> bool {
        !matches!(self, Support::Unknown(_))
    }
}

/// Returns the path of the distribution whose constructor this is: its name starts with a capital.
fn family(constructor: &Path, generics: &HashSet<String>) -> Option<Path> {
    let first = constructor.segments.first()?.ident.to_string();
    let plain = constructor
        .segments
        .iter()
        .all(|s| matches!(s.arguments, PathArguments::None));
    if !plain || first == "Self" || generics.contains(&first) {
        return None;
    }
    let is_capital = |k: usize| {
        constructor.segments[k]
            .ident
            .to_string()
            .starts_with(char::is_uppercase)
    };
    let last = constructor.segments.len() - 1;
    if is_capital(last) {
        return Some(constructor.clone());
    }
    if last == 0 || !is_capital(last - 1) {
        return None;
    }
    let mut path = constructor.clone();
    path.segments.pop();
    path.segments.pop_punct();
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    fn read(expr: Expr) -> String {
        let generics = HashSet::from(["L".to_string()]);
        Support::read(&expr, &generics).to_type(&quote!(p)).to_string()
    }

    #[test]
    fn the_support_is_that_of_the_constructors_family() {
        let normal = "< Normal < 'static > as p :: Family > :: Support";
        assert_eq!(read(parse_quote!(Normal(0, 5))), normal);
        assert_eq!(read(parse_quote!(Normal(mu, tau).expand([k]).noncentered())), normal);
        assert_eq!(
            read(parse_quote!(dist::Beta(1, 1))),
            "< dist :: Beta < 'static > as p :: Family > :: Support"
        );
        assert_eq!(
            read(parse_quote!(Bernoulli::logits(z))),
            "< Bernoulli < 'static > as p :: Family > :: Support"
        );
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for expr in [
            parse_quote!(prior()),
            parse_quote!(L::prior()),
            parse_quote!(d),
            parse_quote!(models::part(x)),
        ] {
            assert_eq!(read(expr), "p :: Unknown");
        }
        assert_eq!(read(parse_quote!(Normal(0, 1).truncate(0, 1))), "p :: Unknown");
        assert_eq!(read(parse_quote!(Normal(0, 1).expand([k]).ordered())), "p :: Ordered");
    }
}
