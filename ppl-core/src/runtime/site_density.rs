//! The log density that a site adds to its run: at a value, or at a draw of its own by the draw's noise.

use crate::distributions::Dist;
use crate::ops::sum::SumTerm;
use crate::ops::where_::where_;
use crate::runtime::sampling::{At, Visit};
use crate::runtime::state::SiteKind;
use crate::runtime::stop::Res;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::tensor::dims::union;
use crate::tensor::shape::Shape;

impl<'t, D: Dist<'t>> Visit<'_, 't, D> {
    /// A draw of a guide, whose log density counts with this weight.
    pub fn of_guide(&self, event: Shape, weight: f64) -> Res<Var<'t>> {
        self.check_proper()?;
        let drawn = self.dist.drawn(&self.noise(event));
        self.ctx.check()?;
        let number = self.add(drawn.value, SiteKind::Latent)?;
        if weight != 0.0 {
            self.term_times(At::Own(drawn), self.factor(), weight, number);
        }
        self.ctx.check()?;
        Ok(drawn.value)
    }

    /// Returns what the log density of the site at its own value is multiplied by.
    pub fn factor(&self) -> Var<'t> {
        match self.modifiers.scale {
            None => Var::constant(self.scale),
            Some(factor) if self.scale == 1.0 => factor,
            Some(factor) => factor * self.scale,
        }
    }

    /// Adds the log density at `x` with the scale of the site.
    pub fn term(&self, x: Var<'t>, weight: f64, number: u32) {
        self.term_times(At::Value(x), self.factor(), weight, number);
    }

    /// Adds the log density times `factor`, by the fused operation unless rows are masked or weighted by values.
    pub fn term_times(&self, at: At<'t>, factor: Var<'t>, weight: f64, number: u32) {
        let tape = self.ctx.tape();
        let constant = factor.as_constant();
        let weight = weight * constant.unwrap_or(1.0);
        let params = self.dist.params(tape);
        let dims = params
            .iter()
            .fold(at.value().dims(), |dims, p| union(&dims, &p.1.dims()));
        if self.masks.is_empty() && constant.is_some() {
            let weight = weight * self.ctx.multiplicity(&dims);
            return match at {
                At::Value(x) => self.dist.log_prob_term(tape, x, weight, number),
                At::Own(drawn) => self.dist.drawn_term(tape, drawn, weight, number),
            };
        }
        let mut log_prob = self.masked_log_prob(at);
        if constant.is_none() {
            log_prob *= factor;
        }
        let weight = weight * self.ctx.multiplicity(&log_prob.dims());
        tape.term(SumTerm::DEF, &[log_prob], &[], 0, weight, number);
    }

    /// Returns the log density of each element or row, zero where it is masked.
    pub fn masked_log_prob(&self, at: At<'t>) -> Var<'t> {
        let each = match at {
            At::Value(x) => self.dist.log_prob(x),
            At::Own(drawn) => self.dist.drawn_log_prob(drawn),
        };
        let masked = |log_prob, &mask: &Var<'t>| where_(mask, log_prob, Var::constant(0.0));
        self.masks.iter().fold(each, masked)
    }
}
