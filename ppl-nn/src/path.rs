//! The place of a parameter in a module: field names and numbers, joined by points.

use std::fmt;

/// The way from a module to one of its parts, which names the part: `layers.0.weight`.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Root,
    Field(&'static str),
    Number(usize),
}

impl Path<'_> {
    /// Returns the path of the module itself.
    pub fn root() -> Self {
        Path {
            parent: None,
            part: Part::Root,
        }
    }

    /// Returns the path of a field.
    pub fn field<'a>(&'a self, name: &'static str) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Field(name),
        }
    }

    /// Returns the path of an element of a vector, array or tuple.
    pub fn number<'a>(&'a self, number: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            part: Part::Number(number),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if parent.parent.is_some() {
                f.write_str(".")?;
            }
        }
        match self.part {
            Part::Root => Ok(()),
            Part::Field(name) => f.write_str(name),
            Part::Number(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_by_points() {
        let root = Path::root();
        let layers = root.field("layers");
        assert_eq!(layers.number(3).field("weight").to_string(), "layers.3.weight");
        assert_eq!(root.number(0).to_string(), "0");
        assert_eq!(root.to_string(), "");
    }
}
