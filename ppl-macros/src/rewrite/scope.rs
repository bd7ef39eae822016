//! Which variables belong to the innermost plate, and what a `break` or `return` would leave.

use std::collections::HashSet;

use syn::visit::{self, Visit};
use syn::{Ident, Lifetime, Pat};

/// What surrounds an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A vectorised plate, whose body is run once.
    Plate,
    /// A real loop or a labelled block, with its label.
    Loop(Option<String>),
    /// A block that only a labelled `break` leaves.
    Block(String),
    /// A closure.
    Closure,
}

/// Nested scopes of variables, and the frames around the present expression.
#[derive(Default)]
pub struct Scopes {
    scopes: Vec<HashSet<String>>,
    frames: Vec<(Frame, usize)>,
}

impl Scopes {
    /// Opens a scope.
    pub fn open(&mut self) {
        self.scopes.push(HashSet::new());
    }

    /// Closes the innermost scope.
    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// Enters a frame, with a scope of its own.
    pub fn enter(&mut self, frame: Frame) {
        self.frames.push((frame, self.scopes.len()));
        self.open();
    }

    /// Leaves the innermost frame.
    pub fn leave(&mut self) {
        self.close();
        self.frames.pop();
    }

    /// Declares the variables of a pattern.
    pub fn declare(&mut self, pat: &Pat) {
        struct Bindings<'s>(&'s mut HashSet<String>);
        impl<'ast> Visit<'ast> for Bindings<'_> {
            fn visit_pat_ident(&mut self, p: &'ast syn::PatIdent) {
                self.0.insert(p.ident.to_string());
                visit::visit_pat_ident(self, p);
            }
            fn visit_expr(&mut self, _: &'ast syn::Expr) {}
        }
        if let Some(scope) = self.scopes.last_mut() {
            Bindings(scope).visit_pat(pat);
        }
    }

    /// Returns whether a variable was declared in the body, so that an argument of its name is hidden.
    pub fn is_declared(&self, ident: &Ident) -> bool {
        self.scopes.iter().any(|scope| scope.contains(&ident.to_string()))
    }

    /// Returns whether a variable belongs to code outside of the innermost plate.
    pub fn is_outside_of_plate(&self, ident: &Ident) -> bool {
        let plate = self.frames.iter().rev().find(|(frame, _)| *frame == Frame::Plate);
        plate.is_some_and(|&(_, start)| {
            !self.scopes[start..]
                .iter()
                .any(|scope| scope.contains(&ident.to_string()))
        })
    }

    /// Returns whether the present expression is in a closure.
    pub fn in_closure(&self) -> bool {
        self.frames.iter().any(|(frame, _)| *frame == Frame::Closure)
    }

    /// Returns whether a `return` here ends the model, not a closure.
    pub fn return_ends_model(&self) -> bool {
        !self.in_closure()
    }

    /// Returns whether a `return` here leaves a plate.
    pub fn return_leaves_plate(&self) -> bool {
        let until_closure = self
            .frames
            .iter()
            .rev()
            .take_while(|(frame, _)| *frame != Frame::Closure);
        until_closure.into_iter().any(|(frame, _)| *frame == Frame::Plate)
    }

    /// Returns whether a `break` or `continue` with this label leaves a plate.
    pub fn jump_leaves_plate(&self, label: Option<&Lifetime>) -> bool {
        let label = label.map(|label| label.ident.to_string());
        for (frame, _) in self.frames.iter().rev() {
            match frame {
                Frame::Plate => return true,
                Frame::Closure => return false,
                Frame::Loop(_) if label.is_none() => return false,
                Frame::Loop(Some(own)) | Frame::Block(own) if label.as_ref() == Some(own) => return false,
                _ => {}
            }
        }
        false
    }
}
