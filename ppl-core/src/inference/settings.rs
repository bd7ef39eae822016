//! What the configurations of samplers have in common: a method for each setting, and the plan of the chains.

/// Defines a method for each setting of a sampler, which returns the settings with another value of it.
macro_rules! settings {
    ($sampler:ident: $($name:ident: $t:ty;)*) => { $(
        #[doc = concat!(
            "Returns these settings with another [`", stringify!($sampler), "::", stringify!($name), "`](",
            stringify!($sampler), "#structfield.", stringify!($name), ")."
        )]
        pub fn $name(mut self, $name: $t) -> Self {
            self.$name = $name;
            self
        }
    )*

        /// Writes the chains into files, and begins where these end: see [`Checkpoint`](crate::inference::checkpoint::Checkpoint).
        pub fn checkpoint(mut self, checkpoint: crate::inference::checkpoint::Checkpoint) -> Self {
            self.checkpoint = Some(checkpoint);
            self
        }

        /// Returns the names of the settings with their values in words.
        pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
            vec![$((stringify!($name), format!("{:?}", self.$name))),*]
        }
    };
}

/// Returns the plan of a sampler's chains; settings on which no step depends do not count for checkpoints.
macro_rules! plan {
    ($sampler:ident) => {{
        let of_steps = Self {
            chains: 0,
            draws: 0,
            progress: $crate::inference::progress::Progress::Hidden,
            checkpoint: None,
            ..$sampler.clone()
        };
        $crate::inference::chain::ChainPlan {
            chains: $sampler.chains,
            draws: $sampler.draws,
            warmup: $sampler.warmup,
            thin: $sampler.thin,
            keep_warmup: $sampler.keep_warmup,
            key: $crate::rng::Key::new($sampler.seed),
            progress: $sampler.progress,
            checkpoint: $sampler.checkpoint.clone(),
            settings: format!("{of_steps:?}"),
        }
    }};
}

pub(crate) use {plan, settings};
