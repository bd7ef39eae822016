//! The distribution of a single value.

use crate::constraints::Unknown;
use crate::distributions::contract::Dist;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::univariate;
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::broadcast::broadcast_to;
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;

/// The distribution that has all its mass at `value`; [`Delta()`] makes one.
#[derive(Clone, Debug)]
pub struct Delta<'t> {
    value: Param<'t>,
}

/// Returns the distribution with all its mass at `value`.
///
/// log p(x) = 0 where x = value, elementwise, and −∞ elsewhere; draws pass the derivative on to `value`.
///
/// ```
/// # use ppl_core::{distributions::{Delta, Dist}, tape::var::Var};
/// assert_eq!(Delta(2).log_prob(Var::from(2)).value(), 0.0);
/// ```
#[allow(non_snake_case)]
pub fn Delta<'t>(value: impl IntoVar<'t>) -> Delta<'t> {
    Delta {
        value: value.into_param(),
    }
}

impl Family for Delta<'_> {
    type Support = Unknown;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Delta<'t> {
    const NAME: &'static str = "Delta";
    const REPARAMETERISED: bool = true;

    univariate::methods!(DeltaDensity { value });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        let value = at.tape.lift(self.value.on(at.tape));
        broadcast_to(at.tape, value, &at.dims, &at.event)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.value.on(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.value.on(tape) * 0.0
    }
}

/// The log mass as a loop body.
pub(crate) struct DeltaDensity;

impl Density<1> for DeltaDensity {
    type Shared<F: Real> = ();

    const NAME: &'static str = "Delta";
    const SHARED: u32 = 0;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 1], _gradient: bool) {}

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [value]: [F; 1], _: &()) -> F {
        let elsewhere = F::select(x.is_nan() | value.is_nan(), F::NAN, -F::INFINITY);
        F::select(x == value, F::ZERO, elsewhere)
    }

    #[inline(always)]
    fn partials<F: Real>(_: F, _: [F; 1], _: &()) -> (F, [F; 1]) {
        (F::ZERO, [F::ZERO])
    }
}
