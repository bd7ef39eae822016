//! Condition: latents are observed at given values.

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::assignments::Assignments;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::sites::SiteValues;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::condition`](crate::runtime::handlers::ModelExt::condition).
#[derive(Clone, Debug)]
pub struct Condition {
    values: Assignments,
}

impl Condition {
    pub(super) fn new(values: SiteValues) -> Self {
        Condition {
            values: Assignments::new(values),
        }
    }
}

impl Handler for Condition {
    fn handle(&self, message: &mut Message<'_>) {
        if let (Fate::Open, Some(value)) = (&message.fate, self.values.value_of(message.address)) {
            message.fate = Fate::Observed(value);
        }
    }
}

impl Effect for Condition {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        self.values.check(ctx)
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        self.values.hash_into(key);
    }
}
