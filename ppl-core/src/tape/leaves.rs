//! Nodes without operands, aliases, and the copy that keeps adjoints apart.

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};

macro_rules! leaf {
    ($(#[$doc:meta])* $name:ident, $text:literal, $role:ident) => {
        $(#[$doc])*
        pub struct $name;

        impl Op for $name {
            const NAME: &'static str = $text;
            const ROLE: Role = Role::$role;
            fn forward<F: Real>(_: &mut Call<'_, F>) {}
            fn backward<F: Real>(_: &mut Call<'_, F>) {}
        }
    };
}

leaf!(
    /// A slot of the vector of latents and parameters; attribute 0 is its offset.
    Input, "input", Input
);
leaf!(
    /// A slot of a discrete latent in that vector; attribute 0 is its offset.
    DiscreteInput, "discrete_input", DiscreteInput
);
leaf!(
    /// A data slot; attribute 0 is its number.
    Data, "data", Data
);
leaf!(
    /// A baked value.
    Constant, "constant", Constant
);
leaf!(
    /// A missing observation; the attributes are its number, whether it has a shape, and the way to this part of it.
    Missing, "missing", Missing
);
leaf!(
    /// The elements of the operand under another shape.
    Alias, "alias", Alias
);

/// A copy of the operand: recorded where one value is two operands of one operation, so that their adjoints are disjoint.
pub struct Copy;

impl Op for Copy {
    const NAME: &'static str = "copy";
    const PASSES_ON: u32 = 1;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        call.out().copy_from_slice(call.x(0));
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let d_out = call.d_out();
        if let Some(d_x) = call.grad(0) {
            if d_x.overwrite {
                d_x.slice.copy_from_slice(d_out);
            } else {
                for (d, &g) in d_x.slice.iter_mut().zip(d_out) {
                    *d += g;
                }
            }
        }
    }
}
