//! The normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::constraints::Real as RealLine;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::square_ratio_excess;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::half_normal::SQRT_TWO_OVER_PI;
use crate::distributions::laplace::Laplace;
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::distributions::univariate;
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The normal distribution with mean `loc` and standard deviation `scale`; [`Normal()`] makes one.
#[derive(Clone, Debug)]
pub struct Normal<'t> {
    loc: Param<'t>,
    scale: Param<'t>,
}

/// Returns the normal distribution with mean `loc` and standard deviation `scale` > 0.
///
/// log p(x) = −(x − loc)² / (2 scale²) − ln scale − ln(2π) / 2
#[allow(non_snake_case)]
pub fn Normal<'t>(loc: impl IntoVar<'t>, scale: impl IntoVar<'t>) -> Normal<'t> {
    Normal {
        loc: loc.into_param(),
        scale: scale.into_param(),
    }
}

impl Family for Normal<'_> {
    type Support = RealLine;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Normal<'t> {
    const NAME: &'static str = "Normal";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(NormalDensity { loc, scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        at.location_scale(at.standard_normal(), self.loc.on(at.tape), self.scale.on(at.tape))
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        univariate::log_prob::<OwnDraw, 1>(drawn.noise, [&self.scale])
    }

    fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32) {
        univariate::log_prob_term::<OwnDraw, 1>(tape, drawn.noise, [&self.scale], weight, site);
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.loc.on(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let scale = self.scale.on(tape);
        scale * scale
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.loc.on(tape) + self.scale.on(tape) * z)
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Normal(0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The divergence from normal and Laplace distributions.
pub(crate) fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    match q_name {
        Normal::NAME => Some(kl_of_normals(p, q)),
        Laplace::NAME => Some(kl_from_laplace(p, q)),
        _ => None,
    }
}

/// KL(Normal(m, s) ‖ Laplace(μ, b)) = ln(2b / s) − ln(2πe) / 2 + E|x − μ| / b
/// with E|x − μ| = s √(2/π) exp(−z² / 2) + (m − μ) erf(z / √2) and z = (m − μ) / s.
fn kl_from_laplace<'t>(p: &Params<'t>, q: &Params<'t>) -> Var<'t> {
    let (scale, shift, width) = (p[1].1, p[0].1 - q[0].1, q[1].1);
    let z = shift / scale;
    let spread = scale * (z.square() * -0.5).exp() * SQRT_TWO_OVER_PI + shift * (z * FRAC_1_SQRT_2).erf();
    (width * 2.0 / scale).ln() - (HALF_LN_TWO_PI + 0.5) + spread / width
}

/// KL(Normal(m, s) ‖ Normal(μ, σ)) = (s² / σ² + (m − μ)² / σ² − 1) / 2 − ln(s / σ)
pub(crate) fn kl_of_normals<'t>(p: &Params<'t>, q: &Params<'t>) -> Var<'t> {
    let shift = (p[0].1 - q[0].1) / q[1].1;
    square_ratio_excess(p[1].1, q[1].1) + shift.square() * 0.5
}

/// The density at the distribution's own draw as a loop body, of its noise ε and scale: −ε² / 2 − ln scale − ln(2π) / 2.
struct OwnDraw;

impl Density<1> for OwnDraw {
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "Normal_own_draw";
    const SHARED: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>([scale]: [F; 1], gradient: bool) -> (F, F) {
        NormalDensity::shared([F::ZERO, scale], gradient)
    }

    #[inline(always)]
    fn log_prob<F: Real>(noise: F, _: [F; 1], &(_, constant): &(F, F)) -> F {
        -(noise * noise * F::from_f64(0.5)) - constant
    }

    #[inline(always)]
    fn partials<F: Real>(noise: F, _: [F; 1], &(inverse, _): &(F, F)) -> (F, [F; 1]) {
        (-noise, [-inverse])
    }
}

/// The density as a loop body.
pub(crate) struct NormalDensity;

/// ln(2π) / 2.
pub(crate) const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_741_780_329_736_406;

impl Density<2> for NormalDensity {
    /// 1 / scale and ln scale + ln(2π) / 2.
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "Normal";
    const SHARED: u32 = 0b10;

    #[inline(always)]
    fn shared<F: Real>([_, scale]: [F; 2], _gradient: bool) -> (F, F) {
        (F::ONE / scale, scale.ln() + F::from_f64(HALF_LN_TWO_PI))
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, constant): &(F, F)) -> F {
        let z = (x - loc) * inverse;
        -(z * z * F::from_f64(0.5)) - constant
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, _): &(F, F)) -> (F, [F; 2]) {
        let z = (x - loc) * inverse;
        let d_loc = z * inverse;
        (-d_loc, [d_loc, (z * z - F::ONE) * inverse])
    }
}

#[cfg(test)]
dist_tests! { |p| Normal(p[0], p[1]);
    points [0.7, 0.2, 1.5], [-1.0, 0.5, 0.4], [3.0, -1.0, 2.0];
    outside [];
    bad [0.0, -1.0], [0.0, 0.0], [f64::NAN, 1.0];
    draws [0.0, 1.0], [1.5, 0.3];
}
