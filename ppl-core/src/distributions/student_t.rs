//! Student's t distribution.

use crate::constraints::Real as RealLine;
use crate::distributions::cauchy::ln_one_plus_square;
use crate::distributions::contract::Dist;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, per_scale};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::gamma::{HALF_LN_2PI, ln_gamma_difference, stirlerr};
use crate::math::logspace::log1p_minus;
use crate::ops::param::{IntoVar, Param};
use crate::ops::where_::where_;
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// Student's t distribution with `df` degrees of freedom about `loc`; [`StudentT()`] makes one.
#[derive(Clone, Debug)]
pub struct StudentT<'t> {
    df: Param<'t>,
    loc: Param<'t>,
    scale: Param<'t>,
}

/// Returns Student's t distribution with `df` > 0 degrees of freedom, shifted by `loc` and stretched by `scale` > 0.
///
/// log p(x) = ln Γ((ν + 1) / 2) − ln Γ(ν / 2) − ln(ν π) / 2 − ln scale − (ν + 1) / 2 · ln(1 + z² / ν)
/// with ν = df and z = (x − loc) / scale
///
/// ```
/// # use ppl_core::{distributions::{Dist, StudentT}, tape::var::Var};
/// assert!((StudentT(1, 0, 1).log_prob(Var::from(0)).value() + std::f64::consts::PI.ln()).abs() < 1e-15);
/// ```
#[allow(non_snake_case)]
pub fn StudentT<'t>(df: impl IntoVar<'t>, loc: impl IntoVar<'t>, scale: impl IntoVar<'t>) -> StudentT<'t> {
    StudentT {
        df: df.into_param(),
        loc: loc.into_param(),
        scale: scale.into_param(),
    }
}

impl Family for StudentT<'_> {
    type Support = RealLine;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for StudentT<'t> {
    const NAME: &'static str = "StudentT";
    const REPARAMETERISED: bool = true;

    univariate::methods!(StudentTDensity { df, loc, scale });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Real
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let stretch = at.fork(1).student_t_stretch(self.df.on(at.tape));
        let noise = at.fork(0).standard_normal() * stretch;
        at.location_scale(noise, self.loc.on(at.tape), self.scale.on(at.tape))
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let standard = StudentT {
            df: self.df.clone(),
            loc: 0.into_param(),
            scale: 1.into_param(),
        };
        per_scale(standard.log_prob(drawn.noise), &self.scale)
    }

    /// loc, undefined up to one degree of freedom
    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        where_(self.df.on(tape).gt(1.0), self.loc.on(tape), f64::NAN) + self.scale.on(tape) * 0.0
    }

    /// scale² ν / (ν − 2), infinite up to two degrees of freedom and undefined up to one
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let df = self.df.on(tape);
        let heavy = where_(df.gt(1.0), f64::INFINITY, f64::NAN);
        self.scale.on(tape).square() * where_(df.gt(2.0), df / (df - 2.0), heavy)
    }

    fn from_standard(&self, tape: &'t Tape, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.loc.on(tape) + self.scale.on(tape) * z)
    }

    fn standard_term(&self, tape: &'t Tape, z: Var<'t>, weight: f64, site: u32) {
        StudentT(self.df.clone(), 0, 1).log_prob_term(tape, z, weight, site);
    }
}

/// The density as a loop body, computed in f64.
pub(crate) struct StudentTDensity;

impl Density<3> for StudentTDensity {
    /// The log density at loc, and with `gradient` twice its derivative by df.
    type Shared<F: Real> = (f64, f64);

    const NAME: &'static str = "StudentT";
    const SHARED: u32 = 0b101;

    fn shared<F: Real>([df, _, scale]: [F; 3], gradient: bool) -> (f64, f64) {
        let (half, scale) = (0.5 * df.to_f64(), scale.to_f64());
        if !(half > 0.0 && scale > 0.0) {
            return (f64::NAN, f64::NAN);
        }
        let peak = ln_gamma_step(half) - HALF_LN_2PI - scale.ln();
        (peak, if gradient { digamma_step(half) } else { 0.0 })
    }

    fn log_prob<F: Real>(x: F, [df, loc, scale]: [F; 3], &(peak, _): &(f64, f64)) -> F {
        let (z, df) = ((x.to_f64() - loc.to_f64()) / scale.to_f64(), df.to_f64());
        let z = z.abs();
        let log = if z > 1e100 {
            2.0 * z.ln() - df.ln() + (df / z / z).ln_1p()
        } else {
            (z * z / df).ln_1p()
        };
        F::from_f64(peak - 0.5 * (df + 1.0) * log)
    }

    fn partials<F: Real>(x: F, [df, loc, scale]: [F; 3], &(_, step): &(f64, f64)) -> (F, [F; 3]) {
        let (df, scale) = (df.to_f64(), scale.to_f64());
        let z = (x.to_f64() - loc.to_f64()) / scale;
        let d_loc = (df + 1.0) / (df / z + z) / scale;
        let q = z * z / df;
        let tail = if q <= 1.0 {
            q / (1.0 + q) * (1.0 / df - q) - log1p_minus(q)
        } else {
            (1.0 + 1.0 / df) / (1.0 + 1.0 / q) - ln_one_plus_square(z / df.sqrt())
        };
        let d_df = 0.5 * (step + tail);
        let d_scale = if z.abs() <= 1.0 {
            df * ((z - 1.0) * (z + 1.0) / (df + z * z)) / scale
        } else {
            let w = 1.0 / z;
            df * ((1.0 - w) * (1.0 + w) / (df * w * w + 1.0)) / scale
        };
        let [d_x, d_df, d_loc, d_scale] = [-d_loc, d_df, d_loc, d_scale].map(F::from_f64);
        (d_x, [d_df, d_loc, d_scale])
    }
}

/// Returns ln Γ(x + ½) − ln Γ(x) − ln(x) / 2, which falls like −1 / (8x).
fn ln_gamma_step(x: f64) -> f64 {
    if x < 2.0 {
        ln_gamma_difference(x, 0.5) - 0.5 * x.ln()
    } else {
        x * log1p_minus(0.5 / x) + (stirlerr(x + 0.5) - stirlerr(x))
    }
}

/// Returns ψ(x + ½) − ψ(x) − 1 / (2x), which falls like 1 / (8x²).
fn digamma_step(x: f64) -> f64 {
    /// The coefficients of x⁻², x⁻⁴, … in the expansion at infinity; from ψ(x + ½) − ψ(x) = Σₖ (−1)ᵏ / (x + k/2).
    const SERIES: [f64; 8] = [
        1.0 / 8.0,
        -1.0 / 64.0,
        1.0 / 128.0,
        -17.0 / 2048.0,
        31.0 / 2048.0,
        -691.0 / 16384.0,
        5461.0 / 32768.0,
        -929569.0 / 1048576.0,
    ];
    let (mut x, mut sum) = (x, 0.0);
    while x < 16.0 {
        // Both differences of neighbours are taken exactly.
        sum += 0.25 / (x * (x + 0.5) * (x + 1.0));
        x += 1.0;
    }
    let w = 1.0 / (x * x);
    sum + w * SERIES.iter().rev().fold(0.0, |tail, c| tail * w + c)
}

#[cfg(test)]
dist_tests! { |p| StudentT(p[0], p[1], p[2]);
    points [0.7, 3.0, 0.2, 1.5], [-1.0, 1.0, 0.5, 0.4], [3.0, 40.0, -1.0, 2.0];
    outside [];
    bad [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, -1.0];
    draws [3.5, 0.0, 1.0], [12.0, 1.0, 0.5];
}
