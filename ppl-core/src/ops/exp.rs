//! The exponential function.

use crate::kernels::map::Map1;
use crate::kernels::real::Real;
use crate::ops::elementwise::{Unary, unary};
use crate::tape::var::Var;

struct Exp;

impl Map1 for Exp {
    #[inline(always)]
    fn value<F: Real>(x: F) -> F {
        x.exp()
    }

    #[inline(always)]
    fn derivative<F: Real>(_x: F, out: F) -> F {
        out
    }
}

impl Unary for Exp {
    const NAME: &'static str = "exp";
}

impl<'t> Var<'t> {
    /// Returns eˣ, elementwise.
    pub fn exp(self) -> Var<'t> {
        unary::<Exp>(self)
    }
}
