//! What a site starts from where a handler gave it a value.

use ndarray::ArrayD;

use crate::distributions::inside;
use crate::ops::broadcast::broadcast_to;
use crate::runtime::sampling::Visit;
use crate::runtime::source::{LatentSite, Start};
use crate::runtime::stop::Res;
use crate::tape::var::Var;

impl<'t> Visit<'_, 't> {
    /// Returns what the algorithm is to start from, if a handler gave a value.
    pub(super) fn starting_value(&self, site: &LatentSite<'_, 't>) -> Res<Option<Start>> {
        let Some(start) = &self.start else {
            return Ok(None);
        };
        let wanted: Vec<usize> = site.rows.iter().chain(&site.event).copied().collect();
        if start.shape() != wanted.as_slice() {
            let message = format!(
                "the starting value has shape {:?}, the site has shape {wanted:?}",
                start.shape()
            );
            return Err(self.fault(message));
        }
        let values: Vec<f64> = start.iter().copied().collect();
        let in_batch = || self.fault("a site in a batch of rows that its parameters depend on takes no starting value");
        let set = site.bounds(self.ctx).ok_or_else(in_batch)?;
        if let Some(fault) = inside::fault(set, &values, &site.event, self.ctx.tape().precision()) {
            return Err(self.fault(format!("the starting value {fault}")));
        }
        let free = match () {
            () if site.support.is_discrete() => values.clone(),
            () if site.is_noncentered && self.facts.event_rank > 0 => {
                let message = "a noncentered vector takes no starting value: leave `.noncentered()` out";
                return Err(self.fault(message));
            }
            () if site.is_noncentered => self.standardised(site, start).ok_or_else(in_batch)?,
            () => site.unconstrain(self.ctx, &values).ok_or_else(in_batch)?,
        };
        Ok(Some(Start { values, free }))
    }

    /// Returns z of x = loc + scale z for each element, or `None` if loc and scale are known for a batch of rows only.
    fn standardised(&self, site: &LatentSite<'_, 't>, start: &ArrayD<f64>) -> Option<Vec<f64>> {
        let tape = self.ctx.tape();
        let plates = self.ctx.state().plates.clone();
        let each = |z: f64| {
            let x = tape.lift(self.dist.from_standard(tape, Var::constant(z))?);
            let x = (!self.ctx.is_subsampled()).then(|| broadcast_to(tape, x, &plates, &site.event))?;
            Some(x.elements())
        };
        let (loc, one) = (each(0.0)?, each(1.0)?);
        let of_each = start.iter().zip(loc.iter().zip(&one));
        Some(of_each.map(|(x, (loc, one))| (x - loc) / (one - loc)).collect())
    }
}
