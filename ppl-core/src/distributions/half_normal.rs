//! The half-normal distribution: the absolute value of a normal one.

use crate::constraints::Positive;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::square_ratio_excess;
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

/// The distribution of |x| for normal x with mean zero and standard deviation `scale`; [`HalfNormal()`] makes one.
#[derive(Clone, Debug)]
pub struct HalfNormal<'t> {
    scale: Param<'t>,
}

/// Returns the distribution of |x| for normal x with mean zero and standard deviation `scale` > 0.
///
/// log p(x) = −x² / (2 scale²) − ln scale + ln(2/π) / 2 for x ≥ 0
///
/// ```
/// # use ppl_core::{distributions::{Dist, HalfNormal}, tape::var::Var};
/// assert!((HalfNormal(1).log_prob(Var::from(0)).value() + 0.2257913526447274).abs() < 1e-15);
/// ```
#[allow(non_snake_case)]
pub fn HalfNormal<'t>(scale: impl IntoVar<'t>) -> HalfNormal<'t> {
    HalfNormal {
        scale: scale.into_param(),
    }
}

impl Family for HalfNormal<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for HalfNormal<'t> {
    const NAME: &'static str = "HalfNormal";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(HalfNormalDensity { scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let noise = at.standard_normal().abs();
        let value = self.scale.on(at.tape) * noise;
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        per_scale(HalfNormal(1).log_prob(drawn.noise), &self.scale)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.scale.on(tape) * SQRT_TWO_OVER_PI
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.scale.on(tape).square() * (1.0 - SQRT_TWO_OVER_PI * SQRT_TWO_OVER_PI)
    }
}

/// √(2/π).
pub(crate) const SQRT_TWO_OVER_PI: f64 = 0.797_884_560_802_865_355_879_892_119_868_8;

/// ln(π/2) / 2.
const HALF_LN_HALF_PI: f64 = 0.225_791_352_644_727_432_363_097_614_947_4;

/// KL(s ‖ σ) = (s² / σ² − 1) / 2 − ln(s / σ)
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == HalfNormal::NAME).then(|| square_ratio_excess(p[0].1, q[0].1))
}

/// The density as a loop body.
pub(crate) struct HalfNormalDensity;

impl Density<1> for HalfNormalDensity {
    /// 1 / scale and ln scale + ln(π/2) / 2.
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "HalfNormal";
    const SHARED: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>([scale]: [F; 1], _gradient: bool) -> (F, F) {
        (F::ONE / scale, scale.ln() + F::from_f64(HALF_LN_HALF_PI))
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, _: [F; 1], &(inverse, constant): &(F, F)) -> F {
        let z = x * inverse;
        let inside = -(z * z * F::from_f64(0.5)) - constant;
        F::select(x < F::ZERO, outside(constant), inside)
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, _: [F; 1], &(inverse, _): &(F, F)) -> (F, [F; 1]) {
        let z = x * inverse;
        (-(z * inverse), [(z * z - F::ONE) * inverse])
    }
}

#[cfg(test)]
dist_tests! { |p| HalfNormal(p[0]);
    points [0.7, 1.5], [2.0, 0.4], [3.0, 2.0];
    outside [-1.0, -1e-300];
    bad [-1.0], [0.0], [f64::NAN];
    draws [1.0], [0.3];
}
