//! The gamma distribution.

use crate::constraints::Positive;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::{deviance, gamma_excess};
use crate::distributions::exponential::Exponential;
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::saddle::ln_minus_digamma;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, outside, per_rate, zero_of};
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::math::gamma::{HALF_LN_2PI, bd0, stirlerr};
use crate::math::logspace::log1p_minus;
use crate::ops::param::{IntoVar, Param};
use crate::tape::record::Tape;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::dists::dist_tests;

/// The gamma distribution with mean `concentration` / `rate`; [`Gamma()`] makes one.
#[derive(Clone, Debug)]
pub struct Gamma<'t> {
    concentration: Param<'t>,
    rate: Param<'t>,
}

/// Returns the gamma distribution with `concentration` > 0 and `rate` > 0.
///
/// log p(x) = a ln b − ln Γ(a) + (a − 1) ln x − b x for x > 0, with a the concentration and b the rate
///
/// It is computed in saddle-point form, which keeps its digits for large concentrations.
///
/// Draws of small concentrations are made by their logarithms. One below the smallest normal number of the tape's precision
/// becomes that number, as half of those of Gamma(0.001, 1) are; one beyond the largest is infinite.
///
/// ```
/// # use ppl_core::{distributions::{Dist, Gamma}, tape::var::Var};
/// assert!((Gamma(1, 2).log_prob(Var::from(3)).value() - (2f64.ln() - 6.0)).abs() < 1e-14);
/// ```
#[allow(non_snake_case)]
pub fn Gamma<'t>(concentration: impl IntoVar<'t>, rate: impl IntoVar<'t>) -> Gamma<'t> {
    Gamma {
        concentration: concentration.into_param(),
        rate: rate.into_param(),
    }
}

impl Family for Gamma<'_> {
    type Support = Positive;
    type Kind = Continuous;
}

impl<'t> Dist<'t> for Gamma<'t> {
    const NAME: &'static str = "Gamma";
    const REPARAMETERISED: bool = true;
    const KL: Option<Kl> = Some(kl);

    univariate::methods!(GammaDensity { concentration, rate });

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Positive
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        at.gamma(self.concentration.on(at.tape), self.rate.on(at.tape))
    }

    /// The noise is ln(g / a) for the draw g of rate 1, which is a number where the draw is not.
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        Drawn {
            value: self.draw(at),
            noise: at.log_gamma_ratio(self.concentration.on(at.tape)),
        }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let (each, ln_g) = log_ratio_density(drawn.noise, &self.concentration);
        per_rate(each - ln_g, &self.rate)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        self.concentration.on(tape) / self.rate.on(tape)
    }

    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        self.concentration.on(tape) / self.rate.on(tape).square()
    }
}

/// The divergence from gamma and exponential distributions.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    let q = match q_name {
        Gamma::NAME => [q[0].1, q[1].1],
        Exponential::NAME => [Var::constant(1.0), q[0].1],
        _ => return None,
    };
    Some(kl_of_gammas([p[0].1, p[1].1], q))
}

/// KL((a, b) ‖ (α, β)) = (a − α) ψ(a) − ln Γ(a) + ln Γ(α) + α ln(b / β) + a (β / b − 1), as the sum of what the
/// concentrations and what the means differ by.
pub(crate) fn kl_of_gammas<'t>([a, b]: [Var<'t>; 2], [alpha, beta]: [Var<'t>; 2]) -> Var<'t> {
    gamma_excess(a, alpha) + deviance(alpha, a * (beta / b))
}

/// The density as a loop body, computed in f64.
pub(crate) struct GammaDensity;

/// Returns ln a / 2 − ln(2π) / 2 − δ(a), NaN for parameters that are not allowed, and with `gradient` ln a − ψ(a).
pub(crate) fn gamma_constants(a: f64, b: f64, gradient: bool) -> (f64, f64) {
    if !(a > 0.0 && b >= 0.0) {
        return (f64::NAN, f64::NAN);
    }
    let constant = 0.5 * a.ln() - HALF_LN_2PI - stirlerr(a);
    (constant, if gradient { ln_minus_digamma(a) } else { 0.0 })
}

impl Density<2> for GammaDensity {
    /// What [`gamma_constants`] returns.
    type Shared<F: Real> = (f64, f64);

    const NAME: &'static str = "Gamma";
    const SHARED: u32 = 0b11;

    #[inline(always)]
    fn shared<F: Real>([a, b]: [F; 2], gradient: bool) -> (f64, f64) {
        gamma_constants(a.to_f64(), b.to_f64(), gradient)
    }

    fn log_prob<F: Real>(x: F, [a, b]: [F; 2], &(constant, _): &(f64, f64)) -> F {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        F::from_f64(if x > 0.0 {
            constant - x.ln() - deviance_of_product(a, b, x)
        } else if x == 0.0 && a <= 1.0 {
            if a == 1.0 { b.ln() } else { f64::INFINITY }
        } else {
            outside(constant + zero_of(x))
        })
    }

    fn partials<F: Real>(x: F, [a, b]: [F; 2], &(_, deviation): &(f64, f64)) -> (F, [F; 2]) {
        let (x, a, b) = (x.to_f64(), a.to_f64(), b.to_f64());
        let d_a = ln_ratio(b, x, a) + deviation;
        let d_x = (a - 1.0) / x - b;
        (F::from_f64(d_x), [F::from_f64(d_a), F::from_f64((a - b * x) / b)])
    }
}

/// Returns bd0(a, b x), also where the product leaves the range of numbers.
fn deviance_of_product(a: f64, b: f64, x: f64) -> f64 {
    let product = b * x;
    if product >= f64::MIN_POSITIVE || b == 0.0 {
        bd0(a, product)
    } else {
        a * (a.ln() - b.ln() - x.ln()) - a
    }
}

/// Returns ln(b x / a).
fn ln_ratio(b: f64, x: f64, a: f64) -> f64 {
    let ratio = b * x / a;
    if (f64::MIN_POSITIVE..f64::INFINITY).contains(&ratio) {
        ratio.ln()
    } else {
        b.ln() + x.ln() - a.ln()
    }
}

/// Returns the log density of y = ln(g / a), where g follows Gamma(a, 1), and ln g = y + ln a.
pub(crate) fn log_ratio_density<'t>(y: Var<'t>, a: &Param<'t>) -> (Var<'t>, Var<'t>) {
    let each = univariate::log_prob::<LogRatioDensity, 1>(y, [a]);
    let ln_a = y.tape().map_or(y, |tape| a.on(tape).ln());
    (each, y + ln_a)
}

/// The density of ln(g / a): ln a / 2 − ln(2π) / 2 − δ(a) − a (eʸ − 1 − y), in which nothing cancels for any concentration.
struct LogRatioDensity;

/// Returns eʸ − 1 and eʸ − 1 − y.
fn exp_excess(y: f64) -> (f64, f64) {
    let t = y.exp_m1();
    (t, if t > -0.4 && t < 1.0 { -log1p_minus(t) } else { t - y })
}

impl Density<1> for LogRatioDensity {
    /// What [`gamma_constants`] returns.
    type Shared<F: Real> = (f64, f64);

    const NAME: &'static str = "Gamma_of_log_ratio";
    const SHARED: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>([a]: [F; 1], gradient: bool) -> (f64, f64) {
        gamma_constants(a.to_f64(), 1.0, gradient)
    }

    fn log_prob<F: Real>(y: F, [a]: [F; 1], &(constant, _): &(f64, f64)) -> F {
        F::from_f64(constant - a.to_f64() * exp_excess(y.to_f64()).1)
    }

    fn partials<F: Real>(y: F, [a]: [F; 1], &(_, deviation): &(f64, f64)) -> (F, [F; 1]) {
        let (slope, excess) = exp_excess(y.to_f64());
        (F::from_f64(-a.to_f64() * slope), [F::from_f64(deviation - excess)])
    }
}

#[cfg(test)]
dist_tests! { |p| Gamma(p[0], p[1]);
    points [0.7, 2.0, 1.5], [2.0, 0.5, 0.4], [3.0, 40.0, 12.0];
    outside [-1.0];
    bad [-1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [f64::NAN, 1.0];
    draws [2.5, 0.5], [0.4, 1.0], [40.0, 20.0];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::InverseGamma;
    use crate::math::gamma::{digamma, ln_gamma};
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::store::Precision;

    /// Returns the density of a draw by its noise y, for concentration and rate, and its derivatives by the three.
    fn by_noise(y: f64, [a, b]: [f64; 2], is_inverse: bool) -> (f64, Vec<f64>) {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let [y, a, b] = [(0, y), (1, a), (2, b)].map(|(k, x)| tape.input(k, &[], &[], &[x], false));
        let drawn = Drawn { value: y, noise: y };
        let each = if is_inverse {
            InverseGamma(a, b).drawn_log_prob(drawn)
        } else {
            Gamma(a, b).drawn_log_prob(drawn)
        };
        tape.term(SumTerm::DEF, &[each], &[], 0, 1.0, 0);
        (each.value(), gradient(&tape))
    }

    #[test]
    fn a_draw_that_is_no_number_has_its_density_by_the_noise() {
        // g = a e⁻³⁰⁰⁰ and b / g leave the range of numbers, and b g and g / b are nothing beside ln g.
        let (y, a, b) = (-3000.0, 0.01_f64, 2.0_f64);
        let ln_g = y + a.ln();
        let of_ln_g = a * ln_g - ln_gamma(a);
        let d_a = ln_g + 1.0 - digamma(a);
        let gamma = (of_ln_g - ln_g + b.ln(), [a - 1.0, d_a - 1.0 / a, 1.0 / b]);
        let inverse = (of_ln_g + ln_g - b.ln(), [a + 1.0, d_a + 1.0 / a, -1.0 / b]);
        for ((value, slopes), is_inverse) in [(gamma, false), (inverse, true)] {
            let (got, gradient) = by_noise(y, [a, b], is_inverse);
            for (got, want) in gradient.iter().chain([&got]).zip(slopes.iter().chain([&value])) {
                assert!((got - want).abs() < 1e-12 * (1.0 + want.abs()), "{got} for {want}");
            }
        }
    }

    #[test]
    fn the_noise_keeps_the_digits_of_a_large_concentration() {
        // ln(g / a) is normal to within a relative 1 / √a: −a y² / 2 − a y³ / 6 beside the constant.
        let (y, a) = (3e-8_f64, 1e15_f64);
        let (got, gradient) = by_noise(y, [a, 1.0], false);
        let excess = y * y / 2.0 * (1.0 + y / 3.0);
        let want = 0.5 * a.ln() - HALF_LN_2PI - a * excess - (y + a.ln());
        assert!((got - want).abs() < 1e-13 * want.abs(), "{got} for {want}");
        let want = -0.5 / a - excess;
        assert!((gradient[1] / want - 1.0).abs() < 1e-6, "{} for {want}", gradient[1]);
    }
}
