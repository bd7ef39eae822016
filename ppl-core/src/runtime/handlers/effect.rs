//! What a handler keeps between runs of the model that it is around.

use crate::runtime::arguments_key::ArgumentsKey;
use crate::runtime::context::Ctx;
use crate::runtime::handler::Handler;
use crate::runtime::stop::Res;

/// What a handler keeps between runs: each run gets a handler of its own.
pub trait Effect: Clone + Handler + 'static {
    /// Looks at a finished run.
    ///
    /// # Errors
    ///
    /// If the handler did not find what it was made for.
    fn check(&self, _ctx: Ctx<'_>) -> Res<()> {
        Ok(())
    }

    /// Adds to `key` what the handler does.
    fn hash_into(&self, key: &mut ArgumentsKey);
}
