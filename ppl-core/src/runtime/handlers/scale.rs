//! Scale: log densities of sites are multiplied by a factor.

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Handler, Message};
use crate::runtime::handlers::choice::Chosen;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::scale`](crate::runtime::handlers::ModelExt::scale).
#[derive(Clone, Debug)]
pub struct Scale {
    sites: Chosen,
    factor: f64,
}

impl Scale {
    pub(super) fn new(sites: Chosen, factor: f64) -> Self {
        Scale { sites, factor }
    }
}

impl Handler for Scale {
    fn handle(&self, message: &mut Message<'_>) {
        if self.sites.contains(message.address) {
            message.scale *= self.factor;
        }
    }
}

impl Effect for Scale {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        self.sites.check(ctx)
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        key.put((&self.sites, self.factor.to_bits()));
    }
}
