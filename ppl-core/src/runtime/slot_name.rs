//! What the parts of the vector of inputs are called.

use std::fmt;

/// The name of a latent or parameter among the inputs of a run of guide and model.
///
/// Guide and model each have names of their own for parameters. Where both have a parameter of one name, that of the model is
/// printed as `name (model)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SlotName {
    /// That of the site.
    Own(String),
    /// A parameter of the model, whose name the guide has given to one of its own.
    OfModel(String),
}

impl SlotName {
    /// Returns the address of the site.
    pub fn site(&self) -> &str {
        match self {
            SlotName::Own(site) | SlotName::OfModel(site) => site,
        }
    }

    /// Returns whether the name is printed so.
    pub fn is_called(&self, name: &str) -> bool {
        match self {
            SlotName::Own(site) => site == name,
            SlotName::OfModel(_) => self.to_string() == name,
        }
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotName::Own(site) => f.write_str(site),
            SlotName::OfModel(site) => write!(f, "{site} (model)"),
        }
    }
}
