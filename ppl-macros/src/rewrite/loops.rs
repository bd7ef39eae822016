//! Ordinary loops: those that hold a word number the sites in them.

use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Label, parse_quote};

use super::Rewriter;
use super::invocation::holds_word;
use super::plate;
use super::scope::Frame;
use crate::names::Hint;

impl Rewriter<'_> {
    pub(super) fn any_loop(&mut self, expr: &mut Expr, hint: Option<&Hint>) {
        if let Expr::ForLoop(e) = expr
            && let Some(range) = plate::range(&e.expr)
        {
            *expr = self.word_loop(e.clone(), range, hint);
            return;
        }
        let counts = holds_word(expr.to_token_stream());
        if let Expr::ForLoop(e) = expr {
            self.expr(&mut e.expr, None);
            if counts {
                count_steps(&mut e.expr, &self.ctx());
            }
        }
        let label = match expr {
            Expr::ForLoop(e) => e.label.clone(),
            Expr::While(e) => e.label.clone(),
            Expr::Loop(e) => e.label.clone(),
            _ => return,
        };
        self.enter_loop(label.as_ref());
        let counter = Ident::new("__loop", proc_macro2::Span::mixed_site());
        match expr {
            Expr::ForLoop(e) => {
                self.scopes.declare(&e.pat);
                self.unit_block(&mut e.body);
            }
            Expr::While(e) => {
                self.condition(&mut e.cond);
                self.unit_block(&mut e.body);
                if counts {
                    count_first(&mut e.cond, &counter);
                }
            }
            Expr::Loop(e) => {
                self.unit_block(&mut e.body);
                if counts {
                    e.body.stmts.insert(0, parse_quote!(#counter.next();));
                }
            }
            _ => {}
        }
        self.leave_loop();
        if counts && !matches!(expr, Expr::ForLoop(_)) {
            let ctx = self.ctx();
            *expr = Expr::Verbatim(quote!({ let mut #counter = #ctx.loop_enter(); #expr }));
        }
    }

    /// Enters a loop whose steps number their sites.
    pub(super) fn enter_loop(&mut self, label: Option<&Label>) {
        self.scopes
            .enter(Frame::Loop(label.map(|label| label.name.ident.to_string())));
        self.sites.enter();
        self.loops.push(self.n_loops);
        self.n_loops += 1;
    }

    /// Leaves it.
    pub(super) fn leave_loop(&mut self) {
        self.loops.pop();
        self.sites.leave();
        self.scopes.leave();
    }
}

/// Makes a range count its steps: it is evaluated before the loop begins, what its closures draw belongs to the step.
fn count_steps(range: &mut Expr, ctx: &Ident) {
    *range = Expr::Verbatim(quote_spanned!(range.span()=> #ctx.loop_steps(#range)));
}

/// Makes a condition count the step before anything else in it is evaluated.
fn count_first(cond: &mut Expr, counter: &Ident) {
    match cond {
        Expr::Binary(e) if matches!(e.op, syn::BinOp::And(_)) => count_first(&mut e.left, counter),
        Expr::Let(e) => count_first(&mut e.expr, counter),
        other => *other = Expr::Verbatim(quote!({ #counter.next(); #other })),
    }
}
