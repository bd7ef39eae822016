//! The divergence of a guide's site from the prior of the model's site.

use crate::distributions::Params;
use crate::runtime::context::Ctx;
use crate::tape::var::Var;

impl<'t> Ctx<'t> {
    /// Returns the divergence of a guide's site, met earlier in this run, from a prior.
    pub(super) fn guide_kl(self, guide_site: usize, prior: &str, params: &Params<'t>) -> Option<Var<'t>> {
        let record = self.state().sites[guide_site].clone();
        let own = record.params.iter().map(|&(name, value, has_plates)| {
            let value = self.unhold(value);
            let n_plates = self.state().plates.len();
            let event = value.event_shape();
            (
                name,
                if has_plates {
                    self.rows_of(value, &event[n_plates..])
                } else {
                    value
                },
            )
        });
        record.kl?(self.tape(), &own.collect(), prior, params)
    }
}
