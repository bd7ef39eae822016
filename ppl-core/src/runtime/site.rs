//! A site as it is written: its name and its place in the source.

use crate::error::Place;

/// The name of a site, a plate or a loop, and where it is written. The macros make one for each word;
/// a random module makes one for each of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site<'a> {
    /// The name without the prefixes of enclosing models and without the suffixes of enclosing loops.
    pub name: &'a str,
    /// The source file.
    pub file: &'static str,
    /// The line, from one.
    pub line: u32,
}

impl Site<'_> {
    /// Returns the place in the source.
    pub fn place(&self) -> Place {
        Place {
            file: self.file,
            line: self.line,
        }
    }
}
