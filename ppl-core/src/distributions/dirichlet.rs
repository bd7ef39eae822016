//! The Dirichlet distribution over vectors that sum to one.

use crate::constraints::Simplex;
use crate::distributions::contract::{Dist, Kl, Params};
use crate::distributions::divergence::{deviance, gamma_excess};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::row_density::{self, RowDensity, RowsGrad, RowsOf, tape_for};
use crate::distributions::support::Support;
use crate::distributions::univariate::outside;
use crate::kernels::real::Real;
use crate::math::gamma::{HALF_LN_2PI, bd0, digamma_difference, ln_gamma, stirlerr};
use crate::math::logspace::xlogy;
use crate::ops::param::{IntoVar, Param};
use crate::tape::call::Call;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
#[cfg(test)]
use crate::testing::ops::op_tests;

/// The Dirichlet distribution with `concentration`: `[…, k]`; [`Dirichlet()`] makes one.
#[derive(Clone, Debug)]
pub struct Dirichlet<'t> {
    concentration: Param<'t>,
}

/// Returns the Dirichlet distribution with `concentration` > 0, a vector of k numbers; further axes hold independent vectors.
///
/// log p(x) = Σᵢ (aᵢ − 1) ln xᵢ − Σᵢ ln Γ(aᵢ) + ln Γ(Σᵢ aᵢ) for positive x with sum 1
///
/// ```
/// # use ppl_core::{distributions::{Dirichlet, Dist}, ops::param::ones};
/// assert_eq!(Dirichlet(ones(3)).event_shape().as_slice(), [3]);
/// ```
#[allow(non_snake_case)]
pub fn Dirichlet<'t>(concentration: impl IntoVar<'t>) -> Dirichlet<'t> {
    Dirichlet {
        concentration: concentration.into_param(),
    }
}

impl Family for Dirichlet<'_> {
    type Support = Simplex;
    type Kind = Continuous;
}

impl Dirichlet<'_> {
    fn k(&self) -> usize {
        self.concentration.event_shape().last().copied().unwrap_or(1)
    }
}

impl<'t> Dist<'t> for Dirichlet<'t> {
    const NAME: &'static str = "Dirichlet";
    const REPARAMETERISED: bool = true;
    const EVENT_RANK: usize = 1;
    const KL: Option<Kl> = Some(kl);

    fn put_on(&mut self, tape: &'t Tape) {
        self.concentration.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        Params::from_slice(&[("concentration", self.concentration.on(tape))])
    }

    fn support(&self, _: &'t Tape) -> Support<'t> {
        Support::Simplex
    }

    fn event_shape(&self) -> Shape {
        let shape = self.concentration.event_shape();
        if shape.is_empty() {
            Shape::from_slice(&[1])
        } else {
            shape
        }
    }

    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        let (tape, k) = (tape_for(x, &[&self.concentration]), self.k());
        let row: &[usize] = &[k];
        row_density::each::<DirichletDensity, 2>(tape, [(x, row), (self.concentration.on(tape), row)], k)
    }

    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        let k = self.k();
        let row: &[usize] = &[k];
        let operands = [(x, row), (self.concentration.on(tape), row)];
        row_density::term::<DirichletDensity, 2>(tape, operands, k, weight, site);
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    /// The softmax of logarithms of gamma draws, each element kept above zero; the logarithms are the noise.
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let (least, _) = at.open_unit_interval();
        let noise = at.log_gamma(self.concentration.on(at.tape));
        let value = noise.softmax().maximum(least);
        Drawn { value, noise }
    }

    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let (tape, k) = (tape_for(drawn.noise, &[&self.concentration]), self.k());
        let row: &[usize] = &[k];
        let operands = [(drawn.noise, row), (self.concentration.on(tape), row)];
        row_density::each::<OfLogarithms, 2>(tape, operands, k)
    }

    fn mean(&self, tape: &'t Tape) -> Var<'t> {
        let a = self.concentration.on(tape);
        a / total(a)
    }

    /// mᵢ (1 − mᵢ) / (Σ a + 1) with mean m
    fn variance(&self, tape: &'t Tape) -> Var<'t> {
        let a = self.concentration.on(tape);
        let n = total(a);
        (a / n) * (1.0 - a / n) / (n + 1.0)
    }
}

/// KL(a ‖ α) = ln Γ(A) − Σ ln Γ(aᵢ) − ln Γ(Σ αᵢ) + Σ ln Γ(αᵢ) + Σ (aᵢ − αᵢ) (ψ(aᵢ) − ψ(A)) with A = Σ aᵢ,
/// as the sum of what the concentrations and what the means differ by.
fn kl<'t>(_: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>> {
    if q_name != Dirichlet::NAME {
        return None;
    }
    let (a, alpha) = (p[0].1, q[0].1);
    let (n, nu) = (total(a), total(alpha));
    let each = gamma_excess(a, alpha) + deviance(alpha, nu * (a / n));
    let all = total(each) - gamma_excess(n, nu);
    let mut batch = all.event_shape();
    batch.pop();
    Some(all.reshape(&batch))
}

/// Returns the sum over the last axis, which it keeps with length one.
fn total(a: Var<'_>) -> Var<'_> {
    let mut shape = a.event_shape();
    let last = shape.len() - 1;
    shape[last] = 1;
    a.sum_axis(last).reshape(&shape)
}

/// The log density of each row, in saddle-point form: with A = Σ a and m = A x,
/// δ(A) − Σ δ(aᵢ) − Σ bd0(aᵢ, mᵢ) + (Σ mᵢ − A) + (Σ ln aᵢ − ln A − (k − 1) ln 2π) / 2 − Σ ln xᵢ.
struct DirichletDensity;

impl DirichletDensity {
    fn log_prob<F: Real>(x: &[F], a: &[F]) -> f64 {
        let total: f64 = a.iter().map(|a| a.to_f64()).sum();
        let excess: f64 = x.iter().map(|x| x.to_f64()).sum::<f64>() - 1.0;
        if !a.iter().all(|&a| a > F::ZERO) || excess.is_nan() {
            return f64::NAN;
        }
        if !x.iter().all(|&x| x >= F::ZERO) || excess.abs() > tolerance::<F>() {
            return outside(total);
        }
        let mut sum = stirlerr(total) - 0.5 * total.ln() + HALF_LN_2PI + total * excess;
        for (x, a) in x.iter().zip(a) {
            let (x, a) = (x.to_f64(), a.to_f64());
            if x == 0.0 {
                // The same term before Stirling's formula, whose power is zero, one or infinite.
                sum += a * total.ln() - ln_gamma(a) + xlogy(a - 1.0, 0.0);
                continue;
            }
            sum += 0.5 * a.ln() - HALF_LN_2PI - stirlerr(a) - bd0(a, total * x) - x.ln();
        }
        sum
    }
}

/// How far the sum of a row may be from one by rounding.
fn tolerance<F: Real>() -> f64 {
    if size_of::<F>() == size_of::<f64>() { 1e-6 } else { 1e-3 }
}

impl RowDensity for DirichletDensity {
    const NAME: &'static str = "Dirichlet";

    fn aux(_: usize, _: usize) -> usize {
        0
    }

    fn forward<F: Real>(call: &mut Call<'_, F>, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (x, a) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k));
        (0..n).for_each(|r| put(r, Self::log_prob(x.row(r), a.row(r))));
    }

    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (x, a) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k));
        let (mut d_x, mut d_a) = (RowsGrad::new(call, 0, k), RowsGrad::new(call, 1, k));
        for r in 0..n {
            let (x, a, seed) = (x.row(r), a.row(r), seed(r));
            put(r, Self::log_prob(x, a));
            if seed == F::ZERO {
                continue;
            }
            if let Some(d_x) = &mut d_x {
                for ((d, &x), &a) in d_x.row(r).iter_mut().zip(x).zip(a) {
                    *d += seed * (a - F::ONE) / x;
                }
            }
            if let Some(d_a) = &mut d_a {
                let total: f64 = a.iter().map(|a| a.to_f64()).sum();
                for ((d, x), a) in d_a.row(r).iter_mut().zip(x).zip(a) {
                    let (x, a) = (x.to_f64(), a.to_f64());
                    *d += seed * F::from_f64(x.ln() + digamma_difference(a, total - a));
                }
            }
        }
    }
}

/// The density of the softmax x of each row, in the same form, from ln x = l − ln Σ eˡ.
struct OfLogarithms;

impl OfLogarithms {
    /// Writes ln x and returns the log density.
    fn log_prob<F: Real>(l: &[F], a: &[F], ln_x: &mut [F]) -> f64 {
        if !a.iter().all(|&a| a > F::ZERO) {
            return f64::NAN;
        }
        let total: f64 = a.iter().map(|a| a.to_f64()).sum();
        let largest = l.iter().fold(f64::NEG_INFINITY, |m, l| m.max(l.to_f64()));
        let ln_sum = largest + l.iter().map(|l| (l.to_f64() - largest).exp()).sum::<f64>().ln();
        let mut sum = stirlerr(total) - 0.5 * total.ln() + HALF_LN_2PI;
        for ((l, a), ln_x) in l.iter().zip(a).zip(ln_x) {
            let (ln, a) = (l.to_f64() - ln_sum, a.to_f64());
            *ln_x = F::from_f64(ln);
            let mean = total * ln.exp();
            sum += if mean < f64::MIN_POSITIVE {
                a * total.ln() - ln_gamma(a) + (a - 1.0) * ln
            } else {
                0.5 * a.ln() - HALF_LN_2PI - stirlerr(a) - bd0(a, mean) - ln
            };
        }
        sum
    }
}

impl RowDensity for OfLogarithms {
    const NAME: &'static str = "Dirichlet_of_logarithms";

    fn aux(_: usize, k: usize) -> usize {
        k
    }

    fn forward<F: Real>(call: &mut Call<'_, F>, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (l, a) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k));
        let ln_x = call.aux();
        (0..n).for_each(|r| put(r, Self::log_prob(l.row(r), a.row(r), ln_x)));
    }

    /// The derivatives are aⱼ − 1 − xⱼ (A − k) by lⱼ and ln xⱼ + ψ(A) − ψ(aⱼ) by aⱼ.
    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, mut put: impl FnMut(usize, f64)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        let (l, a) = (RowsOf::new(call, 0, k), RowsOf::new(call, 1, k));
        let (mut d_l, mut d_a) = (RowsGrad::new(call, 0, k), RowsGrad::new(call, 1, k));
        let ln_x = call.aux();
        for r in 0..n {
            let (a, seed) = (a.row(r), seed(r));
            put(r, Self::log_prob(l.row(r), a, ln_x));
            if seed == F::ZERO {
                continue;
            }
            let total: f64 = a.iter().map(|a| a.to_f64()).sum();
            let each = || ln_x.iter().zip(a).map(|(ln_x, a)| (ln_x.to_f64(), a.to_f64()));
            if let Some(d_l) = &mut d_l {
                for (d, (ln_x, a)) in d_l.row(r).iter_mut().zip(each()) {
                    *d += seed * F::from_f64(a - 1.0 - ln_x.exp() * (total - k as f64));
                }
            }
            if let Some(d_a) = &mut d_a {
                for (d, (ln_x, a)) in d_a.row(r).iter_mut().zip(each()) {
                    *d += seed * F::from_f64(ln_x + digamma_difference(a, total - a));
                }
            }
        }
    }
}

#[cfg(test)]
op_tests! { density |x| Dirichlet(x[1]).log_prob(x[0].softmax()); [[0.5, -1.0, 0.25], [1.0, 2.5, 0.75]], [[0.0, 0.0, 1.0], [20.0, 3.0, 1.5]] }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::incomplete_beta::beta_p;
    use crate::rng::Key;
    use crate::tape::op::Op;
    use crate::tape::store::Precision;
    use crate::testing::own_draw;
    use crate::testing::rows_check::{draws_of, elements_equal_terms, p_value_of};

    #[test]
    fn the_density_of_a_draw_by_its_noise_is_that_at_its_value() {
        for a in [vec![1.5, 0.7, 4.0], vec![40.0, 30.0, 0.9]] {
            own_draw::check(own_draw::densities!(|p| Dirichlet(p[0])), &[(&[3], a)], &[5, 3]);
        }
    }

    #[test]
    fn a_draw_whose_elements_underflow_has_its_density_by_the_noise() {
        // x₂ = e⁻⁹⁰⁰ is no number; ln p = Σ (aᵢ − 1) ln xᵢ + ln Γ(Σ aᵢ) − Σ ln Γ(aᵢ).
        let tape = Tape::new(Precision::F64, Key::new(1));
        let noise = tape.input(0, &[], &[2], &[0.0, -900.0], false);
        let a = tape.input(2, &[], &[2], &[0.5, 0.01], false);
        let value = noise.softmax();
        let got = Dirichlet(a).drawn_log_prob(Drawn { value, noise });
        let want = -0.99 * -900.0 + ln_gamma(0.51) - ln_gamma(0.5) - ln_gamma(0.01);
        assert!((got.value() - want).abs() < 1e-11, "{} for {want}", got.value());
        tape.term(crate::ops::sum::SumTerm::DEF, &[got], &[], 0, 1.0, 0);
        let d = crate::tape::gradient::gradient(&tape);
        let want = [
            -1.0 + 0.5 + 1.49,
            0.01 - 1.0,
            digamma_difference(0.5, 0.01),
            -900.0 + digamma_difference(0.01, 0.5),
        ];
        for (d, want) in d.iter().zip(want) {
            assert!((d - want).abs() < 1e-11 * (1.0 + want.abs()), "{d} for {want}");
        }
    }

    #[test]
    fn the_term_is_the_sum_of_the_rows() {
        elements_equal_terms(
            &[0.2, 0.3, 0.5, 0.6, 0.3, 0.1],
            &[2, 3],
            &[(&[3], &[1.0, 2.5, 0.5])],
            |x, p| Dirichlet(p[0]).log_prob(x),
            |tape, x, p| Dirichlet(p[0]).log_prob_term(tape, x, 1.0, 0),
        );
    }

    #[test]
    fn elements_of_draws_follow_beta_distributions() {
        let a = [0.4, 2.5, 7.0];
        let x = draws_of(50_000, 3, |at| Dirichlet(a).draw(at));
        for (i, a_i) in a.iter().enumerate() {
            let element: Vec<f64> = x.iter().skip(i).step_by(3).copied().collect();
            let p = p_value_of(element, |x| beta_p(*a_i, 9.9 - a_i, x));
            assert!(p > 1e-6, "element {i}: p = {p:e}");
        }
    }

    #[test]
    fn minus_infinity_off_the_simplex_and_nan_for_bad_concentrations() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let at = |x: [f64; 2], a: [f64; 2]| Dirichlet(a).log_prob(tape.input(0, &[], &[2], &x, false)).elements()[0];
        assert_eq!(at([0.5, 0.6], [1.0, 2.0]), f64::NEG_INFINITY);
        assert_eq!(at([-0.5, 1.5], [1.0, 2.0]), f64::NEG_INFINITY);
        assert_eq!(at([0.0, 1.0], [2.0, 2.0]), f64::NEG_INFINITY);
        assert!((at([0.0, 1.0], [1.0, 2.0]) - 2f64.ln()).abs() < 1e-15);
        assert!(at([0.5, 0.5], [1.0, -2.0]).is_nan() && at([f64::NAN, 0.5], [1.0, 2.0]).is_nan());
    }

    #[test]
    fn mean_and_variance_are_those_of_the_elements() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let dist = Dirichlet([1.0, 3.0]);
        assert_eq!(dist.mean(&tape).elements(), [0.25, 0.75]);
        // The elements follow Beta(1, 3) and Beta(3, 1).
        for v in dist.variance(&tape).elements() {
            assert!((v - 3.0 / 80.0).abs() < 1e-16);
        }
    }
}
