//! Probabilities given as themselves or as log-odds: the parameter of the discrete distributions.

use crate::ops::param::Param;
use crate::tape::record::Tape;
use crate::tape::var::Var;

/// A probability (or several, which need not sum to one) or its logit (or unnormalised logarithms).
#[derive(Clone, Debug)]
pub(crate) enum Chances<'t> {
    Probs(Param<'t>),
    Logits(Param<'t>),
}

impl<'t> Chances<'t> {
    /// Returns the parameter as it was given.
    pub fn param(&self) -> &Param<'t> {
        match self {
            Chances::Probs(p) | Chances::Logits(p) => p,
        }
    }

    /// Puts an array onto `tape`, once for all later uses.
    pub fn put_on(&mut self, tape: &'t Tape) {
        match self {
            Chances::Probs(p) | Chances::Logits(p) => p.put_on(tape),
        }
    }

    /// Returns the name of the parameter and its value.
    pub fn named(&self, tape: &'t Tape) -> (&'static str, Var<'t>) {
        match self {
            Chances::Probs(p) => ("probs", p.on(tape)),
            Chances::Logits(p) => ("logits", p.on(tape)),
        }
    }
}
