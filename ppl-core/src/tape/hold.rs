//! An arena of handles: indexing must return a reference, and this is where its target lives.

use std::cell::RefCell;

use crate::tape::var::Var;

/// Handles that live as long as the tape does, in blocks that never grow and so never move.
#[derive(Default)]
pub(crate) struct Held {
    blocks: RefCell<Vec<Vec<Var<'static>>>>,
}

// SAFETY: a handle in here is read only through a reference that borrows the tape, and a borrowed tape is not sent.
unsafe impl Send for Held {}

/// Handles in a block.
const BLOCK: usize = 64;

impl Held {
    /// Keeps a handle of the tape that owns this arena.
    pub(crate) fn hold<'t>(&'t self, x: Var<'t>) -> &'t Var<'t> {
        let mut blocks = self.blocks.borrow_mut();
        if blocks.last().is_none_or(|block| block.len() == BLOCK) {
            blocks.push(Vec::with_capacity(BLOCK));
        }
        let block = blocks.last_mut().expect("a block was pushed");
        // SAFETY: a handle has no destructor, and the reference below gives the lifetime back: nothing else reads it.
        block.push(unsafe { std::mem::transmute::<Var<'t>, Var<'static>>(x) });
        let place: *const Var<'static> = &block[block.len() - 1];
        // SAFETY: a block has its capacity from the start, so that no push moves its elements; it is dropped or cleared
        // only with exclusive access to the tape, when no reference for `'t` is left.
        unsafe { &*place.cast::<Var<'t>>() }
    }

    /// Forgets all handles and keeps one block.
    pub(crate) fn clear(&mut self) {
        let blocks = self.blocks.get_mut();
        blocks.truncate(1);
        blocks.iter_mut().for_each(Vec::clear);
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n: usize = self.blocks.borrow().iter().map(Vec::len).sum();
        write!(f, "Held({n})")
    }
}

#[cfg(test)]
mod tests {
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tape::var::Var;

    #[test]
    fn handles_stay_where_they_are_when_more_are_held() {
        let mut tape = Tape::new(Precision::F64, Key::new(1));
        for _ in 0..2 {
            let held: Vec<&Var<'_>> = (0..1000).map(|i| tape.hold(Var::from(i))).collect();
            assert!(held.iter().enumerate().all(|(i, x)| x.value() == i as f64));
            tape.clear(Key::new(1));
        }
    }
}
