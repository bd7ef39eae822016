//! Names of sites: where they come from, and how they become identifiers.

use proc_macro2::Span;
use syn::{Expr, Ident, Lit, LitStr, Pat};

/// The name that a binding hands down to the site in it.
#[derive(Clone)]
pub struct Hint {
    /// The bound variable.
    pub ident: Ident,
    /// Whether the binding is an assignment, not a `let`.
    pub is_assignment: bool,
}

/// Returns the variable of a pattern that binds a single one.
pub fn pattern_ident(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(p) if p.subpat.is_none() => Some(&p.ident),
        Pat::Type(p) => pattern_ident(&p.pat),
        Pat::Paren(p) => pattern_ident(&p.pat),
        _ => None,
    }
}

/// Returns the variable that an expression starts from through indices, fields and references: `y` of `&y[i].0`.
pub fn base_ident(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(e) => e.path.get_ident(),
        Expr::Index(e) => base_ident(&e.expr),
        Expr::Field(e) => base_ident(&e.base),
        Expr::Paren(e) => base_ident(&e.expr),
        Expr::Group(e) => base_ident(&e.expr),
        Expr::Reference(e) => base_ident(&e.expr),
        Expr::Unary(e) if matches!(e.op, syn::UnOp::Deref(_)) => base_ident(&e.expr),
        _ => None,
    }
}

/// Returns the name of the data that an expression starts from: `y` of `y[i]`, and the column `effect` of `d.effect[j]`.
pub fn data_ident(expr: &Expr) -> Option<&Ident> {
    column_of(expr).map(|(_, column)| column).or_else(|| base_ident(expr))
}

/// Returns the variable and the field of data that are a field of a struct of columns: `d` and `effect` of `d.effect[j]`.
pub fn column_of(expr: &Expr) -> Option<(&Ident, &Ident)> {
    match expr {
        Expr::Field(e) => match (&*e.base, &e.member) {
            (Expr::Path(base), syn::Member::Named(field)) => base.path.get_ident().map(|base| (base, field)),
            _ => column_of(&e.base),
        },
        Expr::Index(e) => column_of(&e.expr),
        Expr::Paren(e) => column_of(&e.expr),
        Expr::Group(e) => column_of(&e.expr),
        Expr::Reference(e) => column_of(&e.expr),
        Expr::Unary(e) if matches!(e.op, syn::UnOp::Deref(_)) => column_of(&e.expr),
        _ => None,
    }
}

/// Returns a number that stands for the name of a field in the parameters of a type: its FNV-1a hash.
pub fn number(field: &Ident) -> u64 {
    let bytes = plain(field).into_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Returns the string of an expression that is a string literal.
pub fn string_literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(s), .. }) => Some(s),
        Expr::Group(e) => string_literal(&e.expr),
        _ => None,
    }
}

/// Returns the name of a variable without the `r#` of a raw identifier.
pub fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_string).unwrap_or(name)
}

/// Returns what is wrong with an explicit name, if anything: names must not look like members of a family in a loop.
pub fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the name of a site must not be empty")
    } else if name.contains(['[', ']', '/']) || name.contains(char::is_whitespace) {
        Some("the name of a site has no brackets, slashes or spaces: `[k]` is added by loops")
    } else {
        None
    }
}

/// Returns the identifier for a name: `net.0.weight` becomes `net_0_weight`, a keyword becomes raw.
pub fn mangle(name: &str, span: Span) -> Ident {
    let mut text: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    if text.starts_with(|c: char| c.is_numeric()) || text.chars().all(|c| c == '_') {
        text.insert_str(0, "site_");
    }
    match syn::parse_str::<Ident>(&text) {
        Ok(_) => Ident::new(&text, span),
        Err(_) if ["self", "Self", "super", "crate"].contains(&text.as_str()) => Ident::new(&format!("{text}_"), span),
        Err(_) => Ident::new_raw(&text, span),
    }
}

/// Returns the first part of a dotted name: the submodel or module that a site belongs to.
pub fn family(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn names_become_identifiers() {
        let row = |name: &str| mangle(name, Span::call_site()).to_string();
        assert_eq!(row("net.0.weight"), "net_0_weight");
        assert_eq!(row("type"), "r#type");
        assert_eq!(row("self"), "self_");
        assert_eq!(row("0"), "site_0");
        assert_eq!(row("μ"), "μ");
    }

    #[test]
    fn the_base_of_an_observed_element_is_its_array() {
        let base = |expr: Expr| base_ident(&expr).map(Ident::to_string);
        assert_eq!(base(parse_quote!(y[i][j])).as_deref(), Some("y"));
        assert_eq!(base(parse_quote!((*v).0[2])).as_deref(), Some("v"));
        assert_eq!(base(parse_quote!(y.exp())), None);
    }

    #[test]
    fn an_observed_column_is_named_after_its_field() {
        let name = |expr: Expr| data_ident(&expr).map(Ident::to_string);
        assert_eq!(name(parse_quote!(d.effect[j])).as_deref(), Some("effect"));
        assert_eq!(name(parse_quote!((d.r#type)[i][j])).as_deref(), Some("r#type"));
        assert_eq!(name(parse_quote!(pair.0[j])).as_deref(), Some("pair"));
        assert_eq!(name(parse_quote!(y[j])).as_deref(), Some("y"));
        assert_eq!(name(parse_quote!(d.effect.exp())), None);
    }

    #[test]
    fn brackets_and_spaces_are_refused_in_names() {
        assert!(fault("z[0]").is_some() && fault("a b").is_some() && fault("").is_some());
        assert!(fault("net.0.weight").is_none());
    }
}
