//! What the axes of variables are called, what their coordinates are, and what the numbers of a variable are.

use std::collections::{BTreeMap, HashMap};

use crate::draws::error::{DrawsError, similar};

/// What the numbers of a variable are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Real numbers.
    #[default]
    Real,
    /// Whole numbers that count.
    Integer,
    /// Whole numbers that stand for categories: their order and their distances mean nothing.
    Category,
    /// Truth values, zero and one.
    Boolean,
}

impl Kind {
    /// Returns what numbers are of which some are of this kind and some of another.
    pub(crate) fn or(self, other: Kind) -> Kind {
        match (self, other) {
            _ if self == other => self,
            (Kind::Real, _) | (_, Kind::Real) => Kind::Real,
            _ => Kind::Integer,
        }
    }
}

/// An axis of a variable behind chain and draw: the dimension that it runs along.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedAxis {
    /// The name of the dimension; variables with an axis of one name and length share it.
    pub name: String,
    /// The number of coordinates.
    pub len: usize,
}

impl NamedAxis {
    /// Returns the axes of a variable whose dimensions have no names of their own: `x_dim_0`, `x_dim_1`, ….
    pub fn unnamed(variable: &str, shape: &[usize]) -> Vec<NamedAxis> {
        let axis = |(k, &len): (usize, &usize)| NamedAxis {
            name: format!("{variable}_dim_{k}"),
            len,
        };
        shape.iter().enumerate().map(axis).collect()
    }
}

/// The dimensions of some variables by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dimensions(BTreeMap<String, Dimension>);

#[derive(Clone, Debug, PartialEq)]
struct Dimension {
    len: usize,
    /// The coordinates, where they are not 0, 1, ….
    labels: Option<Vec<String>>,
    /// The number of axes along it.
    n_axes: usize,
}

impl Dimensions {
    /// Takes an axis in and returns the name of its dimension: its own, or `name:len` where an axis of another length has it.
    pub fn add(&mut self, axis: &NamedAxis) -> String {
        let own = self.0.get(&axis.name);
        let name = match own.is_some_and(|d| d.len != axis.len) {
            true => format!("{}:{}", axis.name, axis.len),
            false => axis.name.clone(),
        };
        let fresh = || Dimension {
            len: axis.len,
            labels: None,
            n_axes: 0,
        };
        self.0.entry(name.clone()).or_insert_with(fresh).n_axes += 1;
        name
    }

    /// Takes an axis out; a dimension without axes is forgotten.
    pub fn remove(&mut self, name: &str) {
        if let Some(dimension) = self.0.get_mut(name) {
            dimension.n_axes -= 1;
            if dimension.n_axes == 0 {
                self.0.remove(name);
            }
        }
    }

    /// Returns the names with their lengths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(name, d)| (name.as_str(), d.len))
    }

    /// Returns the coordinates of a dimension, `None` for 0, 1, ….
    pub fn labels(&self, name: &str) -> Result<Option<&[String]>, DrawsError> {
        let dimension = self.0.get(name).ok_or_else(|| self.unknown(name))?;
        Ok(dimension.labels.as_deref())
    }

    /// Gives a dimension coordinates.
    pub fn set_labels(&mut self, name: &str, labels: Vec<String>) -> Result<(), DrawsError> {
        let unknown = self.unknown(name);
        let dimension = self.0.get_mut(name).ok_or(unknown)?;
        if labels.len() != dimension.len {
            return Err(DrawsError::WrongCoords {
                dimension: name.to_string(),
                expected: dimension.len,
                got: labels.len(),
            });
        }
        let mut seen = HashMap::new();
        for (second, label) in labels.iter().enumerate() {
            if let Some(first) = seen.insert(label, second) {
                return Err(DrawsError::SameCoords {
                    dimension: name.to_string(),
                    label: label.clone(),
                    first,
                    second,
                });
            }
        }
        dimension.labels = Some(labels);
        Ok(())
    }

    fn unknown(&self, name: &str) -> DrawsError {
        DrawsError::UnknownDimension {
            name: name.to_string(),
            similar: similar(name, self.0.keys().map(String::as_str)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, len: usize) -> NamedAxis {
        NamedAxis {
            name: name.to_string(),
            len,
        }
    }

    #[test]
    fn a_name_that_another_length_has_is_told_apart_by_the_length() {
        let mut dimensions = Dimensions::default();
        assert_eq!(dimensions.add(&axis("i", 3)), "i");
        assert_eq!(dimensions.add(&axis("i", 4)), "i:4");
        assert_eq!(dimensions.add(&axis("i", 4)), "i:4");
        assert_eq!(dimensions.iter().collect::<Vec<_>>(), [("i", 3), ("i:4", 4)]);
        dimensions.remove("i");
        dimensions.remove("i:4");
        assert_eq!(dimensions.iter().collect::<Vec<_>>(), [("i:4", 4)]);
    }

    #[test]
    fn numbers_of_two_kinds_are_of_what_holds_both() {
        assert_eq!(Kind::Boolean.or(Kind::Boolean), Kind::Boolean);
        assert_eq!(Kind::Boolean.or(Kind::Category), Kind::Integer);
        assert_eq!(Kind::Integer.or(Kind::Real), Kind::Real);
    }
}
