//! What can go wrong when draws are read or filled.

use thiserror::Error;

/// What can go wrong when [`Draws`](crate::draws::Draws) are read or filled.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum DrawsError {
    /// There is no variable of this name.
    #[error("no variable named `{name}`; {}", hint(.similar))]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The most similar names.
        similar: Vec<String>,
    },
    /// The number of values does not fit chains, draws and event shape.
    #[error(
        "`{name}` with event shape {shape:?} needs {expected} values for {n_chains} chains of {n_draws} draws, got {got}"
    )]
    WrongLength {
        /// The name of the variable.
        name: String,
        /// Its event shape.
        shape: Vec<usize>,
        /// The number of chains.
        n_chains: usize,
        /// The number of draws in a chain.
        n_draws: usize,
        /// The number of values needed.
        expected: usize,
        /// The number of values given.
        got: usize,
    },
    /// A variable has one shape in some draws and another in others.
    #[error("site {name} has the shape {first:?} in one draw and {second:?} in another")]
    TwoShapes {
        /// The name of the variable.
        name: String,
        /// The shape in the earlier draws.
        first: Vec<usize>,
        /// The shape in a later one.
        second: Vec<usize>,
    },
    /// There is no dimension of this name.
    #[error("no dimension named `{name}`; {}", hint(.similar))]
    UnknownDimension {
        /// The name asked for.
        name: String,
        /// The most similar names.
        similar: Vec<String>,
    },
    /// A dimension has another length than the coordinates for it.
    #[error("dimension `{dimension}` has {expected} coordinates, got {got}")]
    WrongCoords {
        /// The name of the dimension.
        dimension: String,
        /// Its length.
        expected: usize,
        /// The number of coordinates given.
        got: usize,
    },
    /// Two coordinates of a dimension are the same.
    #[error("dimension `{dimension}` has the coordinate `{label}` twice, at {first} and {second}: each needs its own")]
    SameCoords {
        /// The name of the dimension.
        dimension: String,
        /// The coordinate.
        label: String,
        /// Where it stands first.
        first: usize,
        /// Where it stands again.
        second: usize,
    },
    /// There is no chain of this index.
    #[error("no chain {chain_idx}: there are {n_chains}, counted from 0")]
    UnknownChain {
        /// The index asked for.
        chain_idx: usize,
        /// The number of chains.
        n_chains: usize,
    },
}

fn hint(similar: &[String]) -> String {
    match similar {
        [] => "there are none".to_string(),
        _ => format!("similar: `{}`", similar.join("`, `")),
    }
}

/// Returns the three names at the least edit distance, ties in the order given.
pub(crate) fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names.map(|other| (edit_distance(name, other), other)).collect();
    ranked.sort_by_key(|&(distance, _)| distance);
    ranked.into_iter().take(3).map(|(_, other)| other.to_string()).collect()
}

/// Returns the least number of characters inserted, deleted or replaced to turn one word into the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_counts_single_characters() {
        let rows = [
            ("sigma", "sigma", 0),
            ("sigma", "sgma", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("β0", "β1", 1),
        ];
        for (from, to, expected) in rows {
            assert_eq!(edit_distance(from, to), expected, "{from} to {to}");
        }
    }
}
