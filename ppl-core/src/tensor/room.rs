//! Whether an array finds room in memory: asked before the memory is.

use std::fmt;
use std::sync::OnceLock;

use crate::tensor::shape::{Shape, size};

/// What is assumed where the machine does not tell how much memory it has: 1 TiB.
const UNKNOWN: u64 = 1 << 40;

/// An array for which there is no room; printed with shape and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// The lengths of its axes.
    pub shape: Shape,
    /// The bytes that it takes.
    pub bytes: u128,
    /// The bytes that there are for all arrays.
    pub memory: u64,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, memory) = (in_words(self.bytes), in_words(self.memory.into()));
        let shape = self.shape.as_slice();
        write!(
            f,
            "an array of shape {shape:?} takes {wanted}, and there are {memory} of memory, of which one array can have half"
        )
    }
}

/// Returns the number of elements of an array of this shape.
///
/// # Errors
///
/// If it takes more than half of the memory: an array lies there twice, as values given or to start from, and on the tape.
///
/// ```
/// use ppl_core::tensor::room::room;
///
/// assert_eq!(room(&[3, 4], 8), Ok(12));
/// let error = room(&[usize::MAX, 2], 8).unwrap_err().to_string();
/// assert!(error.starts_with("an array of shape [18446744073709551615, 2] takes "));
/// ```
pub fn room(shape: &[usize], bytes_each: usize) -> Result<usize, NoRoom> {
    let product = |all: u128, &n: &usize| all.saturating_mul(n as u128);
    let bytes = shape.iter().fold(bytes_each as u128, product);
    if bytes > u128::from(memory() / 2) {
        return Err(NoRoom {
            shape: Shape::from_slice(shape),
            bytes,
            memory: memory(),
        });
    }
    Ok(size(shape))
}

/// Returns the bytes that this process can have: the memory of the machine, or less where it is limited.
///
/// On Linux the machine, its control group and the limits of the process are asked, once; elsewhere it is 1 TiB.
pub fn memory() -> u64 {
    static MEMORY: OnceLock<u64> = OnceLock::new();
    *MEMORY.get_or_init(|| {
        let of_file = |path: &str, line: &str, unit: u64| {
            let text = std::fs::read_to_string(path).ok()?;
            let figures = text.lines().find_map(|l| l.strip_prefix(line))?;
            let figure: u64 = figures.split_whitespace().next()?.parse().ok()?;
            figure.checked_mul(unit)
        };
        let limits = [
            of_file("/proc/meminfo", "MemTotal:", 1024),
            of_file("/sys/fs/cgroup/memory.max", "", 1),
            of_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", 1),
            of_file("/proc/self/limits", "Max address space", 1),
        ];
        limits.into_iter().flatten().min().unwrap_or(UNKNOWN)
    })
}

/// Returns a number of bytes in the unit that leaves the fewest digits before the point.
fn in_words(bytes: u128) -> String {
    const UNITS: [&str; 7] = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 999.95 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1000.0, unit + 1);
    }
    match (unit, size < 1e6) {
        (0, _) => format!("{bytes} bytes"),
        (_, true) => format!("{size:.1} {}", UNITS[unit]),
        (_, false) => format!("{size:.1e} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_readable_units() {
        let rows = [
            (12, "12 bytes"),
            (8_000, "8.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (8_000_000_000_000, "8.0 TB"),
            (u128::MAX, "3.4e20 EB"),
        ];
        for (bytes, text) in rows {
            assert_eq!(in_words(bytes), text);
        }
    }

    #[test]
    fn products_that_overflow_have_no_room_and_empty_arrays_have() {
        assert_eq!(room(&[usize::MAX, 0, usize::MAX], 8), Ok(0));
        assert_eq!(room(&[usize::MAX; 20], 8).unwrap_err().bytes, u128::MAX);
        assert_eq!(room(&[], 8), Ok(1));
    }

    #[test]
    fn an_array_may_take_half_of_the_memory_and_no_more() {
        let half = (memory() / 2) as usize;
        assert_eq!(room(&[half], 1), Ok(half));
        assert_eq!(room(&[half + 1], 1).unwrap_err().memory, memory());
    }
}
