//! Binding data again: the arguments of a model are copied into the slots of a program that was recorded from another
//! binding.

use crate::program::compile::Program;
use crate::program::workspace::Workspace;
use crate::runtime::data::{Data, DataVisitor};
use crate::tape::store::Scalar;
use crate::tensor::shape::size;

/// Copies the data of a model, which `visit` shows, into the rebound slots of a program; `slots` has one entry for each
/// data argument, as [`Recording::arguments`](crate::runtime::recording::Recording::arguments) does.
///
/// Returns whether the arguments are those that were recorded: the same are there, with as many elements. Otherwise
/// nothing can be said of the slots.
pub fn rebind<F: Scalar>(
    visit: impl FnOnce(&mut dyn DataVisitor),
    slots: &[Option<usize>],
    program: &Program<F>,
    workspace: &mut Workspace<F>,
) -> bool {
    let mut copy = Copy {
        slots: slots.iter(),
        program,
        workspace,
        fits: true,
    };
    visit(&mut copy);
    copy.fits && copy.slots.next().is_none()
}

/// Copies one argument after the other.
struct Copy<'a, F> {
    slots: std::slice::Iter<'a, Option<usize>>,
    program: &'a Program<F>,
    workspace: &'a mut Workspace<F>,
    fits: bool,
}

impl<F: Scalar> DataVisitor for Copy<'_, F> {
    fn visit(&mut self, _: &'static str, data: Option<&dyn Data>) {
        match (self.slots.next(), data) {
            (Some(&Some(slot)), Some(data)) => {
                if self.program.has_slot(slot) {
                    let out = self.program.slot(self.workspace, slot);
                    if out.len() == size(&data.shape()) {
                        data.write(F::part(out));
                    } else {
                        self.fits = false;
                    }
                }
            }
            (Some(None), None) => {}
            _ => self.fits = false,
        }
    }
}
