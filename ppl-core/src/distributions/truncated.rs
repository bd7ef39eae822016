//! Truncation to an interval: what `.truncate(low, high)` makes of a distribution with a closed distribution function.

use std::marker::PhantomData;

use crate::constraints::Interval;
use crate::distributions::contract::{Dist, Modifiers, Params};
use crate::distributions::family::Family;
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::row_density::tape_for;
use crate::distributions::standard_cdf::{
    CauchyCdf, ExponentialCdf, LaplaceCdf, NormalCdf, StandardCdf, UniformCdf, Window,
};
use crate::distributions::support::Support;
use crate::distributions::univariate;
use crate::distributions::{Cauchy, Exponential, Laplace, LogNormal, Normal, Uniform};
use crate::error::Place;
use crate::kernels::real::Real;
use crate::ops::align::align;
use crate::ops::param::Param;
use crate::ops::where_::where_;
use crate::tape::call::{Call, Grad};
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::{Shape, broadcast};

/// A distribution of x whose standardised value z(x), an ascending function, has a closed distribution function; z is the
/// noise of its own draws.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be truncated",
    note = "`Normal`, `LogNormal`, `Cauchy`, `Laplace`, `Exponential` and `Uniform` can"
)]
pub trait Standardised<'t>: Dist<'t> {
    /// The distribution of z.
    type Cdf: StandardCdf;

    /// Returns z(x).
    fn standardise(&self, tape: &'t Tape, x: Var<'t>) -> Var<'t>;

    /// Returns z(high) − z(low), which keeps the digits of a narrow interval.
    fn standard_width(&self, tape: &'t Tape, low: Var<'t>, high: Var<'t>) -> Var<'t>;

    /// Returns the x with this z.
    fn destandardise(&self, tape: &'t Tape, z: Var<'t>) -> Var<'t>;
}

macro_rules! location_scale {
    ($($dist:ident: $cdf:ty;)*) => {$(
        impl<'t> Standardised<'t> for $dist<'t> {
            type Cdf = $cdf;

            fn standardise(&self, tape: &'t Tape, x: Var<'t>) -> Var<'t> {
                let params = self.params(tape);
                (x - params[0].1) / params[1].1
            }

            fn standard_width(&self, tape: &'t Tape, low: Var<'t>, high: Var<'t>) -> Var<'t> {
                (high - low) / self.params(tape)[1].1
            }

            fn destandardise(&self, tape: &'t Tape, z: Var<'t>) -> Var<'t> {
                let params = self.params(tape);
                params[0].1 + params[1].1 * z
            }
        }
    )*};
}

location_scale! {
    Normal: NormalCdf;
    Cauchy: CauchyCdf;
    Laplace: LaplaceCdf;
}

impl<'t> Standardised<'t> for LogNormal<'t> {
    type Cdf = NormalCdf;

    fn standardise(&self, tape: &'t Tape, x: Var<'t>) -> Var<'t> {
        let params = self.params(tape);
        let is_inside = x.gt(0);
        let z = (where_(is_inside, x, 1.0).ln() - params[0].1) / params[1].1;
        where_(is_inside, z, -f64::INFINITY)
    }

    fn standard_width(&self, tape: &'t Tape, low: Var<'t>, high: Var<'t>) -> Var<'t> {
        let is_inside = low.gt(0);
        let low = where_(is_inside, low, 1.0);
        let width = ((high - low) / low).ln_1p() / self.params(tape)[1].1;
        where_(is_inside, width, f64::INFINITY)
    }

    fn destandardise(&self, tape: &'t Tape, z: Var<'t>) -> Var<'t> {
        let params = self.params(tape);
        (params[0].1 + params[1].1 * z).exp()
    }
}

impl<'t> Standardised<'t> for Exponential<'t> {
    type Cdf = ExponentialCdf;

    fn standardise(&self, tape: &'t Tape, x: Var<'t>) -> Var<'t> {
        x * self.params(tape)[0].1
    }

    fn standard_width(&self, tape: &'t Tape, low: Var<'t>, high: Var<'t>) -> Var<'t> {
        (high - low) * self.params(tape)[0].1
    }

    fn destandardise(&self, tape: &'t Tape, z: Var<'t>) -> Var<'t> {
        z / self.params(tape)[0].1
    }
}

impl<'t> Standardised<'t> for Uniform<'t> {
    type Cdf = UniformCdf;

    fn standardise(&self, tape: &'t Tape, x: Var<'t>) -> Var<'t> {
        let params = self.params(tape);
        (x - params[0].1) / (params[1].1 - params[0].1)
    }

    fn standard_width(&self, tape: &'t Tape, low: Var<'t>, high: Var<'t>) -> Var<'t> {
        let params = self.params(tape);
        (high - low) / (params[1].1 - params[0].1)
    }

    fn destandardise(&self, tape: &'t Tape, z: Var<'t>) -> Var<'t> {
        let params = self.params(tape);
        params[0].1 + (params[1].1 - params[0].1) * z
    }
}

/// A distribution conditioned on an interval; [`DistExt::truncate`](super::DistExt::truncate) makes one.
#[derive(Clone, Debug)]
pub struct Truncated<'t, D> {
    pub(super) base: D,
    pub(super) low: Param<'t>,
    pub(super) high: Param<'t>,
}

impl<'t, D: Standardised<'t>> Truncated<'t, D> {
    /// Returns a standardised bound; an infinite number is its own, without derivatives that would be 0 · ∞.
    fn bound(&self, tape: &'t Tape, bound: &Param<'t>) -> Var<'t> {
        let bound = bound.on(tape);
        match bound.as_constant() {
            Some(number) if number.is_infinite() => bound,
            _ => self.base.standardise(tape, bound),
        }
    }

    /// Returns the distance of the standardised bounds, a number where one of them is.
    fn width(&self, tape: &'t Tape) -> Var<'t> {
        let (low, high) = (self.low.on(tape), self.high.on(tape));
        let is_infinite = |bound: Var<'t>| bound.as_constant().is_some_and(f64::is_infinite);
        if is_infinite(low) || is_infinite(high) {
            Var::constant(f64::INFINITY)
        } else {
            self.base.standard_width(tape, low, high)
        }
    }

    /// Returns ln(F(high) − F(low)).
    #[track_caller]
    fn log_mass(&self, tape: &'t Tape) -> Var<'t> {
        let (low, high) = (self.bound(tape, &self.low), self.bound(tape, &self.high));
        let args = [tape.lift(low), high, self.width(tape)];
        match align(D::Cdf::LOG_MASS, &args, Place::here()) {
            Some(a) => tape.record(LogMass::<D::Cdf>::DEF, &a.args, &[], &a.dims, &a.event, 0),
            None => Var::constant(f64::NAN),
        }
    }
}

impl<D: Family> Family for Truncated<'_, D> {
    type Support = Interval;
    type Kind = D::Kind;
}

impl<'t, D: Standardised<'t>> Dist<'t> for Truncated<'t, D> {
    const NAME: &'static str = "Truncated";
    const REPARAMETERISED: bool = true;

    fn put_on(&mut self, tape: &'t Tape) {
        self.base.put_on(tape);
        self.low.put_on(tape);
        self.high.put_on(tape);
    }

    fn params(&self, tape: &'t Tape) -> Params<'t> {
        let mut params = self.base.params(tape);
        params.push(("lower bound", self.low.on(tape)));
        params.push(("upper bound", self.high.on(tape)));
        params
    }

    fn support(&self, tape: &'t Tape) -> Support<'t> {
        Support::Interval(self.low.on(tape), self.high.on(tape))
    }

    fn event_shape(&self) -> Shape {
        let bounds = univariate::event_shape(&[&self.low, &self.high]);
        broadcast(&self.base.event_shape(), &bounds).unwrap_or(bounds)
    }

    /// log p(x) − ln(F(high) − F(low)) between the bounds.
    #[track_caller]
    fn log_prob(&self, x: Var<'t>) -> Var<'t> {
        let base = self.base.log_prob(x);
        let tape = tape_for(base, &[&Param::Value(x), &self.low, &self.high]);
        let is_outside = x.lt(self.low.on(tape)) + x.gt(self.high.on(tape));
        where_(is_outside, -f64::INFINITY, base) - self.log_mass(tape)
    }

    fn draw(&self, at: &Noise<'t>) -> Var<'t> {
        self.drawn(at).value
    }

    /// The quantile between the bounds at a uniform number; the standardised value is the noise.
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let tape = at.tape;
        let (a, b) = (self.bound(tape, &self.low), self.bound(tape, &self.high));
        let noise = match align(D::Cdf::QUANTILE, &[at.uniform(), a, b], Place::here()) {
            Some(a) => tape.record(Quantile::<D::Cdf>::DEF, &a.args, &[], &a.dims, &a.event, 0),
            None => Var::constant(f64::NAN),
        };
        let x = self.base.destandardise(tape, noise);
        let value = x.maximum(self.low.on(tape)).minimum(self.high.on(tape));
        Drawn { value, noise }
    }

    /// The density of the distribution that is truncated, at the same standardised value, over the mass between the bounds.
    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        let tape = tape_for(drawn.noise, &[&self.low, &self.high]);
        self.base.drawn_log_prob(drawn) - self.log_mass(tape)
    }

    /// Not a number: no closed form is offered.
    fn mean(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    /// Not a number: no closed form is offered.
    fn variance(&self, _: &'t Tape) -> Var<'t> {
        Var::constant(f64::NAN)
    }

    fn modifiers(&self) -> Modifiers<'t> {
        self.base.modifiers()
    }
}

/// Returns element `i`, or the only one.
fn at<F: Real>(x: &[F], i: usize) -> f64 {
    x[if x.len() == 1 { 0 } else { i }].to_f64()
}

/// Returns element `i` of a, b and their distance.
fn window<F: Real>([a, b, width]: [&[F]; 3], i: usize) -> Window {
    Window {
        a: at(a, i),
        b: at(b, i),
        width: at(width, i),
    }
}

/// Adds to the adjoint of element `i`, or to the only one.
fn add<F: Real>(grad: &mut Option<Grad<'_, F>>, i: usize, value: f64) {
    if let Some(grad) = grad {
        let at = if grad.slice.len() == 1 { 0 } else { i };
        grad.slice[at] += F::from_f64(value);
    }
}

/// ln(G(b) − G(a)) from a, b and b − a. What moves both bounds reaches the one of higher density, by the difference of the
/// densities; the width takes the lower density. So no sum of the derivatives cancels.
struct LogMass<C>(PhantomData<C>);

impl<C: StandardCdf> Op for LogMass<C> {
    const NAME: &'static str = C::LOG_MASS;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let x = [0, 1, 2].map(|k| call.x(k));
        for (i, out) in call.out().iter_mut().enumerate() {
            *out = F::from_f64(C::log_mass(window(x, i)));
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (x, d_out) = ([0, 1, 2].map(|k| call.x(k)), call.d_out());
        let [mut d_a, mut d_b, mut d_width] = [0, 1, 2].map(|k| call.grad(k).map(Grad::accumulator));
        for (i, d) in d_out.iter().map(|d| d.to_f64()).enumerate() {
            let window = window(x, i);
            let ([low, high], drift) = (C::hazards(window), C::drift(window));
            if window.width == f64::INFINITY {
                add(&mut d_a, i, -d * low);
                add(&mut d_b, i, d * high);
            } else if drift >= 0.0 {
                add(&mut d_a, i, -d * drift);
                add(&mut d_width, i, d * high);
            } else {
                add(&mut d_b, i, -d * drift);
                add(&mut d_width, i, d * low);
            }
        }
    }
}

/// The z with G(z) = (1 − u) G(a) + u G(b), from u, a and b.
struct Quantile<C>(PhantomData<C>);

impl<C: StandardCdf> Op for Quantile<C> {
    const NAME: &'static str = C::QUANTILE;
    const NO_GRAD: u32 = 1;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (u, a, b) = (call.x(0), call.x(1), call.x(2));
        for (i, out) in call.out().iter_mut().enumerate() {
            let z = C::quantile(at(u, i), at(a, i), at(b, i));
            *out = F::from_f64(z);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (u, a, b, out, d_out) = (call.x(0), call.x(1), call.x(2), call.y(), call.d_out());
        let mut d_a = call.grad(1).map(Grad::accumulator);
        let mut d_b = call.grad(2).map(Grad::accumulator);
        for i in 0..out.len() {
            let (u, d) = (at(u, i), d_out[i].to_f64());
            let slope = |z: f64| C::log_density_ratio(z, out[i].to_f64()).exp();
            add(&mut d_a, i, d * (1.0 - u) * slope(at(a, i)));
            add(&mut d_b, i, d * u * slope(at(b, i)));
        }
    }
}

#[cfg(test)]
mod laws {
    use super::*;
    use crate::distributions::DistExt;
    use crate::testing::dists::dist_tests;
    use crate::testing::op_check::{self, Arg};

    /// One module of laws a distribution: those of `dist_tests!`, and gradients in the value, all parameters and both bounds.
    macro_rules! truncated {
        ($($name:ident |$p:ident| $dist:expr; points $($point:expr),+; outside $outside:expr; bad $bad:expr; draws $($draws:expr),+;)*) => {
            $(
                mod $name {
                    use super::*;

                    dist_tests! { @laws laws, false, |$p| $dist; $($point),+; outside $outside; bad $bad; draws $($draws),+; }

                    #[test]
                    fn gradient_matches_central_differences() {
                        fn function<'t>(x: &[Var<'t>]) -> Var<'t> {
                            let $p = &x[1..];
                            $dist.log_prob(x[0])
                        }
                        let points: Vec<Vec<Arg>> = vec![$($point.map(Arg::from).to_vec()),+];
                        op_check::gradient_matches_central_differences(function, &points);
                        op_check::single_precision_agrees_with_double(function, &points);
                    }
                }
            )*
        };
    }

    truncated! {
        normal |p| Normal(p[0], p[1]).truncate(p[2], p[3]);
            points [0.7, 0.2, 1.5, -1.0, 2.0], [0.5, 0.5, 0.4, -1.5, 1.0], [0.9, -1.0, 0.8, 0.25, 4.0];
            outside [-1.1, 2.1]; bad [0.0, 1.0, 2.0, 1.0];
            draws [0.0, 1.0, -0.5, 1.0], [0.2, 0.3, 0.9, 1.5];
        cauchy |p| Cauchy(p[0], p[1]).truncate(p[2], p[3]);
            points [0.7, 0.2, 1.5, -1.0, 2.0], [0.5, 0.5, 0.4, -1.5, 1.0], [0.9, -1.0, 0.8, 0.25, 4.0];
            outside [-1.1, 2.1]; bad [0.0, 1.0, 2.0, 1.0];
            draws [0.0, 1.0, -0.5, 3.0], [0.2, 0.3, 0.9, 1.5];
        laplace |p| Laplace(p[0], p[1]).truncate(p[2], p[3]);
            points [0.7, 0.2, 1.5, -1.0, 2.0], [0.55, 0.6, 0.4, -1.5, 1.0], [0.9, -0.75, 0.8, 0.25, 4.0];
            outside [-1.1, 2.1]; bad [0.0, 1.0, 2.0, 1.0];
            draws [0.0, 1.0, -0.5, 3.0], [0.2, 0.3, 0.9, 1.5];
        log_normal |p| LogNormal(p[0], p[1]).truncate(p[2], p[3]);
            points [0.7, 0.2, 1.5, 0.1, 2.0], [0.8, 0.5, 0.4, 0.5, 1.5], [0.9, -1.0, 0.8, 0.25, 4.0];
            outside [0.05, 2.1]; bad [0.0, 1.0, 2.0, 1.0];
            draws [0.0, 1.0, 0.5, 3.0], [0.2, 0.3, 0.9, 1.5];
        exponential |p| Exponential(p[0]).truncate(p[1], p[2]);
            points [0.7, 1.5, 0.1, 2.0], [0.8, 0.4, 0.5, 1.5], [0.9, 0.8, 0.25, 4.0];
            outside [0.05, 2.1]; bad [1.0, 2.0, 1.0];
            draws [1.0, 0.5, 3.0], [0.3, 0.9, 1.5];
        uniform |p| Uniform(p[0], p[1]).truncate(p[2], p[3]);
            points [0.7, 0.2, 1.5, 0.4, 1.3], [0.75, -0.5, 1.4, 0.25, 1.2];
            outside [0.3, 1.45]; bad [0.0, 1.0, 2.0, 1.0];
            draws [-1.0, 4.0, 0.5, 3.0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::DistExt;
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::store::Precision;

    #[test]
    fn the_left_tail_keeps_its_digits() {
        // mpmath: −800 − ln(2π) / 2 − log(erfc(40/sqrt(2))/2).
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[], &[-40.0], false);
        let got = Normal(0, 1).truncate(f64::NEG_INFINITY, -40).log_prob(x).value();
        let want = 3.689_503_480_549_327;
        assert!((got - want).abs() < 1e-12, "{got} for {want}");
    }

    #[test]
    fn a_bound_that_all_rows_share_gets_the_sum_of_their_derivatives() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.constant_array(&[2], [0.1, 0.3].into_iter());
        let low = tape.input(0, &[], &[], &[-1.0], false);
        let high = tape.constant_array(&[2], [1.0, 2.0].into_iter());
        let log_prob = Normal(0, 1).truncate(low, high).log_prob(x);
        tape.term(SumTerm::DEF, &[log_prob], &[], 0, 1.0, 0);
        // The density at the bound by the mass of each row.
        let ndtr = crate::math::erf::ndtr;
        let density = (-0.5f64).exp() / std::f64::consts::TAU.sqrt();
        let want = density / (ndtr(1.0) - ndtr(-1.0)) + density / (ndtr(2.0) - ndtr(-1.0));
        let got = gradient(&tape)[0];
        assert!((got - want).abs() < 1e-14, "{got} for {want}");
    }

    #[test]
    fn one_bound_may_be_infinite() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let (x, scale) = (
            tape.input(0, &[], &[], &[0.7], false),
            tape.input(1, &[], &[], &[1.5], false),
        );
        let half = Normal(0, scale).truncate(0, f64::INFINITY).log_prob(x);
        tape.term(SumTerm::DEF, &[half], &[], 0, 1.0, 0);
        // It is the half-normal distribution.
        assert!((half.value() - crate::distributions::HalfNormal(scale).log_prob(x).value()).abs() < 1e-15);
        let d = gradient(&tape);
        assert!((d[0] + 0.7 / 2.25).abs() < 1e-15);
        assert!((d[1] - (0.49 / 2.25 - 1.0) / 1.5).abs() < 1e-15);
    }
}
