//! Methods of the configuration of an algorithm, one for each setting.

/// Defines a method for each setting of a sampler, which returns the settings with another value of it.
macro_rules! settings {
    ($sampler:ident: $($name:ident: $t:ty;)*) => {$(
        #[doc = concat!(
            "Returns these settings with another [`", stringify!($sampler), "::", stringify!($name), "`](",
            stringify!($sampler), "#structfield.", stringify!($name), ")."
        )]
        pub fn $name(mut self, $name: $t) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

pub(crate) use settings;
