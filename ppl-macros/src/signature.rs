//! The arguments of a function: data, observations, values of an enclosing model, and structure.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, FnArg, GenericArgument, Generics, Ident, ItemFn, Lifetime, Pat, PatIdent, PatType, PathArguments,
    ReturnType, Safety, Signature, Type, parse_quote,
};

use crate::errors::Errors;
use crate::names::plain;
use crate::rewrite::context;

/// What an argument is to the program.
pub enum Role {
    /// `&A`: an input slot.
    Data(Type),
    /// `Obs<A>`: an input slot that may be missing.
    Observed(Type),
    /// `Var`: a value of the enclosing model.
    Value,
    /// Anything else: baked in.
    Owned(Type),
}

/// An argument.
pub struct Argument {
    /// Its name, perhaps `mut`.
    pub pat: PatIdent,
    /// What it is.
    pub role: Role,
    /// Its `cfg`s, for all that is made of it.
    pub cfg: Vec<Attribute>,
    /// Its lints, for the body's variable.
    lints: Vec<Attribute>,
    span: Span,
}

/// A function's signature, taken apart.
pub struct Parts {
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
    /// Its generics, with a parameter for each `impl Trait` argument.
    pub generics: Generics,
    /// Its return type.
    pub output: Type,
}

impl Parts {
    /// Takes a signature apart; what a model cannot have is reported.
    pub fn read(item: &ItemFn, errors: &mut Errors) -> Self {
        refuse_modifiers(&item.sig, errors);
        let mut generics = item.sig.generics.clone();
        let mut arguments = Vec::new();
        for input in &item.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    errors.push(
                        receiver.self_token.span,
                        "a model is a free function: move it out of the `impl`",
                    );
                }
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                        let (cfg, lints) = attributes(typed, errors);
                        let mut ty = (*typed.ty).clone();
                        if let Type::Reference(reference) = &mut ty {
                            FillData.visit_type_mut(&mut reference.elem);
                        } else {
                            FillData.visit_type_mut(&mut ty);
                        }
                        let role = role(&ty, &mut generics, errors);
                        arguments.push(Argument {
                            pat: pat.clone(),
                            role,
                            cfg,
                            lints,
                            span: typed.ty.span(),
                        });
                    }
                    pat => errors.push(
                        pat.span(),
                        "an argument of a model is a name: take it apart in the body",
                    ),
                },
            }
        }
        let output = match &item.sig.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        if let Type::ImplTrait(ty) = &output {
            errors.push(ty.span(), "the return type of a model is written out");
        }
        Parts {
            arguments,
            generics,
            output,
        }
    }

    /// Returns whether the function returns anything.
    pub fn has_value(&self) -> bool {
        !matches!(&self.output, Type::Tuple(ty) if ty.elems.is_empty())
    }

    /// Returns the return type on the tape with this lifetime. Lifetimes that it leaves out, of `Var` and of the user's own
    /// structs of values, are filled in by the compiler, as in the signature of a function pointer.
    pub fn output_for(&self, private: &TokenStream, lifetime: &str) -> TokenStream {
        let (output, lifetime) = (&self.output, Lifetime::new(lifetime, Span::call_site()));
        match self.has_value() {
            true => quote!(<fn(#private::Ctx) -> #output as #private::Returned<#lifetime>>::Out),
            false => quote!(()),
        }
    }
}

impl Argument {
    /// Returns the argument as the generated function declares it.
    pub fn declaration(&self, private: &TokenStream) -> TokenStream {
        let name = &self.pat.ident;
        let tokens = match &self.role {
            Role::Data(ty) => quote!(#name: impl #private::LendData<'__data, #ty>),
            Role::Observed(ty) => quote!(#name: impl #private::LendObs<'__data, #ty>),
            Role::Value => quote!(#name: impl ::core::convert::Into<#private::Var<'__data>>),
            Role::Owned(ty) => quote!(#name: #ty),
        };
        self.with_cfg(tokens)
    }

    /// Returns the type of the field that keeps it.
    pub fn field(&self, private: &TokenStream) -> TokenStream {
        let name = &self.pat.ident;
        let tokens = match &self.role {
            Role::Data(ty) => quote!(#name: #private::DataArg<'__data, #ty>),
            Role::Observed(ty) => quote!(#name: #private::ObsArg<'__data, #ty>),
            Role::Value => quote!(#name: #private::Handle<'__data>),
            Role::Owned(ty) => quote!(#name: #ty),
        };
        self.with_cfg(tokens)
    }

    /// Returns the field's value, made from the argument.
    pub fn binding(&self, private: &TokenStream) -> TokenStream {
        let name = &self.pat.ident;
        let tokens = match &self.role {
            Role::Data(_) => quote!(#name: #private::LendData::lend_data(#name)),
            Role::Observed(_) => quote!(#name: #private::LendObs::lend_observed(#name)),
            Role::Value => {
                quote!(#name: #private::Handle::from(::core::convert::Into::<#private::Var<'__data>>::into(#name)))
            }
            Role::Owned(_) => quote!(#name),
        };
        self.with_cfg(tokens)
    }

    /// Returns the statement that gives the body its variable.
    pub fn unpacking(&self, private: &TokenStream) -> TokenStream {
        let (pat, name, ctx) = (&self.pat, &self.pat.ident, context());
        let (cfg, lints) = (&self.cfg, &self.lints);
        match &self.role {
            Role::Data(ty) => {
                let columns = quote_spanned!(ty.span()=> #ctx.data::<#ty>(&self.#name));
                quote!(#(#cfg)* #(#lints)* let #pat = #columns;)
            }
            Role::Observed(ty) => {
                let check = quote_spanned!(ty.span()=> #private::is_data::<#ty>());
                quote!(#(#cfg)* #check; #(#cfg)* #(#lints)* let #pat = #ctx.observed(&self.#name);)
            }
            Role::Value => quote!(#(#cfg)* #(#lints)* let #pat = #ctx.attach(&self.#name);),
            Role::Owned(ty) => {
                let copy = quote_spanned!(self.span=> <#ty as ::core::clone::Clone>::clone(&self.#name));
                quote!(#(#cfg)* #(#lints)* let #pat = #copy;)
            }
        }
    }

    /// Returns the statement that adds the argument to the key of the recording.
    pub fn hashing(&self, private: &TokenStream) -> TokenStream {
        let name = &self.pat.ident;
        let tokens = match &self.role {
            Role::Data(_) => quote!(self.#name.hash_into(key);),
            Role::Observed(_) => quote!(key.source(self.#name.source());),
            Role::Value => quote!(key.value(&self.#name);),
            Role::Owned(_) => quote!((&&&#private::Owned(&self.#name)).hash_into(key);),
        };
        self.with_cfg(tokens)
    }

    /// Returns the statement that shows borrowed and observed data to a visitor.
    pub fn visit(&self) -> TokenStream {
        let name = &self.pat.ident;
        let text = plain(name);
        let tokens = match &self.role {
            Role::Data(_) => quote!(self.#name.visit(#text, visitor);),
            Role::Observed(_) => quote!(visitor.visit(#text, self.#name.source().data());),
            Role::Value | Role::Owned(_) => return TokenStream::new(),
        };
        self.with_cfg(tokens)
    }

    /// Returns tokens that are there where the argument is.
    pub fn with_cfg(&self, tokens: TokenStream) -> TokenStream {
        let cfg = &self.cfg;
        quote!(#(#cfg)* #tokens)
    }

    /// Returns the data type of a borrowed or observed argument.
    pub fn data(&self) -> Option<&Type> {
        match &self.role {
            Role::Data(ty) | Role::Observed(ty) => Some(ty),
            _ => None,
        }
    }
}

/// Returns the `cfg`s and the lints of an argument; other attributes are reported.
fn attributes(typed: &PatType, errors: &mut Errors) -> (Vec<Attribute>, Vec<Attribute>) {
    let (cfg, others): (Vec<_>, Vec<_>) = typed.attrs.iter().cloned().partition(is_cfg);
    let (lints, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_lint);
    for other in others {
        let message = "an argument of a model has no attributes but `cfg` and lints";
        errors.push(other.span(), message);
    }
    if let (Some(cfg), Type::ImplTrait(_)) = (cfg.first(), &*typed.ty) {
        let message = "an `impl` argument has no `cfg`: name its type, `fn m<T: Trait>(x: T)`";
        errors.push(cfg.span(), message);
    }
    (cfg, lints)
}

fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}

fn is_lint(attribute: &Attribute) -> bool {
    let lints = ["allow", "expect", "warn", "deny", "forbid"];
    lints.iter().any(|lint| attribute.path().is_ident(lint))
}

fn role(ty: &Type, generics: &mut Generics, errors: &mut Errors) -> Role {
    match ty {
        Type::Paren(ty) => role(&ty.elem, generics, errors),
        Type::Group(ty) => role(&ty.elem, generics, errors),
        Type::Reference(ty) => {
            if let Some(mutability) = &ty.mutability {
                errors.push(
                    mutability.span,
                    "a model does not change its data: borrow them with `&`",
                );
            }
            Role::Data((*ty.elem).clone())
        }
        Type::ImplTrait(ty) => {
            let name = format_ident!("__T{}", generics.params.len());
            let bounds = &ty.bounds;
            generics.params.push(parse_quote!(#name: #bounds));
            Role::Owned(parse_quote!(#name))
        }
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if last.ident == "Var" => Role::Value,
            Some(last) if last.ident == "Obs" => match observed(&last.arguments) {
                Some(data) => Role::Observed(data.clone()),
                None => {
                    errors.push(last.ident.span(), "say what is observed: `Obs<Array1<f64>>`");
                    Role::Owned(ty.clone())
                }
            },
            Some(last) if is_view(&last.ident) => Role::Data(ty.clone()),
            _ => Role::Owned(ty.clone()),
        },
        _ => Role::Owned(ty.clone()),
    }
}

fn observed(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn refuse_modifiers(sig: &Signature, errors: &mut Errors) {
    let mut refuse = |span: Span, what: &str| errors.push(span, format!("a model cannot be {what}"));
    if let Some(token) = &sig.constness {
        refuse(token.span, "`const`: it runs when an algorithm asks for it");
    }
    if let Some(token) = &sig.asyncness {
        refuse(token.span, "`async`: it is no future");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        refuse(token.span, "`unsafe`: put the unsafe part into a function");
    }
    if let Some(abi) = &sig.abi {
        refuse(abi.span(), "`extern`");
    }
    if let Some(variadic) = &sig.variadic {
        refuse(variadic.span(), "variadic");
    }
}

/// Gives the lifetimes that a type leaves out that of the data: `'_`, those of references and of views of arrays.
struct FillData;

impl VisitMut for FillData {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = Lifetime::new("'__data", lifetime.span());
        }
    }

    fn visit_type_reference_mut(&mut self, ty: &mut syn::TypeReference) {
        let span = ty.and_token.span;
        ty.lifetime.get_or_insert_with(|| Lifetime::new("'__data", span));
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if is_view(&segment.ident)
            && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
            && !arguments
                .args
                .iter()
                .any(|arg| matches!(arg, GenericArgument::Lifetime(_)))
        {
            arguments.args.insert(0, parse_quote!('__data));
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }
}

/// Returns whether this is a name of ndarray's views.
fn is_view(ident: &Ident) -> bool {
    let name = ident.to_string();
    let axes = name.strip_prefix("ArrayView");
    axes.is_some_and(|axes| ["", "0", "1", "2", "3", "4", "5", "6", "D"].contains(&axes))
}

/// Completes `Obs` without a type and removes attributes that an argument cannot have, which has been reported, so that a
/// stub with this signature compiles.
pub fn complete(sig: &mut Signature) {
    struct Complete;
    impl VisitMut for Complete {
        fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
            if segment.ident == "Obs" && segment.arguments.is_none() {
                segment.arguments = PathArguments::AngleBracketed(parse_quote!(<()>));
            }
            visit_mut::visit_path_segment_mut(self, segment);
        }
    }
    Complete.visit_signature_mut(sig);
    for input in &mut sig.inputs {
        if let FnArg::Typed(typed) = input {
            typed.attrs.retain(|attribute| is_cfg(attribute) || is_lint(attribute));
        }
    }
}

/// Returns the names of type parameters.
pub fn type_parameters(generics: &Generics) -> Vec<Ident> {
    generics.type_params().map(|param| param.ident.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    #[test]
    fn lifetimes_that_arguments_leave_out_are_those_of_the_data() {
        let item: ItemFn = parse_quote!(
            fn m(x: ArrayView1<f64>, d: &Schools<'_>, y: Obs<&[f64]>, z: &'a Vec<f64>, text: Cow<'_, str>) {}
        );
        let parts = Parts::read(&item, &mut Errors::default());
        let types = parts.arguments.iter().map(|argument| match &argument.role {
            Role::Data(ty) | Role::Observed(ty) | Role::Owned(ty) => ty.to_token_stream().to_string(),
            Role::Value => String::new(),
        });
        let types: Vec<String> = types.collect();
        let wanted = [
            "ArrayView1 < '__data , f64 >",
            "Schools < '__data >",
            "& '__data [f64]",
            "Vec < f64 >",
            "Cow < '__data , str >",
        ];
        assert_eq!(types, wanted);
    }

    #[test]
    fn arguments_are_sorted_by_type() {
        let item: ItemFn = parse_quote!(
            fn m(x: &Array2<f32>, y: Obs<Array1<bool>>, m: Var, k: usize, link: impl Link) {}
        );
        let mut errors = Errors::default();
        let parts = Parts::read(&item, &mut errors);
        let roles: String = parts
            .arguments
            .iter()
            .map(|argument| match argument.role {
                Role::Data(_) => 'd',
                Role::Observed(_) => 'o',
                Role::Value => 'v',
                Role::Owned(_) => 's',
            })
            .collect();
        assert_eq!(roles, "dovss");
        assert_eq!(type_parameters(&parts.generics), ["__T0"]);
        assert!(errors.is_empty());
    }
}
