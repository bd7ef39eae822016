//! Which passes run: tests switch each of them off.

/// Switches of the passes; all are on by default, and none changes a result by more than the order of
/// a sum does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes {
    /// Computes once what depends on constants and fixed data alone.
    pub constants: bool,
    /// Lets operations prepare from constant operands: sorted index lists.
    pub prepare: bool,
    /// Computes no adjoint that no input needs.
    pub drop_adjoints: bool,
    /// Overwrites an adjoint at its first write instead of zeroing it beforehand, or lets it be that of the output.
    pub first_write: bool,
    /// Runs neighbouring elementwise operations on many elements block by block.
    pub blocks: bool,
}

impl Default for Passes {
    fn default() -> Self {
        Passes {
            constants: true,
            prepare: true,
            drop_adjoints: true,
            first_write: true,
            blocks: true,
        }
    }
}

impl Passes {
    /// Returns all combinations, for tests.
    pub fn every() -> impl Iterator<Item = Passes> {
        (0..32u8).map(|bits| Passes {
            constants: bits & 1 != 0,
            prepare: bits & 2 != 0,
            drop_adjoints: bits & 4 != 0,
            first_write: bits & 8 != 0,
            blocks: bits & 16 != 0,
        })
    }
}
