//! Init: latents start from given values.

use ndarray::Axis;

use crate::draws::Draws;
use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::{Fate, Handler, Message};
use crate::runtime::handlers::assignments::Assignments;
use crate::runtime::handlers::effect::Effect;
use crate::runtime::sites::SiteValues;
use crate::runtime::stop::Res;

/// The handler of [`ModelExt::init`](crate::runtime::handlers::ModelExt::init) and
/// [`ModelExt::init_from`](crate::runtime::handlers::ModelExt::init_from).
#[derive(Clone, Debug)]
pub struct Init {
    values: Assignments,
    /// Whether each value has to be taken; of a fit, one is enough.
    takes_all: bool,
}

impl Init {
    pub(super) fn new(values: SiteValues) -> Self {
        Init {
            values: Assignments::new(values),
            takes_all: true,
        }
    }

    /// Takes the last draw of the last chain; what that draw lacks is left out.
    pub(super) fn from_draws(draws: &Draws) -> Self {
        let mut values = SiteValues::default();
        for name in draws.names().filter(|_| draws.n_chains() > 0 && draws.n_draws() > 0) {
            let all = draws.get(name).expect("it is among the names");
            let chain = all.index_axis(Axis(0), draws.n_chains() - 1);
            let last = chain.index_axis(Axis(0), draws.n_draws() - 1).to_owned();
            if last.is_empty() || last.iter().any(|x| !x.is_nan()) {
                values = values.with(name, last);
            }
        }
        Init {
            takes_all: false,
            ..Init::new(values)
        }
    }
}

impl Handler for Init {
    fn handle(&self, message: &mut Message<'_>) {
        let is_open = matches!(message.fate, Fate::Open) && !message.is_observed && message.start.is_none();
        if is_open {
            message.start = self.values.value_of(message.address);
        }
    }
}

impl Effect for Init {
    fn check(&self, ctx: Ctx<'_>) -> Res<()> {
        match self.takes_all {
            true => self.values.check_latents(ctx),
            false => self.values.check_some_latent(ctx),
        }
    }

    /// A start changes no recording: programs are shared with the model without it.
    fn hash_into(&self, _: &mut ArgumentsKey) {}
}
