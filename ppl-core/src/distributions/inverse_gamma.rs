//! The inverse-gamma distribution.

use crate::constraints::Positive;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::gamma::{gamma_constants, kl_of_gammas, log_ratio_density};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, per_scale, zero_of};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::gamma::bd0;
use crate::ops::param::{IntoVar, Param};
use crate::ops::where_::where_;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The distribution of 1 / y for gamma-distributed y; [`InverseGamma()`] makes one.
#[derive(Clone, Debug)]
pub struct InverseGamma<'t> {
    concentration: Param<'t>,
    rate: Param<'t>,
}

/// Returns the distribution of 1 / y for y of the gamma distribution with `concentration` > 0 and `rate` > 0.
///
/// log p(x) = a ln b − ln Γ(a) − (a + 1) ln x − b / x for x > 0, with a the concentration and b the rate
///
/// ```
/// # use ppl_core::{distributions::{Dist, InverseGamma}, tape::var::Var};
/// assert!((InverseGamma(1, 2).log_prob(Var::from(1)).value() - (2f64.ln() - 2.0)).abs() < 1e-14);
/// ```
#[allow(non_snake_case)]
pub fn InverseGamma<'t>(concentration: impl IntoVar<'t>, rate: impl IntoVar<'t>) -> InverseGamma<'t> {
    InverseGamma {
        concentration: concentration.into_param(),
        rate: rate.into_param(),
    }
}

impl Family for InverseGamma<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for InverseGamma<'t> {
    const NAME: &'static str = "InverseGamma";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(InverseGammaDensity { concentration, rate });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        at.inverse_gamma(self.concentration.on(at.tape), self.rate.on(at.tape))
    }

    /// The noise is ln(g / a) for the draw g of Gamma(a, 1), which is a number where the draw is not.
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        Drawn {
            value: self.draw(at),
            noise: at.log_gamma_ratio(self.concentration.on(at.tape)),
        }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let (each, ln_g) = log_ratio_density(drawn.noise, &self.concentration);
        per_scale(each + ln_g, &self.rate)
    }

    /// rate / (concentration − 1), infinite up to concentration 1
    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        let a = self.concentration.on(tape);
        where_(a.gt(1.0), self.rate.on(tape) / (a - 1.0), f64::INFINITY)
    }

    /// rate² / ((concentration − 1)² (concentration − 2)), infinite up to concentration 2
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let a = self.concentration.on(tape);
        let finite = (self.rate.on(tape) / (a - 1.0)).square() / (a - 2.0);
        where_(a.gt(2.0), finite, f64::INFINITY)
    }
}

/// The divergence of the gamma distributions of the reciprocals.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    (q_name == InverseGamma::NAME).then(|| kl_of_gammas([p[0].1, p[1].1], [q[0].1, q[1].1]))
}

/// The density as a loop body, computed in f64.
pub(crate) struct InverseGammaDensity;

impl Density<2> for InverseGammaDensity {
    /// What [`gamma_constants`] returns.
    type Shared<F: Real> = (f64, f64);

    const NAME: &'static str = "InverseGamma";
    const SHARED: u32 = 0b11;

    #[inline(always)]
    fn shared<F: Real>([a, b]: [F; 2], gradient: bool) -> (f64, f64) {
        gamma_constants(a.to_f64(), b.to_f64(), gradient)
    }

    fn log_prob<F: Real>(x: F, [a, b]: [F; 2], &(constant, _): &(f64, f64)) -> F {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        F::from_f64(if x > 0.0 {
            constant - x.ln() - deviance_of_quotient(a, b, x)
        } else {
            outside(constant + zero_of(x))
        })
    }

    fn partials<F: Real>(x: F, [a, b]: [F; 2], &(_, deviation): &(f64, f64)) -> (F, [F; 2]) {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        let ratio = b / x / a;
        let ln_ratio = if (f64::MIN_POSITIVE..f64::INFINITY).contains(&ratio) {
            ratio.ln()
        } else {
            b.ln() - x.ln() - a.ln()
        };
        let d_x = (b / x - (a + 1.0)) / x;
        let d_b = (a - b / x) / b;
        (F::from_f64(d_x), [F::from_f64(ln_ratio + deviation), F::from_f64(d_b)])
    }
}

/// Returns bd0(a, b / x), also where the quotient underflows.
fn deviance_of_quotient(a: f64, b: f64, x: f64) -> f64 {
    let quotient = b / x;
    if quotient >= f64::MIN_POSITIVE || b == 0.0 {
        bd0(a, quotient)
    } else {
        a * (a.ln() - b.ln() + x.ln()) - a
    }
}

#[cfg(test)]
dist_tests! { |p| InverseGamma(p[0], p[1]);
    points [0.7, 2.0, 1.5], [2.0, 0.5, 0.4], [3.0, 40.0, 12.0];
    outside [-1.0, 0.0];
    bad [-1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [f64::NAN, 1.0];
    draws [5.0, 0.5], [0.8, 1.0], [40.0, 20.0];
}
