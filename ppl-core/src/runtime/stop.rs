//! Why the body of a model ended early: an error of the library or of the user's own code.

use std::any::Any;

use crate::error::Error;
use crate::tape::var::Var;

/// The result of a model's body and of every word in it.
pub type Res<T> = Result<T, Stop>;

/// An error on its way out of a model's body; `?` converts the user's own errors into it.
///
/// It is no [`std::error::Error`] itself, so that the conversion can take every type that is one.
#[derive(Debug)]
pub struct Stop(pub Error);

impl<E: std::error::Error + 'static> From<E> for Stop {
    fn from(error: E) -> Self {
        match (&error as &dyn Any).downcast_ref::<Error>() {
            Some(own) => Stop(own.clone()),
            None => Stop(Error::User(error.to_string())),
        }
    }
}

impl Stop {
    /// Returns the error.
    pub fn into_error(self) -> Error {
        self.0
    }
}

/// What a word in a closure gives when it fails; the error is kept and comes out at the next word outside.
pub trait Poisoned {
    /// Returns NaN, or nothing.
    fn poisoned() -> Self;
}

impl Poisoned for Var<'_> {
    fn poisoned() -> Self {
        Var::constant(f64::NAN)
    }
}

impl Poisoned for () {
    fn poisoned() -> Self {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_error_keeps_its_variant_and_others_their_text() {
        let own = Error::Invalid("no rows".to_string());
        assert_eq!(Stop::from(own.clone()).into_error(), own);
        let foreign = "x".parse::<f64>().unwrap_err();
        assert_eq!(
            Stop::from(foreign).into_error(),
            Error::User("invalid float literal".to_string())
        );
    }
}
