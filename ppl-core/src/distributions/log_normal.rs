//! The log-normal distribution.

use crate::constraints::Positive;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::normal::{HALF_LN_TWO_PI, Normal, kl_of_normals};
use crate::distributions::row_density::tape_for;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, per_scale};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The distribution of eʸ for normal y; [`LogNormal()`] makes one.
#[derive(Clone, Debug)]
pub struct LogNormal<'t> {
    loc: Param<'t>,
    scale: Param<'t>,
}

/// Returns the distribution of eʸ for normal y with mean `loc` and standard deviation `scale` > 0.
///
/// log p(x) = −(ln x − loc)² / (2 scale²) − ln scale − ln x − ln(2π) / 2 for x > 0
///
/// ```
/// # use ppl_core::{distributions::{Dist, LogNormal}, tape::var::Var};
/// assert!((LogNormal(0, 1).log_prob(Var::from(1)).value() + 0.9189385332046727).abs() < 1e-15);
/// ```
#[allow(non_snake_case)]
pub fn LogNormal<'t>(loc: impl IntoVar<'t>, scale: impl IntoVar<'t>) -> LogNormal<'t> {
    LogNormal {
        loc: loc.into_param(),
        scale: scale.into_param(),
    }
}

impl Family for LogNormal<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for LogNormal<'t> {
    const NAME: &'static str = "LogNormal";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(LogNormalDensity { loc, scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let normal = at.location_scale(at.standard_normal(), self.loc.on(at.tape), self.scale.on(at.tape));
        Drawn {
            value: normal.value.exp(),
            ..normal
        }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let tape = tape_for(drawn.noise, &[&self.loc, &self.scale]);
        let ln_x = self.loc.on(tape) + self.scale.on(tape) * drawn.noise;
        per_scale(Normal(0, 1).log_prob(drawn.noise), &self.scale) - ln_x
    }

    /// exp(loc + scale² / 2)
    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        (self.loc.on(tape) + self.scale.on(tape).square() * 0.5).exp()
    }

    /// (exp(scale²) − 1) exp(2 loc + scale²)
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let square = self.scale.on(tape).square();
        square.exp_m1() * (self.loc.on(tape) * 2.0 + square).exp()
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some((self.loc.on(tape) + self.scale.on(tape) * z).exp())
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        Normal(0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The divergence of the normal distributions of the logarithms.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == LogNormal::NAME).then(|| kl_of_normals(p, q))
}

/// The density as a loop body.
pub(crate) struct LogNormalDensity;

impl Density<2> for LogNormalDensity {
    /// 1 / scale and ln scale + ln(2π) / 2.
    type Shared<F: Real> = (F, F);

    const NAME: &'static str = "LogNormal";
    const SHARED: u32 = 0b10;

    #[inline(always)]
    fn shared<F: Real>([_, scale]: [F; 2], _gradient: bool) -> (F, F) {
        (F::ONE / scale, scale.ln() + F::from_f64(HALF_LN_TWO_PI))
    }

    #[inline(always)]
    fn log_prob<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, constant): &(F, F)) -> F {
        let y = x.ln();
        let z = (y - loc) * inverse;
        let inside = -(z * z * F::from_f64(0.5)) - constant - y;
        F::select(x <= F::ZERO, outside(constant), inside)
    }

    #[inline(always)]
    fn partials<F: Real>(x: F, [loc, _]: [F; 2], &(inverse, _): &(F, F)) -> (F, [F; 2]) {
        let z = (x.ln() - loc) * inverse;
        let d_loc = z * inverse;
        (-(d_loc + F::ONE) / x, [d_loc, (z * z - F::ONE) * inverse])
    }
}

#[cfg(test)]
dist_tests! { |p| LogNormal(p[0], p[1]);
    points [0.7, 0.2, 1.5], [2.0, 0.5, 0.4], [3.0, -1.0, 2.0];
    outside [0.0, -1.0];
    bad [0.0, -1.0], [f64::NAN, 1.0];
    draws [0.0, 0.5], [0.5, 1.0];
}
