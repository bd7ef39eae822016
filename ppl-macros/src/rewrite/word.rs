//! The words that are calls: `sample`, `observe`, `param`, `track` and `factor`.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, Ident, Token};

use super::plate::OUT_OF_PLACE;
use super::{Kind, Rewriter};
use crate::names::{Hint, base_ident, column_of, data_ident, fault, number, plain, string_literal};
use crate::sites::{Role, SiteUse};
use crate::support::Support;

/// The arguments of a word: an explicit name, the others, and `obs = …`.
struct Arguments {
    name: Option<(String, Span)>,
    others: Vec<Expr>,
    obs: Option<Expr>,
}

/// What the tokens tell of observed data.
enum Observed {
    /// An argument of this type.
    Argument(TokenStream),
    /// A column of an argument, with the expression of its kind.
    Column(TokenStream),
    /// Any other value.
    Value,
}

/// A mistake in a call of a word; it has been reported.
struct Mistaken;

impl Rewriter<'_> {
    pub(super) fn word(&mut self, word: &Ident, call: ExprCall, hint: Option<&Hint>) -> Expr {
        let rewritten = match word.to_string().as_str() {
            "sample" => self.sample(word, &call, hint),
            "observe" => self.observe(word, &call),
            "param" => self.param(word, &call, hint),
            "track" => self.track(word, &call),
            "factor" => self.factor(word, &call),
            _ => {
                self.errors.push(word.span(), OUT_OF_PLACE);
                Err(Mistaken)
            }
        };
        rewritten.map_or_else(|Mistaken| self.hole(word.span()), Expr::Verbatim)
    }

    fn sample(&mut self, word: &Ident, call: &ExprCall, hint: Option<&Hint>) -> Result<TokenStream, Mistaken> {
        let arguments = self.arguments(call, true)?;
        if let (None, [name, _]) = (&arguments.name, &arguments.others[..]) {
            let message = "the name of a site is a string literal: loops add `[k]` to it, submodels their own name";
            return Err(self.mistake(name.span(), message));
        }
        let [mut dist] = <[Expr; 1]>::try_from(arguments.others).map_err(|_| {
            self.mistake(
                call.span(),
                "`sample` takes a distribution, before it a name, after it `obs = …`",
            )
        })?;
        let is_assignment = arguments.name.is_none() && hint.is_some_and(|hint| hint.is_assignment);
        let hinted = hint.map(|hint| (plain(&hint.ident), hint.ident.span()));
        let Some((name, span)) = arguments.name.or(hinted) else {
            return Err(self.mistake(
                word.span(),
                "this site has no name: bind it with `let` or name it, `sample(\"name\", …)`",
            ));
        };
        if let Some(mut data) = arguments.obs {
            self.refuse_in_guide(word)?;
            return Ok(self.observation(word, (name, span), &mut data, &mut dist));
        }
        let support = Support::read(&dist, &self.generics);
        self.add_site(&name, span, Role::Latent, support, is_assignment);
        self.distribution(&name, &mut dist);
        let site = self.site(&name, span);
        Ok(self.call(word, quote!(#site, #dist)))
    }

    fn observe(&mut self, word: &Ident, call: &ExprCall) -> Result<TokenStream, Mistaken> {
        self.refuse_in_guide(word)?;
        let arguments = self.arguments(call, false)?;
        let [mut data, mut dist] = <[Expr; 2]>::try_from(arguments.others).map_err(|_| {
            self.mistake(
                call.span(),
                "`observe` takes data and a distribution, before them a name",
            )
        })?;
        let of_data = data_ident(&data).map(|ident| (plain(ident), ident.span()));
        let Some(name) = arguments.name.or(of_data) else {
            let message = "this observation has no name: observe a variable, or name it, `observe(\"name\", …)`";
            return Err(self.mistake(data.span(), message));
        };
        Ok(self.observation(word, name, &mut data, &mut dist))
    }

    fn observation(
        &mut self,
        word: &Ident,
        (name, span): (String, Span),
        data: &mut Expr,
        dist: &mut Expr,
    ) -> TokenStream {
        let support = Support::read(dist, &self.generics);
        self.add_site(&name, span, Role::Observed, support, false);
        let observed = self.kind_of_data(data, first_span(dist));
        self.expr(data, None);
        self.distribution(&name, dist);
        let site = self.site(&name, span);
        let method = |name: &str| Ident::new(name, word.span());
        match observed {
            Observed::Argument(ty) => {
                let method = method("observe_as");
                self.method(word, quote!(#method::<#ty, _>), quote!(#site, #data, #dist))
            }
            Observed::Column(kind) => {
                let method = method("observe_column").to_token_stream();
                self.method(word, method, quote!(#kind, #site, #data, #dist))
            }
            Observed::Value => {
                let method = method("observe").to_token_stream();
                self.method(word, method, quote!(#site, #data, #dist))
            }
        }
    }

    /// Returns what is known of observed data. Their kind is known where they are an argument, whole or indexed, or a column
    /// of one; messages about it belong to `span`.
    fn kind_of_data(&self, data: &Expr, span: Span) -> Observed {
        let argument = |ident: &Ident| {
            let is_argument = !self.scopes.is_declared(ident);
            self.data.get(&ident.to_string()).filter(|_| is_argument)
        };
        if let Some((base, column)) = column_of(data) {
            return argument(base).map_or(Observed::Value, |ty| {
                let (private, ty, column) = (respan(self.private, span), respan(ty, span), number(column));
                Observed::Column(quote_spanned! { span=> {
                    #[allow(unused_imports)]
                    use #private::{ByField as _, ByGuess as _};
                    (&&#private::FieldOf::<#ty, #column>::new()).kind()
                } })
            });
        }
        let ty = base_ident(data).and_then(argument);
        ty.map_or(Observed::Value, |ty| Observed::Argument(respan(ty, span)))
    }

    fn param(&mut self, word: &Ident, call: &ExprCall, hint: Option<&Hint>) -> Result<TokenStream, Mistaken> {
        let arguments = self.arguments(call, false)?;
        let mut others = arguments.others.into_iter();
        let (Some(mut init), constraint, None) = (others.next(), others.next(), others.next()) else {
            return Err(self.mistake(
                call.span(),
                "`param` takes an initial value, before it a name, after it a constraint",
            ));
        };
        let owned = self.owner.as_mut().map(|(site, count)| {
            *count += 1;
            (format!("{site}.{}", *count - 1), word.span())
        });
        let hinted = hint.map(|hint| (plain(&hint.ident), hint.ident.span()));
        let Some((name, span)) = arguments.name.or(hinted).or(owned) else {
            return Err(self.mistake(
                word.span(),
                "this param has no name: bind it with `let` or name it, `param(\"name\", …)`",
            ));
        };
        self.add_site(&name, span, Role::Param, Support::Unknown(span), false);
        self.expr(&mut init, None);
        let private = self.private;
        let constraint = match constraint {
            Some(mut constraint) => {
                self.expr(&mut constraint, None);
                constraint.to_token_stream()
            }
            None => quote!(#private::Real),
        };
        let site = self.site(&name, span);
        Ok(self.call(word, quote!(#site, #init, #constraint)))
    }

    fn track(&mut self, word: &Ident, call: &ExprCall) -> Result<TokenStream, Mistaken> {
        let mut parts: Vec<Expr> = call.args.iter().cloned().collect();
        let (name, mut value) = match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(value), Some(name), None) => (name, value),
            (Some(value), None, None) => (value.clone(), value),
            _ => return Err(self.mistake(call.span(), "`track` takes a name and a value: `track(spread, a - b)`")),
        };
        let named = match (&name, string_literal(&name)) {
            (_, Some(name)) => Some((name.value(), name.span())),
            (Expr::Path(path), None) => path.path.get_ident().map(|ident| (plain(ident), ident.span())),
            _ => None,
        };
        let Some((name, span)) = named else {
            return Err(self.mistake(
                name.span(),
                "the name of a tracked value is an identifier or a string literal",
            ));
        };
        self.check_name(&name, span);
        self.add_site(&name, span, Role::Tracked, Support::Unknown(span), false);
        self.expr(&mut value, None);
        let site = self.site(&name, span);
        Ok(self.call(word, quote!(#site, #value)))
    }

    fn factor(&mut self, word: &Ident, call: &ExprCall) -> Result<TokenStream, Mistaken> {
        let arguments = self.arguments(call, false)?;
        let [mut term] = <[Expr; 1]>::try_from(arguments.others).map_err(|_| {
            self.mistake(
                call.span(),
                "`factor` takes a term of the log density, before it a name",
            )
        })?;
        self.expr(&mut term, None);
        self.n_factors += 1;
        let number = self.n_factors;
        let (name, span) = arguments
            .name
            .unwrap_or_else(|| (format!("factor.{number}"), word.span()));
        let site = self.site(&name, span);
        Ok(self.call(word, quote!(#site, #term)))
    }

    /// Sorts the arguments of a word.
    fn arguments(&mut self, call: &ExprCall, takes_obs: bool) -> Result<Arguments, Mistaken> {
        let mut out = Arguments {
            name: None,
            others: Vec::new(),
            obs: None,
        };
        for (k, argument) in call.args.iter().enumerate() {
            match (argument, string_literal(argument)) {
                (_, Some(name)) if k == 0 => {
                    self.check_name(&name.value(), name.span());
                    out.name = Some((name.value(), name.span()));
                }
                (Expr::Assign(named), _) => {
                    let is_obs = matches!(&*named.left, Expr::Path(path) if path.path.is_ident("obs"));
                    if !takes_obs || !is_obs {
                        return Err(self.mistake(
                            named.left.span(),
                            "the only named argument of these words is `obs = …` of `sample`",
                        ));
                    }
                    out.obs = Some((*named.right).clone());
                }
                _ => out.others.push(argument.clone()),
            }
        }
        Ok(out)
    }

    /// Rewrites the distribution of a site: params in it are named after the site.
    fn distribution(&mut self, site: &str, dist: &mut Expr) {
        let outer = self.owner.replace((site.to_string(), 0));
        self.expr(dist, None);
        self.owner = outer;
    }

    fn add_site(&mut self, name: &str, span: Span, role: Role, support: Support, is_assignment: bool) {
        let loops = self.loops.clone();
        let site = SiteUse {
            name: name.to_string(),
            span,
            role,
            support,
            is_assignment,
            loops,
        };
        self.sites.add(site, &mut self.errors);
    }

    fn check_name(&mut self, name: &str, span: Span) {
        if let Some(message) = fault(name) {
            self.errors.push(span, message);
        }
    }

    fn refuse_in_guide(&mut self, word: &Ident) -> Result<(), Mistaken> {
        match self.kind {
            Kind::Model => Ok(()),
            Kind::Guide => Err(self.mistake(
                word.span(),
                "a guide observes nothing: it draws the model's latent sites",
            )),
        }
    }

    fn mistake(&mut self, span: Span, message: &str) -> Mistaken {
        self.errors.push(span, message);
        Mistaken
    }

    /// Returns a call of the context's method that is named like the word.
    fn call(&self, word: &Ident, arguments: TokenStream) -> TokenStream {
        self.method(word, word.to_token_stream(), arguments)
    }

    fn method(&self, word: &Ident, method: TokenStream, arguments: TokenStream) -> TokenStream {
        let ctx = self.ctx();
        if self.scopes.in_closure() {
            return quote_spanned!(word.span()=> #ctx.poison(#ctx.#method(#arguments)));
        }
        let question = Token![?](word.span());
        quote!(#ctx.#method(#arguments)#question)
    }
}

/// Returns the span of the first token, where a message about the whole belongs.
fn first_span(expr: &Expr) -> Span {
    expr.to_token_stream()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span())
}

/// Returns tokens that stand at `span`.
fn respan(tokens: impl ToTokens, span: Span) -> TokenStream {
    let place = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), respan(group.stream(), span)).into();
        }
        token.set_span(span);
        token
    };
    tokens.to_token_stream().into_iter().map(place).collect()
}
