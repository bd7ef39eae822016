//! Methods of the configuration of an algorithm, one for each setting.

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

        /// Returns the names of the settings with their values in words.
        pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
            vec![$((stringify!($name), format!("{:?}", self.$name))),*]
        }
    };
}

pub(crate) use settings;
