//! Block: sites are left out of the density.

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::choice::Chosen;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::block`](crate::runtime::handlers::ModelExt::block).
#[derive(Clone, Debug)]
pub struct Block {
    sites: Chosen,
}

impl Block {
    pub(super) fn new(sites: Chosen) -> Self {
        Block { sites }
    }
}

impl Handler for Block {
    fn handle(&self, message: &mut Message<'_>) {
        if self.sites.contains(message.address) {
            message.fate = match std::mem::take(&mut message.fate) {
                Fate::Open | Fate::Hidden => Fate::Hidden,
                // A value that an inner handler gave stays, and loses its density.
                Fate::Observed(value) | Fate::Replayed(value) | Fate::Set(value) => Fate::Set(value),
            };
        }
    }
}

impl Effect for Block {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        self.sites.check(ctx)
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        key.put(&self.sites);
    }
}
