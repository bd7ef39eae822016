//! Do: sites are set from outside, without a density.

use std::sync::Arc;

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::condition::value_of;
use crate::runtime::handlers::handled::Effect;
use crate::runtime::sites::SiteValues;

/// The handler of [`ModelExt::do_`](crate::runtime::handlers::ModelExt::do_).
#[derive(Clone, Debug)]
pub struct Do {
    values: Arc<SiteValues>,
}

impl Do {
    pub(super) fn new(values: SiteValues) -> Self {
        Do {
            values: Arc::new(values),
        }
    }
}

impl Handler for Do {
    fn handle(&self, message: &mut Message<'_>) {
        if let (Fate::Open, Some(value)) = (&message.fate, value_of(&self.values, message.address)) {
            message.fate = Fate::Set(value);
        }
    }
}

impl Effect for Do {
    fn hash_into(&self, key: &mut ArgumentsKey) {
        self.values.hash_into(key);
    }
}
