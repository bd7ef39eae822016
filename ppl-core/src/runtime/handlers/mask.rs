//! Mask: only some rows of a site count.

use std::sync::Arc;

use ndarray::ArrayD;

use crate::runtime::arguments_key::{ArgumentsKey, Bits};
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Handler, Message};
use crate::runtime::handlers::choice::Chosen;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::sites::SiteValue;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::mask`](crate::runtime::handlers::ModelExt::mask).
#[derive(Clone, Debug)]
pub struct Mask {
    sites: Chosen,
    mask: Arc<ArrayD<f64>>,
}

impl Mask {
    pub(super) fn new(sites: Chosen, mask: SiteValue) -> Self {
        Mask {
            sites,
            mask: Arc::new(mask.0),
        }
    }
}

impl Handler for Mask {
    fn handle(&self, message: &mut Message<'_>) {
        if self.sites.contains(message.address) {
            message.masks.push((*self.mask).clone());
        }
    }
}

impl Effect for Mask {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        self.sites.check(ctx)
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        key.put(&self.sites);
        self.mask.put_bits(key);
    }
}
