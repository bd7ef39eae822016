//! Loops over `plate` and `markov`: a block with a guard, or a loop that collects its values.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprForLoop, Ident, Pat, Token};

use super::Rewriter;
use super::invocation::word;
use super::scope::Frame;
use crate::names::{Hint, fault, pattern_ident, string_literal};

/// The message for a range that is not the range of a loop.
pub(super) const OUT_OF_PLACE: &str = "`plate` and `markov` are ranges of `for` loops: `for i in plate(x) { … }`";

/// The range of a loop over `plate(…)`, `plate(…).each()` or `markov(…)`.
pub(super) struct Range {
    word: Ident,
    call: ExprCall,
    is_each: bool,
    /// The first method after `plate(…)` that is not `each`.
    stray: Option<Ident>,
}

/// Reads the range of a loop.
pub(super) fn range(expr: &Expr) -> Option<Range> {
    match expr {
        Expr::Paren(e) => range(&e.expr),
        Expr::Group(e) => range(&e.expr),
        Expr::Call(call) => {
            let word = word(call).filter(|word| word == "plate" || word == "markov")?;
            Some(Range {
                word,
                call: call.clone(),
                is_each: false,
                stray: None,
            })
        }
        Expr::MethodCall(e) => {
            let mut range = range(&e.receiver)?;
            if e.method == "each" && e.args.is_empty() && range.word == "plate" && !range.is_each {
                range.is_each = true;
            } else {
                range.stray.get_or_insert(e.method.clone());
            }
            Some(range)
        }
        _ => None,
    }
}

/// What stands in the parentheses of `plate(…)`.
struct Settings {
    name: Option<(String, Span)>,
    size: Option<Expr>,
    batch: Option<Expr>,
    total: Option<Expr>,
}

impl Settings {
    /// Returns the end of the loop: its value, or none where rows are left out.
    fn exit(&self, guard: &Ident, out: &Ident, span: Span) -> TokenStream {
        match &self.batch {
            Some(_) => quote_spanned!(span=> #guard.finish(#out)?),
            None => quote_spanned!(span=> #guard.exit(#out)?),
        }
    }
}

impl Rewriter<'_> {
    pub(super) fn word_loop(&mut self, e: ExprForLoop, range: Range, hint: Option<&Hint>) -> Expr {
        let (word, span) = (&range.word, range.word.span());
        if self.scopes.in_closure() {
            let message =
                format!("a loop over `{word}` has no meaning in a closure: write it in the body of the model");
            self.errors.push(span, message);
            return self.hole(span);
        }
        if let Some(stray) = &range.stray {
            let message = format!("`{stray}` is no method of `{word}`: there is `.each()` for plates only");
            self.errors.push(stray.span(), message);
        }
        let settings = self.settings(&range);
        let named = settings.name.clone().or_else(|| named_by(&e.pat));
        let (name, name_span) = named.unwrap_or_else(|| {
            let message = "this plate has no name: use a variable or a string, `plate(\"data\", n)`";
            self.errors.push(e.pat.span(), message);
            (String::new(), span)
        });
        let Some(size) = &settings.size else {
            let message = format!("`{word}` needs what to run over: a value of the model or a number");
            self.errors.push(span, message);
            return self.hole(span);
        };
        let (site, size) = (self.site(&name, name_span), self.size(size));
        if range.is_each || range.word == "markov" {
            self.stepwise(e, &range, &settings, quote!(#site, #size), hint)
        } else {
            self.vectorised(e, &range, &settings, quote!(#site, #size), hint)
        }
    }

    /// The body once, for all rows.
    fn vectorised(
        &mut self,
        mut e: ExprForLoop,
        range: &Range,
        settings: &Settings,
        site_and_size: TokenStream,
        hint: Option<&Hint>,
    ) -> Expr {
        if let Some(label) = &e.label {
            let message = "a plate has no label: its body runs once";
            self.errors.push(label.span(), message);
        }
        self.scopes.enter(Frame::Plate);
        self.scopes.declare(&e.pat);
        self.block(&mut e.body, hint);
        self.scopes.leave();
        let (ctx, word, pat, body) = (self.ctx(), &range.word, &e.pat, &e.body);
        let (guard, out) = (hidden("__plate"), hidden("__out"));
        let options = self.options(settings);
        let question = Token![?](word.span());
        let exit = settings.exit(&guard, &out, word.span());
        let quiet = pattern_ident(&e.pat).map(|ident| quote!(let _ = &#ident;));
        let tokens = quote! {
            let #guard = #ctx.#word(#site_and_size, #options)#question;
            let #pat = #guard.index();
            #quiet
            let #out = #body;
            #exit
        };
        block_at(word.span(), tokens)
    }

    /// The body for each step, with a number as index.
    fn stepwise(
        &mut self,
        mut e: ExprForLoop,
        range: &Range,
        settings: &Settings,
        site_and_size: TokenStream,
        hint: Option<&Hint>,
    ) -> Expr {
        self.enter_loop(e.label.as_ref());
        self.scopes.declare(&e.pat);
        self.block(&mut e.body, hint);
        self.leave_loop();
        let (ctx, pat, body, label) = (self.ctx(), &e.pat, &e.body, &e.label);
        let (guard, out, step, value) = (hidden("__loop"), hidden("__out"), hidden("__step"), hidden("__value"));
        let span = range.word.span();
        let method = Ident::new(if range.is_each { "each" } else { "markov" }, span);
        let options = range
            .is_each
            .then(|| self.options(settings))
            .map(|options| quote!(, #options));
        let question = Token![?](span);
        let exit = settings.exit(&guard, &out, span);
        let quiet = pattern_ident(&e.pat).map(|ident| quote!(let _ = &#ident;));
        let tokens = quote! {
            let mut #guard = #ctx.#method(#site_and_size #options)#question;
            let mut #out = ::std::vec::Vec::new();
            #label while let ::core::option::Option::Some(#step) = #guard.step() {
                let #pat: usize = #step;
                #quiet
                let #value = #body;
                #out.push(#value);
            }
            #exit
        };
        block_at(span, tokens)
    }

    /// Returns the size of a plate; what a plate cannot run over is reported where it stands.
    fn size(&self, size: &Expr) -> TokenStream {
        let private = self.private;
        quote_spanned!(size.span()=> #private::PlateRange::plate_size(&(#size)))
    }

    fn settings(&mut self, range: &Range) -> Settings {
        let mut settings = Settings {
            name: None,
            size: None,
            batch: None,
            total: None,
        };
        for argument in &range.call.args {
            if let Expr::Assign(named) = argument {
                let key = match &*named.left {
                    Expr::Path(path) => path.path.get_ident().map(Ident::to_string).unwrap_or_default(),
                    _ => String::new(),
                };
                let slot = match key.as_str() {
                    "batch" if range.word == "plate" => &mut settings.batch,
                    "total" if range.word == "plate" => &mut settings.total,
                    _ => {
                        let message = match range.word == "plate" {
                            true => "a plate has the settings `batch = …` and `total = …`",
                            false => "`markov` has no settings",
                        };
                        self.errors.push(named.left.span(), message);
                        continue;
                    }
                };
                *slot = Some((*named.right).clone());
                continue;
            }
            match string_literal(argument) {
                Some(name) if settings.name.is_none() && settings.size.is_none() => {
                    if let Some(message) = fault(&name.value()) {
                        self.errors.push(name.span(), message);
                    }
                    settings.name = Some((name.value(), name.span()));
                }
                _ if settings.size.is_none() => settings.size = Some(argument.clone()),
                _ => self
                    .errors
                    .push(argument.span(), format!("`{}` runs over one thing", range.word)),
            }
        }
        for expr in [&mut settings.size, &mut settings.batch, &mut settings.total]
            .into_iter()
            .flatten()
        {
            self.expr(expr, None);
        }
        settings
    }

    fn options(&self, settings: &Settings) -> TokenStream {
        let private = self.private;
        let option = |expr: &Option<Expr>| match expr {
            Some(expr) => quote!(::core::option::Option::Some(#expr)),
            None => quote!(::core::option::Option::None),
        };
        let (batch, total) = (option(&settings.batch), option(&settings.total));
        let is_named = settings.name.is_some();
        quote!(#private::PlateOptions { batch: #batch, total: #total, is_named: #is_named })
    }

    /// A plate with `batch =` sees a part of the rows, so it has no value to bind.
    pub(super) fn refuse_batch_value(&mut self, expr: &Expr) {
        let Expr::ForLoop(e) = expr else { return };
        let Some(range) = range(&e.expr) else { return };
        let batch = range
            .call
            .args
            .iter()
            .find(|a| matches!(a, Expr::Assign(n) if is_ident(&n.left, "batch")));
        if let Some(batch) = batch {
            let message = "a plate with `batch =` sees a part of the rows and has no value: end the loop's body with `;`, bind nothing";
            self.errors.push(batch.span(), message);
        }
    }
}

/// Returns a variable that no user code can see.
fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns a block that stands at `span`, so that a message about its value appears there.
fn block_at(span: Span, tokens: TokenStream) -> Expr {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    Expr::Verbatim(TokenTree::Group(block).into())
}

fn is_ident(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident(name))
}

fn named_by(pat: &Pat) -> Option<(String, Span)> {
    pattern_ident(pat).map(|ident| (crate::names::plain(ident), ident.span()))
}
