//! The log density that a site adds to its run: at a value, or at a draw of its own by the draw's noise.

use crate::runtime::sampling::Visit;
use crate::runtime::state::SiteKind;
use crate::runtime::stop::Res;
use crate::runtime::terms::{AtOwnDraw, AtValue, Elements, Part, Term, masked};
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

impl<'t> Visit<'_, 't> {
    /// A draw of a guide, whose log density counts with this weight.
    pub fn of_guide(&self, event: Shape, weight: f64) -> Res<Var<'t>> {
        self.check_proper()?;
        let drawn = self.dist.drawn(&self.noise(event));
        self.ctx.check()?;
        let number = self.add(drawn.value, SiteKind::Latent)?;
        if weight != 0.0 {
            self.term_of(&AtOwnDraw(self.dist, drawn), self.factor(), weight, number);
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
        self.term_of(&AtValue(self.dist, x), self.factor(), weight, number);
    }

    /// Adds a log density of the site times `scale`, where it is not masked.
    pub fn term_of(&self, density: &dyn Elements<'t>, scale: Var<'t>, weight: f64, number: u32) {
        let part = if weight < 0.0 { Part::Guide } else { Part::Density };
        self.ctx.term(&Term {
            weight,
            scale,
            masks: &self.masks,
            observed: self.observed,
            ..Term::plain(number, part, density)
        });
    }

    /// Returns the log density of each element or row at a value, zero where it is masked.
    pub fn masked_log_prob(&self, x: Var<'t>) -> Var<'t> {
        masked(self.dist.log_prob(x), &self.masks)
    }
}
