//! Replay: latents take the values of a run.

use std::collections::HashMap;
use std::sync::Arc;

use ndarray::ArrayD;

use crate::runtime::arguments_key::{ArgumentsKey, Bits};
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::effect::Effect;
use crate::runtime::handlers::trace::Trace;
use crate::runtime::state::SiteKind;

/// The handler of [`ModelExt::replay`](crate::runtime::handlers::ModelExt::replay).
#[derive(Clone, Debug)]
pub struct Replay {
    latents: Arc<HashMap<String, ArrayD<f64>>>,
}

impl Replay {
    pub(super) fn new(trace: &Trace) -> Self {
        let latents = trace.sites().iter().filter(|s| s.kind == SiteKind::Latent);
        Replay {
            latents: Arc::new(latents.map(|s| (s.address.clone(), s.value.clone())).collect()),
        }
    }
}

impl Handler for Replay {
    fn handle(&self, message: &mut Message<'_>) {
        let is_open = matches!(message.fate, Fate::Open) && !message.is_observed;
        if let (true, Some(value)) = (is_open, self.latents.get(message.address)) {
            message.fate = Fate::Replayed(value.clone());
        }
    }
}

impl Effect for Replay {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        let mut latents: Vec<_> = self.latents.iter().collect();
        latents.sort_unstable_by_key(|(address, _)| *address);
        for (address, value) in latents {
            key.put(address);
            value.put_bits(key);
        }
    }
}
