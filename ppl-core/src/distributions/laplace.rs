//! The Laplace distribution.

use crate::constraints::Real as RealLine;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::laplace_divergence;
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

/// The distribution with exponential tails on both sides of `loc`; [`Laplace()`] makes one.
#[derive(Clone, Debug)]
pub struct Laplace<'t> {
    loc: Param<'t>,
    scale: Param<'t>,
}

/// Returns the Laplace distribution about `loc` with mean deviation `scale` > 0.
///
/// log p(x) = −|x − loc| / scale − ln(2 scale)
///
/// ```
/// # use ppl_core::{distributions::{Dist, Laplace}, tape::var::Var};
/// assert_eq!(Laplace(0, 0.5).log_prob(Var::from(1)).value(), -2.0);
/// ```
#[allow(non_snake_case)]
pub fn Laplace<'t>(loc: impl IntoVar<'t>, scale: impl IntoVar<'t>) -> Laplace<'t> {
    Laplace {
        loc: loc.into_param(),
        scale: scale.into_param(),
    }
}

impl Family for Laplace<'_> {
    type Support = RealLine;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Laplace<'t> {
    const NAME: &'static str = "Laplace";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(LaplaceDensity { loc, scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        at.location_scale(
            at.base::<StandardLaplace>(),
            self.loc.on(at.tape),
            self.scale.on(at.tape),
        )
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        per_scale(Laplace(0, 1).log_prob(drawn.noise), &self.scale)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.loc.on(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.scale.on(tape).square() * 2.0
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.loc.on(tape) + self.scale.on(tape) * z)
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Laplace(0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The Laplace distribution about 0 with scale 1.
pub(crate) struct StandardLaplace;

impl Base for StandardLaplace {
    const NAME: &'static str = "standard_laplace";

    fn fill<F: Real>(key: Key, first: usize, out: &mut [F]) {
        fill_by_inverse(key, first, out, |u| {
            if u < 0.5 {
                (2.0 * u).ln()
            } else {
                -(2.0 * (1.0 - u)).ln()
            }
        });
    }
}

/// KL((m, b) ‖ (μ, β)) = ln(β / b) + |m − μ| / β + (b / β) exp(−|m − μ| / b) − 1
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Laplace::NAME {
        return None;
    }
    let (shift, scale, width) = ((p[0].1 - q[0].1).abs(), p[1].1, q[1].1);
    Some(laplace_divergence(shift, scale, width))
}

/// The density as a loop body.
pub(crate) struct LaplaceDensity;

impl Density<2> for LaplaceDensity {
    /// 1 / scale and ln(2 scale).
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "Laplace";
    const SHARED: u32 = 0b10;

    #[inline(always)]
    fn shared<F: Real>([_, scale]: [F; 2], _gradient: bool) -> (F, F) {
        (F::ONE / scale, (scale + scale).ln())
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, constant): &(F, F)) -> F {
        -((x - loc) * inverse).abs() - constant
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, _): &(F, F)) -> (F, [F; 2]) {
        let z = (x - loc) * inverse;
        let side = F::select(z > F::ZERO, inverse, F::select(z < F::ZERO, -inverse, z));
        (-side, [side, (z.abs() - F::ONE) * inverse])
    }
}

#[cfg(test)]
dist_tests! { |p| Laplace(p[0], p[1]);
    points [0.7, 0.2, 1.5], [-1.0, 0.5, 0.4], [3.0, -1.0, 2.0];
    outside [];
    bad [0.0, -1.0], [0.0, 0.0], [f64::NAN, 1.0];
    draws [0.0, 1.0], [1.5, 0.3];
}
