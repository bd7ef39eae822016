//! Do: sites are set from outside, without a density.

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::assignments::Assignments;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::sites::SiteValues;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::do_`](crate::runtime::handlers::ModelExt::do_).
#[derive(Clone, Debug)]
pub struct Do {
    values: Assignments,
}

impl Do {
    pub(super) fn new(values: SiteValues) -> Self {
        Do {
            values: Assignments::new(values),
        }
    }
}

impl Handler for Do {
    fn handle(&self, message: &mut Message<'_>) {
        if let (Fate::Open, Some(value)) = (&message.fate, self.values.value_of(message.address)) {
            message.fate = Fate::Set(value);
        }
    }
}

impl Effect for Do {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        self.values.check(ctx)
    }

    fn hash_into(&self, key: &mut ArgumentsKey) {
        self.values.hash_into(key);
    }
}
