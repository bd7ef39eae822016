//! The half-Cauchy distribution: the absolute value of a Cauchy one.

use crate::constraints::Positive;
use crate::distributions::cauchy::{StandardCauchy, d_ln_one_plus_square, ln_one_plus_square, slope_along_scale};
use crate::distributions::contract::Dist;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, per_scale};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The distribution of |x| for Cauchy x about zero with half-width `scale`; [`HalfCauchy()`] makes one.
#[derive(Clone, Debug)]
pub struct HalfCauchy<'t> {
    scale: Param<'t>,
}

/// Returns the distribution of |x| for Cauchy x about zero with half-width `scale` > 0.
///
/// log p(x) = ln 2 − ln(π scale) − ln(1 + (x / scale)²) for x ≥ 0
///
/// ```
/// # use ppl_core::{distributions::{Dist, HalfCauchy}, tape::var::Var};
/// assert!((HalfCauchy(1).log_prob(Var::from(1)).value() + std::f64::consts::PI.ln()).abs() < 1e-15);
/// ```
#[allow(non_snake_case)]
pub fn HalfCauchy<'t>(scale: impl IntoVar<'t>) -> HalfCauchy<'t> {
    HalfCauchy {
        scale: scale.into_param(),
    }
}

impl Family for HalfCauchy<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for HalfCauchy<'t> {
    const NAME: &'static str = "HalfCauchy";
    const REPARAMETERISED: bool = true;

    univariate::methods!(HalfCauchyDensity { scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let noise = at.base::<StandardCauchy>().abs();
        let value = self.scale.on(at.tape) * noise;
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        per_scale(HalfCauchy(1).log_prob(drawn.noise), &self.scale)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.scale.on(tape) * f64::INFINITY
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.scale.on(tape) * f64::INFINITY
    }
}

/// ln(π/2).
const LN_HALF_PI: f64 = 0.451_582_705_289_454_864_726_195_229_894_9;

/// The density as a loop body.
pub(crate) struct HalfCauchyDensity;

impl Density<1> for HalfCauchyDensity {
    /// 1 / scale and ln(π scale / 2).
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "HalfCauchy";
    const SHARED: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>([scale]: [F; 1], _gradient: bool) -> (F, F) {
        (F::ONE / scale, scale.ln() + F::from_f64(LN_HALF_PI))
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, _: [F; 1], &(inverse, constant): &(F, F)) -> F {
        let inside = -ln_one_plus_square(x * inverse) - constant;
        F::select(x < F::ZERO, outside(constant), inside)
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, _: [F; 1], &(inverse, _): &(F, F)) -> (F, [F; 1]) {
        let z = x * inverse;
        (-(d_ln_one_plus_square(z) * inverse), [-slope_along_scale(z) * inverse])
    }
}

#[cfg(test)]
dist_tests! { |p| HalfCauchy(p[0]);
    points [0.7, 1.5], [2.0, 0.4], [3.0, 2.0];
    outside [-1.0];
    bad [-1.0], [0.0];
    draws [1.0], [0.3];
}
