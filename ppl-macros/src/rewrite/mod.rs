//! Rewriting of a body: words get their meaning, everything else stays as it was written.
//!
//! One pass over the syntax tree keeps what the words need: the name that a binding hands down, the variables that belong
//! to the innermost plate, the loops around a site, and the sites met on the present path.
//! A rewritten expression is a block of tokens; user expressions in it keep their spans.

mod control;
mod invocation;
mod loops;
mod plate;
mod scope;
mod word;

use std::collections::{HashMap, HashSet};

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Ident, Stmt, Type, parse_quote};

use crate::errors::Errors;
use crate::names::{Hint, pattern_ident};
use crate::sites::Sites;
use scope::Scopes;

/// Whether the function is a model or a guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#[model]`.
    Model,
    /// `#[guide(…)]`.
    Guide,
}

/// The state of the pass.
pub struct Rewriter<'a> {
    pub(crate) private: &'a TokenStream,
    pub(crate) kind: Kind,
    /// Borrowed and observed arguments with the types of their data.
    pub(crate) data: HashMap<String, Type>,
    /// Names that are type parameters: nothing is known of their distributions.
    pub(crate) generics: HashSet<String>,
    pub(crate) errors: Errors,
    pub(crate) sites: Sites,
    scopes: Scopes,
    loops: Vec<usize>,
    n_loops: usize,
    n_factors: usize,
    /// The site whose distribution is being rewritten, and the number of params in it so far.
    owner: Option<(String, usize)>,
}

impl<'a> Rewriter<'a> {
    /// Returns the state before the first statement.
    pub fn new(private: &'a TokenStream, kind: Kind) -> Self {
        Rewriter {
            private,
            kind,
            data: HashMap::new(),
            generics: HashSet::new(),
            errors: Errors::default(),
            sites: Sites::default(),
            scopes: Scopes::default(),
            loops: Vec::new(),
            n_loops: 0,
            n_factors: 0,
            owner: None,
        }
    }

    /// Rewrites the body of a function; `has_value` tells whether the function returns anything.
    pub fn body(&mut self, block: &mut Block, has_value: bool) {
        match has_value {
            true => self.block(block, None),
            false => self.unit_block(block),
        }
    }

    /// Rewrites a block whose value its last expression is.
    fn block(&mut self, block: &mut Block, hint: Option<&Hint>) {
        self.scopes.open();
        let n = block.stmts.len();
        let mut out = Vec::with_capacity(n);
        for (k, mut stmt) in std::mem::take(&mut block.stmts).into_iter().enumerate() {
            let is_tail = k + 1 == n;
            if !is_tail {
                end_word(&mut stmt);
            }
            let keep = self.statement(&mut stmt, if is_tail { hint } else { None });
            out.push(stmt);
            out.extend(keep);
        }
        block.stmts = out;
        self.scopes.close();
    }

    /// Rewrites a block without a value: the value of a word at its end is dropped.
    fn unit_block(&mut self, block: &mut Block) {
        if let Some(last) = block.stmts.last_mut() {
            end_word(last);
        }
        self.block(block, None);
    }

    /// Rewrites a statement; returns a second one where a binding of a site counts as used.
    fn statement(&mut self, stmt: &mut Stmt, hint: Option<&Hint>) -> Option<Stmt> {
        match stmt {
            Stmt::Local(local) => return self.local(local),
            Stmt::Expr(expr, semi) => self.expr(expr, if semi.is_none() { hint } else { None }),
            Stmt::Macro(mac) => {
                if let Some(hole) = self.invocation(&mut mac.mac) {
                    *stmt = Stmt::Expr(hole, Some(Default::default()));
                }
            }
            Stmt::Item(_) => {}
        }
        None
    }

    fn local(&mut self, local: &mut syn::Local) -> Option<Stmt> {
        let ident = pattern_ident(&local.pat).cloned();
        let before = self.sites.len();
        if let Some(init) = &mut local.init {
            let hint = ident.clone().map(|ident| Hint {
                ident,
                is_assignment: false,
            });
            self.refuse_batch_value(&init.expr);
            self.expr(&mut init.expr, hint.as_ref());
            if let Some((_, diverge)) = &mut init.diverge {
                let before = self.sites.path();
                self.expr(diverge, None);
                self.sites.rewind(&before);
            }
        }
        self.scopes.declare(&local.pat);
        let ident = ident.filter(|ident| self.sites.named_since(&crate::names::plain(ident), before))?;
        // A latent that nothing else reads is no mistake.
        Some(parse_quote!(let _ = &#ident;))
    }

    fn expr(&mut self, expr: &mut Expr, hint: Option<&Hint>) {
        match expr {
            Expr::Paren(e) => self.expr(&mut e.expr, hint),
            Expr::Group(e) => self.expr(&mut e.expr, hint),
            Expr::Block(e) => self.labelled_block(e, hint),
            Expr::Unsafe(e) => self.block(&mut e.block, hint),
            Expr::If(e) => self.if_else(e, hint),
            Expr::Match(e) => self.arms(e, hint),
            Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => self.any_loop(expr, hint),
            Expr::Assign(_) => self.assignment(expr),
            Expr::Binary(_) => self.compound_assignment(expr),
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => self.jump(expr),
            Expr::Closure(e) => self.closure(e),
            Expr::Async(_) => self.async_block(expr),
            Expr::Macro(e) => {
                if let Some(hole) = self.invocation(&mut e.mac) {
                    *expr = hole;
                }
            }
            Expr::MethodCall(e) if plate::range(&e.receiver).is_some() && e.method == "each" => {
                self.errors.push(e.method.span(), plate::OUT_OF_PLACE);
                *expr = self.hole(e.method.span());
            }
            Expr::Call(e) => match invocation::word(e) {
                Some(word) => *expr = self.word(&word, e.clone(), hint),
                None => visit_mut::visit_expr_mut(self, expr),
            },
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    /// Returns the context as a variable that no user code can see.
    fn ctx(&self) -> Ident {
        context()
    }

    /// Returns an expression that stands in for a mistaken one.
    fn hole(&self, span: Span) -> Expr {
        let ctx = self.ctx();
        Expr::Verbatim(quote_spanned!(span=> #ctx.hole()))
    }

    /// Returns a site with its place in the source.
    fn site(&self, name: &str, span: Span) -> TokenStream {
        let private = self.private;
        let place = quote_spanned!(span=> file: ::core::file!(), line: ::core::line!());
        quote!(#private::Site { name: #name, #place })
    }
}

/// Puts a semicolon after a loop over a plate or the call of a word, whose value nobody takes.
fn end_word(stmt: &mut Stmt) {
    let Stmt::Expr(expr, semi @ None) = stmt else { return };
    let is_word = match &*expr {
        Expr::ForLoop(e) => plate::range(&e.expr).is_some(),
        Expr::Call(e) => invocation::word(e).is_some(),
        _ => false,
    };
    if is_word {
        *semi = Some(Default::default());
    }
}

/// Returns the context's variable.
pub fn context() -> Ident {
    Ident::new("__ctx", Span::mixed_site())
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        self.expr(expr, None);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block, None);
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}
