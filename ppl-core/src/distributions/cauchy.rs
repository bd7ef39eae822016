//! The Cauchy distribution.

use crate::constraints::Real as RealLine;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Base, Drawn, Noise, fill_by_inverse};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, per_scale};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::rng::Key;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The Cauchy distribution with median `loc` and half-width `scale`; [`Cauchy()`] makes one.
#[derive(Clone, Debug)]
pub struct Cauchy<'t> {
    loc: Param<'t>,
    scale: Param<'t>,
}

/// Returns the Cauchy distribution with median `loc` and half-width at half maximum `scale` > 0.
///
/// log p(x) = −ln(π scale) − ln(1 + z²) with z = (x − loc) / scale
///
/// ```
/// # use ppl_core::{distributions::{Cauchy, Dist}, tape::var::Var};
/// assert!((Cauchy(0, 1).log_prob(Var::from(1)).value() + std::f64::consts::TAU.ln()).abs() < 1e-15);
/// ```
#[allow(non_snake_case)]
pub fn Cauchy<'t>(loc: impl IntoVar<'t>, scale: impl IntoVar<'t>) -> Cauchy<'t> {
    Cauchy {
        loc: loc.into_param(),
        scale: scale.into_param(),
    }
}

impl Family for Cauchy<'_> {
    type Support = RealLine;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Cauchy<'t> {
    const NAME: &'static str = "Cauchy";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(CauchyDensity { loc, scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        at.location_scale(
            at.base::<StandardCauchy>(),
            self.loc.on(at.tape),
            self.scale.on(at.tape),
        )
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        per_scale(Cauchy(0, 1).log_prob(drawn.noise), &self.scale)
    }

    fn mean(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    fn variance(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.loc.on(tape) + self.scale.on(tape) * z)
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Cauchy(0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The Cauchy distribution with median 0 and scale 1.
pub(crate) struct StandardCauchy;

impl Base for StandardCauchy {
    const NAME: &'static str = "standard_cauchy";

    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]) {
        fill_by_inverse(key, first, out, |u| (std::f64::consts::PI * (u - 0.5)).tan());
    }
}

/// ln π.
const LN_PI: f64 = 1.144_729_885_849_400_174_143_427_351_353;

/// KL((m, s) ‖ (μ, σ)) = ln(((s + σ)² + (m − μ)²) / (4 s σ)) (Chyzak and Nielsen 2019)
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Cauchy::NAME {
        return None;
    }
    let (s, sigma) = (p[1].1, q[1].1);
    let excess = ((s - sigma).square() + (p[0].1 - q[0].1).square()) / (s * sigma * 4.0);
    Some(excess.ln_1p())
}

/// The density as a loop body.
pub(crate) struct CauchyDensity;

impl Density<2> for CauchyDensity {
    /// 1 / scale and ln(π scale).
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "Cauchy";
    const SHARED: u32 = 0b10;

    #[inline(always)]
    fn shared<F: Real>([_, scale]: [F; 2], _gradient: bool) -> (F, F) {
        (F::ONE / scale, scale.ln() + F::from_f64(LN_PI))
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, constant): &(F, F)) -> F {
        -ln_one_plus_square((x - loc) * inverse) - constant
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, _): &(F, F)) -> (F, [F; 2]) {
        let z = (x - loc) * inverse;
        let d_loc = d_ln_one_plus_square(z) * inverse;
        (-d_loc, [d_loc, -slope_along_scale(z) * inverse])
    }
}

/// Returns ln(1 + z²), also where z² overflows.
#[inline(always)]
pub(crate) fn ln_one_plus_square<F: Real>(z: F) -> F {
    let z = z.abs();
    // Beyond 10¹⁶, ln(1 + z²) and 2 ln(1 + z) agree to all digits.
    let is_far = z > F::from_f64(1e16);
    let log = F::select(is_far, z, z * z).ln_1p();
    F::select(is_far, log + log, log)
}

/// Returns 2z / (1 + z²), the derivative of ln(1 + z²), also where z² overflows.
#[inline(always)]
pub(crate) fn d_ln_one_plus_square<F: Real>(z: F) -> F {
    F::from_f64(2.0) / (z + F::ONE / z)
}

/// Returns (1 − z²) / (1 + z²), what is to be divided by −scale to give the derivative by it.
#[inline(always)]
pub(crate) fn slope_along_scale<F: Real>(z: F) -> F {
    F::from_f64(2.0) / (F::ONE + z * z) - F::ONE
}

#[cfg(test)]
dist_tests! { |p| Cauchy(p[0], p[1]);
    points [0.7, 0.2, 1.5], [-1.0, 0.5, 0.4], [3.0, -1.0, 2.0];
    outside [];
    bad [0.0, -1.0], [0.0, 0.0], [f64::NAN, 1.0];
    draws [0.0, 1.0], [1.5, 0.3];
}
