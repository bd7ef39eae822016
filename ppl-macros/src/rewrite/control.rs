//! Branches, assignments, jumps and closures: what they do to names, paths and plates.

use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprBlock, ExprClosure, ExprIf, ExprMatch, Pat, Type, parse_quote};

use super::Rewriter;
use super::invocation::holds_word;
use super::scope::Frame;
use crate::names::{Hint, base_ident, pattern_ident};

impl Rewriter<'_> {
    pub(super) fn labelled_block(&mut self, e: &mut ExprBlock, hint: Option<&Hint>) {
        match &e.label {
            Some(label) => {
                self.scopes.enter(Frame::Block(label.name.ident.to_string()));
                self.sites.enter();
                self.block(&mut e.block, hint);
                self.sites.leave();
                self.scopes.leave();
            }
            None => self.block(&mut e.block, hint),
        }
    }

    /// The arms are exclusive: they may share names, and what follows meets the sites of both.
    pub(super) fn if_else(&mut self, e: &mut ExprIf, hint: Option<&Hint>) {
        self.scopes.open();
        self.condition(&mut e.cond);
        let before = self.sites.path();
        match &e.else_branch {
            Some(_) => self.block(&mut e.then_branch, hint),
            None => self.unit_block(&mut e.then_branch),
        }
        self.scopes.close();
        let then = self.sites.path();
        self.sites.rewind(&before);
        if let Some((_, other)) = &mut e.else_branch {
            self.expr(other, hint);
        }
        self.sites.join(&then);
    }

    pub(super) fn arms(&mut self, e: &mut ExprMatch, hint: Option<&Hint>) {
        self.expr(&mut e.expr, None);
        let before = self.sites.path();
        let mut ways = Vec::new();
        for arm in &mut e.arms {
            self.sites.rewind(&before);
            self.scopes.open();
            self.scopes.declare(&arm.pat);
            if let Pat::Guard(guard) = &mut arm.pat {
                self.condition(&mut guard.guard);
            }
            self.expr(&mut arm.body, hint);
            self.scopes.close();
            ways.push(self.sites.path());
        }
        ways.iter().for_each(|way| self.sites.join(way));
    }

    /// Rewrites a condition; the variables of `if let` belong to the present scope.
    pub(super) fn condition(&mut self, cond: &mut Expr) {
        match cond {
            Expr::Let(e) => {
                self.expr(&mut e.expr, None);
                self.scopes.declare(&e.pat);
            }
            Expr::Binary(e) if matches!(e.op, syn::BinOp::And(_)) => {
                self.condition(&mut e.left);
                self.condition(&mut e.right);
            }
            _ => self.expr(cond, None),
        }
    }

    pub(super) fn assignment(&mut self, expr: &mut Expr) {
        let Expr::Assign(e) = &mut *expr else { return };
        if self.leaves_plate(&e.left) {
            self.refuse_assignment(&e.left.clone());
            self.expr(&mut e.right, None);
            *expr = dropped(&e.right);
            return;
        }
        let ident = match &*e.left {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        };
        self.refuse_batch_value(&e.right);
        self.expr(&mut e.left, None);
        let hint = ident.map(|ident| Hint {
            ident,
            is_assignment: true,
        });
        self.expr(&mut e.right, hint.as_ref());
    }

    pub(super) fn compound_assignment(&mut self, expr: &mut Expr) {
        use syn::BinOp::*;
        let Expr::Binary(e) = &mut *expr else { return };
        let assigns = matches!(
            e.op,
            AddAssign(_)
                | SubAssign(_)
                | MulAssign(_)
                | DivAssign(_)
                | RemAssign(_)
                | BitXorAssign(_)
                | BitAndAssign(_)
                | BitOrAssign(_)
                | ShlAssign(_)
                | ShrAssign(_)
        );
        if assigns && self.leaves_plate(&e.left) {
            self.refuse_assignment(&e.left.clone());
            self.expr(&mut e.right, None);
            *expr = dropped(&e.right);
            return;
        }
        self.expr(&mut e.left, None);
        self.expr(&mut e.right, None);
    }

    fn leaves_plate(&self, place: &Expr) -> bool {
        match place {
            Expr::Tuple(e) => e.elems.iter().any(|e| self.leaves_plate(e)),
            _ => base_ident(place).is_some_and(|ident| self.scopes.is_outside_of_plate(ident)),
        }
    }

    fn refuse_assignment(&mut self, place: &Expr) {
        let name = base_ident(place).map_or_else(|| "a variable".to_string(), |ident| format!("`{ident}`"));
        let message = format!(
            "{name} belongs to code outside of the plate, whose body runs once for all rows: \
             return the value from the loop, or use `plate(…).each()`"
        );
        self.errors.push(place.span(), message);
    }

    /// Rewrites `return`; refuses what would leave a plate, and puts `()` in its place, as most stand as statements.
    pub(super) fn jump(&mut self, expr: &mut Expr) {
        let (word, leaves) = match &*expr {
            Expr::Return(_) => ("return", self.scopes.return_leaves_plate()),
            Expr::Break(e) => ("break", self.scopes.jump_leaves_plate(e.label.as_ref())),
            Expr::Continue(e) => ("continue", self.scopes.jump_leaves_plate(e.label.as_ref())),
            _ => return,
        };
        if leaves {
            let message = format!("`{word}` leaves a plate, whose body runs once for all rows: use `plate(…).each()`");
            self.errors.push(expr.span(), message);
            *expr = Expr::Verbatim(quote_spanned!(expr.span()=> ()));
            return;
        }
        match expr {
            Expr::Return(e) => {
                if let Some(value) = &mut e.expr {
                    self.expr(value, None);
                }
                if self.scopes.return_ends_model() {
                    let value = e.expr.take().map_or_else(|| parse_quote!(()), |value| *value);
                    e.expr = Some(parse_quote!(::core::result::Result::Ok(#value)));
                }
                self.sites.end();
            }
            Expr::Break(e) => {
                if let Some(value) = &mut e.expr {
                    self.expr(value, None);
                }
                self.sites.jump();
            }
            _ => self.sites.jump(),
        }
    }

    pub(super) fn closure(&mut self, e: &mut ExprClosure) {
        self.scopes.enter(Frame::Closure);
        let before = self.sites.len();
        for pat in &mut e.inputs {
            self.scopes.declare(pat);
            strip_var(pat);
        }
        self.expr(&mut e.body, None);
        self.sites.leave_closure(before);
        self.scopes.leave();
    }

    pub(super) fn async_block(&mut self, expr: &mut Expr) {
        let Expr::Async(e) = &*expr else { return };
        if holds_word(e.block.to_token_stream()) {
            let span = e.async_token.span;
            let message = "a model is no future: words have no meaning in an `async` block";
            self.errors.push(span, message);
            *expr = self.hole(span);
        }
    }
}

/// Returns the value without the assignment that was refused.
fn dropped(value: &Expr) -> Expr {
    Expr::Verbatim(quote_spanned!(value.span()=> { let _ = #value; }))
}

/// Removes the annotation of `|x: Var| …`, which would ask for one lifetime for all calls.
fn strip_var(pat: &mut Pat) {
    let Pat::Type(typed) = &*pat else { return };
    let is_var = matches!(&*typed.ty, Type::Path(ty) if ty.path.segments.last().is_some_and(|s| s.ident == "Var" && s.arguments.is_none()));
    if is_var && pattern_ident(&typed.pat).is_some() {
        *pat = (*typed.pat).clone();
    }
}
